import { amount, mediaTime, percent, windowPhrase } from '../wording.js';
import { picture } from './page-events.js';
import { html, type SafeHtml } from './html.js';
import { predictionText, typeName } from './page-timeline.js';
import type { ReportData, ReportedPrediction } from './report-data.js';
import type { ThumbnailStore } from './thumbnail-store.js';

const OUTCOMES = {
  hit: 'came true',
  miss: 'did not happen',
  void: 'could not be checked',
  open: 'still open',
} as const;
const SIGNS = { hit: '✓', miss: '✗', void: '∅', open: '→' } as const;
const BAR_WIDTH = 160;

/** Every prediction with its probability, what is usual, and what became of it. */
export function predictionsSection(data: ReportData, thumbnails: ThumbnailStore): SafeHtml {
  const all = [...data.predictions.values()];
  const types = [...new Set(all.map((one) => one.prediction.event.type))].sort();
  return html`<section id="predictions">
    <h2>What was expected</h2>
    <form class="filters" hidden>
      <input type="search" placeholder="Search: leave the view…" aria-label="Search predictions" />
      <select name="outcome" aria-label="Outcome">
        <option value="">all outcomes</option>
        ${Object.entries(OUTCOMES).map(([value, text]) => html`<option value="${value}">${text}</option>`)}
      </select>
      <select name="type" aria-label="Kind of event">
        <option value="">all kinds</option>
        ${types.map((type) => html`<option value="${type}">${typeName(type)}</option>`)}
      </select>
      <output></output>
    </form>
    ${
      all.length === 0
        ? html`<p class="dim">No predictions were made.</p>`
        : html`<ol class="items">
            ${all.map((one, index) => predictionItem(one, index, data, thumbnails))}
          </ol>`
    }
    ${data.leftOut.predictions > 0 && html`<p class="note">${data.leftOut.predictions} later predictions are left out of this page; the message file has them all.</p>`}
  </section>`;
}

function predictionItem(
  reported: ReportedPrediction,
  index: number,
  data: ReportData,
  thumbnails: ThumbnailStore,
): SafeHtml {
  const { prediction, outcome, first } = reported;
  const thumbnail = thumbnails.get(`prediction ${prediction.id}`);
  const clause = predictionText({ prediction, outcome: 'open' }, data);
  const changed = Math.abs(first - prediction.probability) >= 0.005;
  return html`<li
    class="item${thumbnail ? '' : ' plain'}"
    id="prediction-${index + 1}"
    data-type="${prediction.event.type}"
    data-outcome="${outcome}"
  >
    ${thumbnail && picture(thumbnail, clause)}
    <div>
      <div class="head">
        <span class="time">${mediaTime(prediction.issuedAt)}</span>
        <h3>${clause}</h3>
        <span class="dim">${windowPhrase(prediction)}</span>
        <span class="badge">rank ${prediction.rank}</span>
      </div>
      <p>
        ${probabilityBar(prediction.probability, prediction.baseRate, outcome)}
        <strong>${percent(prediction.probability)}</strong>
        <span class="dim small"
          >usual ${percent(prediction.baseRate)}${changed && `, at first ${percent(first)}`}</span
        >
        · <span class="verdict ${outcome}">${SIGNS[outcome]} ${OUTCOMES[outcome]}</span>${timing(reported)}
      </p>
      ${prediction.justification.text !== '' && html`<p class="dim">${prediction.justification.text}</p>`}
      <p class="dim small">
        between ${mediaTime(prediction.window.from)} and ${mediaTime(prediction.window.to)} · by
        ${prediction.by.backend}, ${prediction.by.model}
      </p>
    </div>
  </li>`;
}

function timing({ prediction, outcome }: ReportedPrediction): SafeHtml | undefined {
  if (outcome !== 'hit' || !('leadTime' in prediction) || prediction.leadTime === undefined) return undefined;
  return html` <span class="dim small">after ${amount(prediction.leadTime)} s</span>`;
}

/** Probability as a bar, with a tick at what is usual. */
function probabilityBar(probability: number, baseRate: number, outcome: string): SafeHtml {
  const tick = Math.min(baseRate * BAR_WIDTH, BAR_WIDTH - 2);
  return html`<svg
    class="bar"
    viewBox="0 0 ${BAR_WIDTH} 12"
    role="img"
    aria-label="predicted ${percent(probability)}, usual ${percent(baseRate)}"
  >
    <rect class="track" y="2" width="${BAR_WIDTH}" height="8" rx="4" />
    <rect
      class="span ${outcome}"
      y="2"
      width="${(Math.max(probability, 0.05) * BAR_WIDTH).toFixed(1)}"
      height="8"
      rx="4"
    />
    <rect class="tick" x="${tick.toFixed(1)}" width="2" height="12" />
  </svg>`;
}
