const LIGHT = `
  --bg: #f6f7f9; --card: #ffffff; --line: #dde2ea; --text: #17202c; --dim: #566375; --soft: #eef1f5;
  --hit: #12804a; --miss: #c42b2b; --void: #6b7788; --open: #1f63c4; --accent: #1f63c4; --shadow: 0 1px 2px #1018281a;
`;
const DARK = `
  --bg: #0d1219; --card: #151c26; --line: #2a3545; --text: #e8edf4; --dim: #9aa8bb; --soft: #1d2632;
  --hit: #3ddc84; --miss: #ff7070; --void: #93a1b5; --open: #6cb0ff; --accent: #6cb0ff; --shadow: none;
`;

/** The stylesheet of the report; its hash stands in the page's content security policy. */
export const STYLE = `
:root { color-scheme: light; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { color-scheme: dark; ${DARK} } }
:root[data-theme=dark] { color-scheme: dark; ${DARK} }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main, header, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 12px; }
h3 { font-size: 1rem; margin: 0; font-weight: 600; }
p, figure { margin: 0; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 12px; top: 12px; background: var(--card); padding: 6px 12px; z-index: 2; }
.top { display: flex; justify-content: space-between; gap: 16px; align-items: flex-start; }
.eyebrow { color: var(--dim); font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; margin-bottom: 4px; }
.dim { color: var(--dim); }
.small { font-size: .86rem; }
button, input, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 6px 10px; }
button { cursor: pointer; white-space: nowrap; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 12px; margin: 20px 0 14px; padding: 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 14px; box-shadow: var(--shadow); }
.figures dt { color: var(--dim); font-size: .82rem; }
.figures dd { margin: 0; font-size: 1.4rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.settings { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0; padding: 0; font-size: .86rem; }
.settings div { display: flex; gap: 6px; }
.settings dt { color: var(--dim); }
.settings dd { margin: 0; overflow-wrap: anywhere; }
nav { position: sticky; top: 0; z-index: 1; background: var(--bg); border-bottom: 1px solid var(--line); margin-top: 16px; }
nav ul { max-width: 1120px; margin: 0 auto; padding: 8px 20px; display: flex; gap: 18px; list-style: none; overflow-x: auto; }
nav a { text-decoration: none; color: var(--dim); white-space: nowrap; }
nav a:hover { color: var(--text); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px 20px; margin: 18px 0; box-shadow: var(--shadow); scroll-margin-top: 52px; }
.note { border-left: 3px solid var(--line); padding-left: 10px; color: var(--dim); font-size: .86rem; margin-top: 10px; }

.lanes input { position: absolute; opacity: 0; }
.lanes label { display: inline-block; padding: 4px 12px; border: 1px solid var(--line); border-radius: 99px; font-size: .86rem; color: var(--dim); cursor: pointer; margin-right: 6px; }
.lanes input:checked + label { background: var(--soft); color: var(--text); border-color: var(--dim); }
.lanes input:focus-visible + label { outline: 2px solid var(--accent); outline-offset: 2px; }
.chart { display: none; grid-template-columns: max-content minmax(0, 1fr); column-gap: 12px; margin-top: 14px; }
#by-object:checked ~ .objects, #by-kind:checked ~ .kinds { display: grid; }
.chart ul { list-style: none; margin: 0; padding: 0; }
.chart li { height: 26px; line-height: 26px; font-size: .84rem; text-align: right; white-space: nowrap; max-width: 150px; overflow: hidden; text-overflow: ellipsis; }
.chart svg { width: 100%; overflow: visible; }
.grid { stroke: var(--line); stroke-width: 1; }
.axis { fill: var(--dim); font-size: 11px; text-anchor: middle; }
.axis.first { text-anchor: start; }
.axis.last { text-anchor: end; }
.lane { stroke: var(--soft); stroke-width: 1; }
.mark { stroke: var(--card); stroke-width: 1.5; }
.mark.meeting { fill: #0e9aa7; } .mark.coming { fill: #2fae62; } .mark.going { fill: #d98a00; } .mark.impact { fill: #e03e3e; }
.mark.motion { fill: #8a97a8; } .mark.place { fill: #a855d8; }
a:hover .mark, a:focus .mark { stroke: var(--text); }
.hit { color: var(--hit); } .miss { color: var(--miss); } .void { color: var(--void); } .open { color: var(--open); }
.span.hit { fill: var(--hit); } .span.miss { fill: var(--miss); } .span.void { fill: var(--void); } .span.open { fill: var(--open); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; margin: 12px 0 0; padding: 0; font-size: .82rem; color: var(--dim); }
.legend svg { width: 11px; height: 11px; vertical-align: -1px; margin-right: 5px; }

.filters { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-bottom: 14px; }
.filters input { flex: 1 1 180px; min-width: 0; }
.filters output { color: var(--dim); font-size: .86rem; }
.items { list-style: none; margin: 0; padding: 0; }
.item { display: grid; grid-template-columns: 176px minmax(0, 1fr); gap: 4px 16px; padding: 14px 0; border-top: 1px solid var(--line); scroll-margin-top: 60px; content-visibility: auto; contain-intrinsic-size: auto 150px; }
.item:first-child { border-top: 0; padding-top: 2px; }
.item.plain { grid-template-columns: minmax(0, 1fr); contain-intrinsic-size: auto 60px; }
.item[hidden] { display: none; }
.item:target { background: var(--soft); box-shadow: 0 0 0 8px var(--soft); border-radius: 4px; }
.item img { width: 176px; height: 132px; border-radius: 8px; display: block; background: var(--soft); }
.head { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; }
.time { font-variant-numeric: tabular-nums; color: var(--dim); font-size: .86rem; min-width: 3.4em; }
.badge { font-size: .76rem; border: 1px solid var(--line); border-radius: 99px; padding: 0 8px; color: var(--dim); }
.badge.warn { color: var(--miss); border-color: currentColor; }
.why { margin-top: 4px; }
details { margin-top: 6px; font-size: .9rem; }
summary { cursor: pointer; color: var(--dim); }
.chain { margin: 6px 0 0; padding-left: 18px; border-left: 2px solid var(--line); list-style: none; }
.chain li { position: relative; margin: 4px 0; }
.chain li::before { content: ""; position: absolute; left: -24px; top: .5em; width: 8px; height: 8px; border-radius: 50%; background: var(--dim); border: 2px solid var(--card); }
.bar { width: 160px; height: 12px; vertical-align: -1px; }
.bar .track { fill: var(--soft); } .bar .tick { fill: var(--text); }
.verdict { font-weight: 650; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: 6px 12px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { color: var(--dim); font-weight: 500; }
th:first-child, td:first-child { text-align: left; }
tr:last-child td { border-bottom: 0; }
.quality { display: grid; grid-template-columns: minmax(240px, 340px) minmax(0, 1fr); gap: 28px; align-items: start; }
.reliability { width: 100%; height: auto; }
.reliability text { fill: var(--dim); font-size: 10px; }
.reliability .n { fill: var(--text); font-size: 9.5px; text-anchor: middle; }
.reliability .frame { fill: none; stroke: var(--line); }
.reliability .ideal { stroke: var(--dim); stroke-dasharray: 4 4; }
.reliability .path { fill: none; stroke: var(--accent); stroke-width: 1.5; opacity: .6; }
.reliability .dot { fill: var(--accent); }
.reliability .column { fill: var(--accent); opacity: .35; }
.calls { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; margin-top: 18px; }
.calls ol { margin: 6px 0 0; padding-left: 1.3em; font-size: .92rem; }
footer { padding-top: 8px; padding-bottom: 40px; color: var(--dim); font-size: .86rem; }
@media (max-width: 720px) {
  main, header, footer { padding-left: 12px; padding-right: 12px; }
  section { padding: 14px; }
  nav ul { padding-left: 12px; padding-right: 12px; }
  .item { grid-template-columns: minmax(0, 1fr); }
  .item img { width: 100%; max-width: 240px; height: auto; }
  .quality, .calls { grid-template-columns: minmax(0, 1fr); }
  .chart li { max-width: 84px; font-size: .76rem; }
  .chart { column-gap: 6px; }
}
@media print { nav, .filters, .theme { display: none; } section { break-inside: auto; box-shadow: none; } }
`;
