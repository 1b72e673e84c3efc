import { createHash } from 'node:crypto';
import { clean, mediaTime, score, skill } from '../wording.js';
import { html, SafeHtml } from './html.js';
import { eventsSection } from './page-events.js';
import { predictionsSection } from './page-predictions.js';
import { qualitySection } from './page-quality.js';
import { SCRIPT } from './page-script.js';
import { STYLE } from './page-style.js';
import { timelineSection } from './page-timeline.js';
import type { ReportData, ReportInfo } from './report-data.js';
import type { ThumbnailStore } from './thumbnail-store.js';

/** Least length of the time axis, s. */
const MIN_DURATION_S = 1;

/** The whole page. It names no address outside itself, and its policy forbids any request. */
export function reportPage(info: ReportInfo, data: ReportData, thumbnails: ThumbnailStore): string {
  const duration = Math.max(info.duration ?? 0, data.end, MIN_DURATION_S);
  const policy = `default-src 'none'; img-src data:; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; base-uri 'none'; form-action 'none'`;
  const source = clean(info.source);
  return html`${new SafeHtml('<!doctype html>\n')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="generator" content="Presage" />
        <title>${source} – Presage report</title>
        ${inline('style', STYLE)}
      </head>
      <body>
        <a class="skip" href="#events">Skip to the events</a>
        ${headSection(info, source, data, duration)}
        <nav aria-label="Sections">
          <ul>
            <li><a href="#timeline">Timeline</a></li>
            <li><a href="#events">What happened</a></li>
            <li><a href="#predictions">What was expected</a></li>
            <li><a href="#quality">How good</a></li>
          </ul>
        </nav>
        <main>
          ${timelineSection(data, duration)} ${notesSection(data)} ${eventsSection(data, thumbnails)}
          ${predictionsSection(data, thumbnails)} ${qualitySection(data)}
        </main>
        ${footer(thumbnails, data)} ${inline('script', SCRIPT)}
      </body>
    </html>`.markup;
}

function headSection(info: ReportInfo, source: string, data: ReportData, duration: number): SafeHtml {
  const checked = [...data.predictions.values()].filter(
    ({ outcome }) => outcome === 'hit' || outcome === 'miss',
  );
  const hits = checked.filter(({ outcome }) => outcome === 'hit').length;
  const card = data.scorecard;
  const figures: [string, string | number][] = [
    ['duration', mediaTime(duration)],
    ['objects', data.presences.size],
    ['events', data.events.size],
    ['predictions', data.predictions.size],
    ['came true', checked.length === 0 ? '–' : `${hits} of ${checked.length}`],
    ['Brier score', score(card?.brier ?? null)],
    ['skill', skill(card?.skill ?? null)],
  ];
  const settings = [['model', info.model], ...Object.entries(info.settings ?? {})] as const;
  return html`<header>
    <div class="top">
      <div>
        <p class="eyebrow">Presage report</p>
        <h1>${source}</h1>
      </div>
      <button type="button" class="theme" hidden>Light / dark</button>
    </div>
    <dl class="figures">
      ${figures.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    <dl class="settings">
      ${settings.map(
        ([name, value]) =>
          value !== undefined &&
          html`<div>
            <dt>${name}</dt>
            <dd>${clean(String(value))}</dd>
          </div>`,
      )}
    </dl>
  </header>`;
}

function notesSection(data: ReportData): SafeHtml | undefined {
  if (data.notes.length === 0) return undefined;
  return html`<section id="notes">
    <h2>In short</h2>
    ${data.notes.map((note) => html`<p><span class="time">${mediaTime(note.t)}</span> ${clean(note.text)}</p>`)}
    ${data.leftOut.notes > 0 && html`<p class="note">${data.leftOut.notes} more are left out.</p>`}
  </section>`;
}

function footer(thumbnails: ThumbnailStore, data: ReportData): SafeHtml {
  return html`<footer>
    <p>
      ${thumbnails.count}
      pictures${thumbnails.leftOut > 0 && `; ${thumbnails.leftOut} more were left out to keep this page small`}.
      ${data.leftOut.objects > 0 && 'There were more objects than are listed.'} Times are seconds from the
      start of the recording.
    </p>
  </footer>`;
}

/** The element with exactly this text: its hash stands in the policy. */
function inline(element: 'style' | 'script', text: string): SafeHtml {
  return new SafeHtml(`<${element}>${text}</${element}>`);
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
