import type { Scorecard } from '../../core/messages.js';
import { amount, mediaTime, percent, score, skill } from '../wording.js';
import { html, type SafeHtml } from './html.js';
import { predictionText, typeName } from './page-timeline.js';
import type { ReportData, ReportedPrediction } from './report-data.js';

const CALLS_SHOWN = 5;
/** The reliability diagram: a square plot with a histogram under it, in its own units. */
const PLOT = { left: 42, top: 8, size: 250, histogram: 44, gap: 26 };

/** Quality of the probabilities: reliability, scores by kind, and the calls that stand out. */
export function qualitySection(data: ReportData): SafeHtml {
  const card = data.scorecard;
  return html`<section id="quality">
    <h2>How good the probabilities were</h2>
    ${card === undefined || card.n === 0 ? html`<p class="dim">No forecast could be checked.</p>` : scored(card)}
    ${ranking(data)}
  </section>`;
}

function scored(card: Scorecard): SafeHtml {
  return html`<div class="quality">
    <figure class="small">
      ${reliabilityDiagram(card.reliability)}
      <figcaption class="dim">
        Reliability: predicted probability against observed frequency. Points on the line are calibrated. The
        columns count forecasts.
      </figcaption>
    </figure>
    <div>
      ${scoreTable(card)}
      <p class="note">
        From ${mediaTime(card.window.from)} to ${mediaTime(card.window.to)}. Brier: mean squared error, 0 is
        perfect. Skill: the part of the error of always saying the usual rate that is gone. ECE: distance from
        the line. AP: how well likelier things come first
        (ranking).${card.medianLeadTime !== null && ` The median lead time of correct predictions was ${amount(card.medianLeadTime)} s.`}
      </p>
    </div>
  </div>`;
}

function scoreTable(card: Scorecard): SafeHtml {
  const types = Object.entries(card.byType).sort(([a, x], [b, y]) => y.n - x.n || (a < b ? -1 : 1));
  const positives = types.reduce((sum, [, one]) => sum + one.positives, 0);
  const rows = [['all', { ...card, positives }] as const, ...types];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Scores by kind of event">
    <table>
      <thead>
        <tr>
          <th scope="col">kind</th>
          <th scope="col">forecasts</th>
          <th scope="col">happened</th>
          <th scope="col">Brier</th>
          <th scope="col">skill</th>
          <th scope="col">ECE</th>
          <th scope="col">AP</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, one]) =>
            html`<tr>
              <td>${typeName(name)}</td>
              <td>${one.n}</td>
              <td>${one.positives}</td>
              <td>${score(one.brier)}</td>
              <td class="${one.skill === null ? '' : one.skill > 0 ? 'hit' : 'miss'}">${skill(one.skill)}</td>
              <td>${score(one.ece)}</td>
              <td>${score(one.ap, 2)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** SVG of predicted probability against observed frequency, with the counts. */
function reliabilityDiagram(bins: Scorecard['reliability']): SafeHtml {
  const { left, top, size, histogram, gap } = PLOT;
  const most = Math.max(...bins.map((bin) => bin.n), 1);
  const base = top + size + gap + histogram;
  const x = (p: number): string => (left + p * size).toFixed(1);
  const y = (p: number): string => (top + (1 - p) * size).toFixed(1);
  const sorted = bins.filter((bin) => bin.n > 0).sort((a, b) => a.p - b.p);
  const words = sorted
    .map((bin) => `predicted ${percent(bin.p)}, happened ${percent(bin.observed)}, ${bin.n} forecasts`)
    .join('; ');
  return html`<svg
    class="reliability"
    viewBox="0 0 ${left + size + 24} ${base + 8}"
    role="img"
    aria-label="Reliability diagram: ${words}"
  >
    <rect class="frame" x="${left}" y="${top}" width="${size}" height="${size}" />
    <line class="ideal" x1="${left}" y1="${top + size}" x2="${left + size}" y2="${top}" />
    ${[0, 0.5, 1].map(
      (p) =>
        html`<text x="${x(p)}" y="${top + size + 13}" text-anchor="middle">${percent(p)}</text
          ><text x="${left - 5}" y="${(Number(y(p)) + 3.5).toFixed(1)}" text-anchor="end"
            >${percent(p)}</text
          >`,
    )}
    <polyline class="path" points="${sorted.map((bin) => `${x(bin.p)},${y(bin.observed)}`).join(' ')}" />
    ${sorted.map((bin) => {
      const height = Math.max((bin.n / most) * (histogram - 12), 1);
      return html`<circle
          class="dot"
          cx="${x(bin.p)}"
          cy="${y(bin.observed)}"
          r="${(3 + 5 * Math.sqrt(bin.n / most)).toFixed(1)}"
          ><title>predicted ${percent(bin.p)}, happened ${percent(bin.observed)} of ${bin.n}</title></circle
        ><rect
          class="column"
          x="${(Number(x(bin.p)) - 8).toFixed(1)}"
          y="${(base - height).toFixed(1)}"
          width="16"
          height="${height.toFixed(1)}"
        /><text class="n" x="${x(bin.p)}" y="${(base - height - 3).toFixed(1)}">${bin.n}</text>`;
    })}
  </svg>`;
}

interface Call {
  readonly one: ReportedPrediction;
  readonly index: number;
  /** Bits by which it was better, or worse, than what is usual. */
  readonly bits: number;
}

function ranking(data: ReportData): SafeHtml | undefined {
  const calls = [...data.predictions.values()].map((one, index) => ({ one, index, bits: gain(one) }));
  const best = calls
    .filter(({ one, bits }) => one.outcome === 'hit' && bits > 0)
    .sort((a, b) => b.bits - a.bits || a.index - b.index);
  const worst = calls
    .filter(({ one, bits }) => one.outcome === 'miss' && bits < 0)
    .sort((a, b) => a.bits - b.bits || a.index - b.index);
  if (best.length + worst.length === 0) return undefined;
  return html`<div class="calls">
    <div>
      <h3>Boldest calls that came true</h3>
      ${callList(best, data)}
    </div>
    <div>
      <h3>Surest calls that did not</h3>
      ${callList(worst, data)}
    </div>
  </div>`;
}

function callList(calls: readonly Call[], data: ReportData): SafeHtml {
  if (calls.length === 0) return html`<p class="dim small">none</p>`;
  return html`<ol>
    ${calls.slice(0, CALLS_SHOWN).map(
      ({ one, index, bits }) =>
        html`<li>
          <a href="#prediction-${index + 1}">${predictionText(one, data)}</a>
          <span class="dim small"
            >predicted ${percent(one.prediction.probability)}, usual ${percent(one.prediction.baseRate)},
            ${bits > 0 ? '+' : '−'}${Math.abs(bits).toFixed(1)} bit</span
          >
        </li>`,
    )}
  </ol>`;
}

/** Logarithmic score against that of the base rate, bits (Good 1952). */
function gain({ prediction, outcome }: ReportedPrediction): number {
  const bounded = (p: number): number => Math.min(Math.max(p, 1e-3), 1 - 1e-3);
  const [predicted, usual] = [bounded(prediction.probability), bounded(prediction.baseRate)];
  if (outcome === 'hit') return Math.log2(predicted / usual);
  return outcome === 'miss' ? Math.log2((1 - predicted) / (1 - usual)) : 0;
}
