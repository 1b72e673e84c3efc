/** Style of the page at `/`. Colours follow the system's light or dark setting. */
export const HEALTH_PAGE_STYLE = `
:root {
  --ground: #f6f7f9; --card: #fff; --ink: #16191d; --muted: #5b6470; --line: #dfe3e8;
  --accent: #2457d6; --good: #18794e; --warn: #8a5a00; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101317; --card: #181c22; --ink: #e8ebef; --muted: #97a1ad; --line: #2a3038;
    --accent: #7ea6ff; --good: #5fce9a; --warn: #e5b45a; --bad: #ff8f86;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .75rem; padding: 1rem 1.5rem; }
h1 { font-size: 1.3rem; margin: 0; letter-spacing: .01em; }
h2 { font-size: 1.1rem; margin: 0 0 .2rem; display: flex; gap: .6rem; align-items: baseline; }
h3 { font-size: .8rem; margin: 0 0 .5rem; color: var(--muted); font-weight: 600; }
main { padding: 0 1.5rem 2rem; display: grid; gap: 1rem; }
p { margin: 0; }
.stream { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.2rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.2rem; margin-top: .9rem; }
.feed { list-style: none; margin: 0; padding: 0; max-height: 22rem; overflow-y: auto; }
.feed li { padding: .35rem 0; border-top: 1px solid var(--line); }
.feed li:first-child { border-top: 0; }
.feed time { color: var(--muted); font-variant-numeric: tabular-nums; margin-right: .5rem; }
.feed .why { display: block; color: var(--muted); }
.muted { color: var(--muted); }
.pill { font-size: .75rem; font-weight: 600; padding: .1rem .55rem; border-radius: 99px; border: 1px solid currentColor; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
meter { width: 4.5rem; height: .8rem; vertical-align: middle; margin-right: .4rem; }
.number { font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 400; color: var(--muted); }
td { text-align: right; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem 0; }
svg { width: 100%; max-width: 15rem; display: block; margin-top: .6rem; overflow: visible; }
svg .axis { stroke: var(--line); fill: none; } svg .ideal { stroke: var(--muted); stroke-dasharray: 3 3; }
svg .curve { stroke: var(--accent); fill: none; stroke-width: 2; } svg circle { fill: var(--accent); }
svg text { fill: var(--muted); font-size: 7px; }
`;
