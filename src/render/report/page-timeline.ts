import type { EventType } from '../../core/ontology.js';
import { EVENT_TYPES } from '../../core/ontology.js';
import { objectPhrase } from '../../core/text/object-names.js';
import { colorOf } from '../../core/image/object-colors.js';
import { mediaTime, observedClause, outcomeClause, percent, predictedClause } from '../wording.js';
import { html, type SafeHtml } from './html.js';
import type { ReportData, ReportedEvent, ReportedPrediction } from './report-data.js';

const LANE = 26;
const AXIS = 22;
/** Lanes of objects beyond this number are left out, those with the fewest events first. */
const MAX_OBJECT_LANES = 40;
/** Marks of one lane; further ones would only cover each other. */
const MAX_MARKS = 600;
const TICKS_WANTED = 8;
const TICK_STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800];

type Category = 'coming' | 'going' | 'meeting' | 'impact' | 'place' | 'motion';
const CATEGORY: Readonly<Record<EventType, Category>> = {
  enter: 'coming',
  appear: 'coming',
  exit: 'going',
  disappear: 'going',
  start_moving: 'motion',
  stop: 'motion',
  turn: 'motion',
  loiter: 'motion',
  meet: 'meeting',
  separate: 'meeting',
  approach: 'meeting',
  follow: 'meeting',
  pick_up: 'meeting',
  put_down: 'meeting',
  collide: 'impact',
  fall: 'impact',
  zone_enter: 'place',
  zone_leave: 'place',
  line_cross: 'place',
};
const LEGEND: readonly (readonly [Category, string])[] = [
  ['coming', 'comes'],
  ['going', 'goes'],
  ['meeting', 'between objects'],
  ['motion', 'motion'],
  ['place', 'places'],
  ['impact', 'collision or fall'],
];

const OUTCOME_LANES: readonly (readonly [string, readonly ReportedPrediction['outcome'][]])[] = [
  ['✓ came true', ['hit']],
  ['✗ did not', ['miss']],
  ['not checked', ['void', 'open']],
];

interface Lane {
  readonly name: string;
  readonly marks: readonly SafeHtml[];
}

/** `start_moving` → `start moving` */
export function typeName(type: string): string {
  return type.replaceAll('_', ' ');
}

/** Two charts over media time, one lane an object and one lane a kind of event; every mark leads to its entry. */
export function timelineSection(data: ReportData, duration: number): SafeHtml {
  const events = data.eventsByTime();
  const objects = objectLanes(data, events, duration);
  const predictions = predictionLanes(data, duration);
  const kinds = [...kindLanes(events, duration), ...predictions];
  const left = data.presences.size - objects.length;
  return html`<section id="timeline" class="lanes">
    <h2>Timeline</h2>
    <input type="radio" name="lanes" id="by-object" checked /><label for="by-object">by object</label>
    <input type="radio" name="lanes" id="by-kind" /><label for="by-kind">by kind</label>
    ${chart('objects', 'Events by object', [...objects, ...predictions], duration)}
    ${chart('kinds', 'Events by kind', kinds, duration)}
    <ul class="legend">
      ${LEGEND.map(
        ([category, text]) =>
          html`<li>
            <svg aria-hidden="true"><circle class="mark ${category}" cx="5.5" cy="5.5" r="5.5" /></svg>${text}
          </li>`,
      )}
    </ul>
    ${left > 0 && html`<p class="note">${left} objects with fewer events are not shown here.</p>`}
  </section>`;
}

function chart(name: string, title: string, lanes: readonly Lane[], duration: number): SafeHtml {
  const height = Math.max(lanes.length, 1) * LANE;
  const ticks = axisTicks(duration);
  return html`<div class="chart ${name}">
    <ul>
      ${lanes.map((lane) => html`<li title="${lane.name}">${lane.name}</li>`)}
    </ul>
    <svg height="${height + AXIS}" role="group" aria-label="${title}">
      ${ticks.map((t) => {
        const at = share(t, duration);
        const edge = t === 0 ? ' first' : t > duration * 0.97 ? ' last' : '';
        return html`<line class="grid" x1="${at}" x2="${at}" y1="0" y2="${height}" /><text
            class="axis${edge}"
            x="${at}"
            y="${height + 16}"
            >${tickLabel(t)}</text
          >`;
      })}
      ${lanes.map((lane, index) => {
        const y = index * LANE + LANE / 2;
        return html`<g transform="translate(0 ${y})"
          ><line class="lane" x1="0" x2="100%" y1="0" y2="0" />${lane.marks.slice(0, MAX_MARKS)}</g
        >`;
      })}
    </svg>
  </div>`;
}

function objectLanes(data: ReportData, events: readonly ReportedEvent[], duration: number): Lane[] {
  const byObject = new Map<string, SafeHtml[]>();
  events.forEach((reported, index) => {
    for (const { id } of reported.event.participants) {
      const marks = byObject.get(id) ?? [];
      marks.push(mark(reported, index, duration));
      byObject.set(id, marks);
    }
  });
  const known = [...data.presences.values()];
  return known
    .map((one) => ({ one, marks: byObject.get(one.id) ?? [] }))
    .sort((a, b) => b.marks.length - a.marks.length)
    .slice(0, MAX_OBJECT_LANES)
    .sort((a, b) => a.one.from - b.one.from)
    .map(({ one, marks }) => ({ name: objectPhrase(one), marks: [presence(one, duration), ...marks] }));
}

function presence(one: { id: string; from: number; to: number }, duration: number): SafeHtml {
  const width = share(Math.max(one.to - one.from, 0), duration);
  return html`<rect
    x="${share(one.from, duration)}"
    y="-5"
    width="${width}"
    height="10"
    rx="5"
    fill="${colorOf(one.id)}"
    opacity=".55"
    ><title>in view ${mediaTime(one.from)} to ${mediaTime(one.to)}</title></rect
  >`;
}

function kindLanes(events: readonly ReportedEvent[], duration: number): Lane[] {
  return EVENT_TYPES.flatMap((type) => {
    const marks = events.flatMap((one, index) =>
      one.event.type === type ? [mark(one, index, duration)] : [],
    );
    return marks.length === 0 ? [] : [{ name: typeName(type), marks }];
  });
}

function mark({ event }: ReportedEvent, index: number, duration: number): SafeHtml {
  const radius = CATEGORY[event.type] === 'impact' ? 6.5 : 5.5;
  return html`<a href="#event-${index + 1}"
    ><circle class="mark ${CATEGORY[event.type]}" cx="${share(event.t, duration)}" cy="0" r="${radius}"
      ><title>${mediaTime(event.t)} ${observedClause(event)}</title></circle
    ></a
  >`;
}

/** Predictions by what became of them, where they were made; the fainter, the less probable. */
function predictionLanes(data: ReportData, duration: number): Lane[] {
  const all = [...data.predictions.values()];
  return OUTCOME_LANES.flatMap(([name, outcomes]) => {
    const marks = all.flatMap((one, index) =>
      outcomes.includes(one.outcome) ? [predictionMark(one, index, data, duration)] : [],
    );
    return marks.length === 0 ? [] : [{ name, marks }];
  });
}

function predictionMark(
  one: ReportedPrediction,
  index: number,
  data: ReportData,
  duration: number,
): SafeHtml {
  const { probability, issuedAt } = one.prediction;
  const title = `${mediaTime(issuedAt)} predicted ${percent(probability)}: ${predictionText(one, data)}`;
  const strength = (0.35 + 0.65 * probability).toFixed(2);
  return html`<a href="#prediction-${index + 1}"
    ><circle
      class="mark span ${one.outcome}"
      cx="${share(issuedAt, duration)}"
      cy="0"
      r="5.5"
      opacity="${strength}"
    >
      <title>${title}</title>
    </circle></a
  >`;
}

/** A prediction and its outcome as one clause. */
export function predictionText(
  { prediction, outcome }: Pick<ReportedPrediction, 'prediction' | 'outcome'>,
  { names }: ReportData,
): string {
  return outcome !== 'open' && 'outcome' in prediction
    ? outcomeClause(prediction, names)
    : predictedClause(prediction.event, names);
}

/** Round times from 0 to the duration, s. */
export function axisTicks(duration: number): number[] {
  const step =
    TICK_STEPS.find((one) => duration / one <= TICKS_WANTED) ??
    Math.ceil(duration / TICKS_WANTED / 3600) * 3600;
  const count = Math.floor(duration / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

function tickLabel(t: number): string {
  return t < 60 ? `${t}s` : mediaTime(t).replace(/\.0$/, '');
}

function share(t: number, duration: number): string {
  return `${((100 * Math.min(Math.max(t, 0), duration)) / duration).toFixed(2)}%`;
}
