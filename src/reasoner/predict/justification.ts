import { boxGap, scaleBox } from '../../core/maths/box.js';
import type { EventObserved, ForecastItem, ObservedEvent, Prediction } from '../../core/messages.js';
import { BORDER_BAND, SAMPLE_HZ, type EventType } from '../../core/ontology.js';
import { objectName } from '../../core/text/object-names.js';
import type { MemorySnapshot, ObjectRecord, ObjectSample } from '../../core/memory.js';
import { EventGraph } from '../explain/rules/event-graph.js';
import { MemoryIndex } from '../explain/memory-index.js';
import { clauseOf } from '../explain/rules/wording.js';

type Justification = Prediction['justification'];

/** Events of the past that are named at most. */
const MAX_EVENTS = 3;
/** An event of the past happened "here" within this distance, body heights. */
const NEARBY_H = 2;
/** An event that would account for the item less well than this is not named. */
const MIN_PLAUSIBLE = 0.2;

interface Seen {
  readonly record: ObjectRecord;
  readonly sample: ObjectSample;
}

/** Why an item is thought likely, in plain words, from what memory shows of its objects. */
export function justify(item: ForecastItem, snapshot: MemorySnapshot): Justification {
  const seen = item.participants.flatMap((id): Seen[] => {
    const record = snapshot.objects.find((o) => o.id === id);
    const sample = record?.samples.at(-1);
    return record && sample ? [{ record, sample }] : [];
  });
  const past = similarEvents(item, seen[0], snapshot);
  const lead = leadingEvent(item, snapshot);
  const parts = [
    ...wordsOf(item, seen, snapshot),
    ...(lead ? [`${(snapshot.t - lead.t).toFixed(1)} s ago ${clauseOf(lead)}`] : []),
    ...pastWords(item.type, past),
  ];
  const cited = past.map((e) => e.event.id).filter((id) => id !== lead?.id);
  return {
    text: parts.length > 0 ? parts.join('; ') : 'by the base rate of this camera',
    events: lead ? [...cited.slice(1 - MAX_EVENTS), lead.id] : cited.slice(-MAX_EVENTS),
    objects: [...item.participants],
  };
}

/** The recent event that would best account for the item if it came true now; undefined where none would well. */
function leadingEvent(item: ForecastItem, snapshot: MemorySnapshot): ObservedEvent | undefined {
  const index = new MemoryIndex(snapshot);
  const participants = item.participants.flatMap((id) => {
    const record = index.record(id);
    return record
      ? [{ id, label: record.label, box: [...record.box] as [number, number, number, number] }]
      : [];
  });
  const expected = { id: '', type: item.type, participants, t: snapshot.t, confidence: 1 };
  const [link] = new EventGraph(index).antecedents(expected);
  const tells = link && link.rule.relation !== 'enables' && link.plausibility >= MIN_PLAUSIBLE;
  return tells ? link.cause : undefined;
}

function wordsOf(item: ForecastItem, [a, b]: readonly Seen[], snapshot: MemorySnapshot): string[] {
  if (!a) return [];
  switch (item.type) {
    case 'exit':
      return exitWords(a, snapshot);
    case 'stop':
      return stopWords(a);
    case 'turn':
      return turnWords(a);
    case 'start_moving':
      return [`has stood for ${seconds(stoodFor(a.record.samples))}`];
    case 'loiter':
      return [`has moved no more than ${number(reachOf(a, 3))} body heights in the last 3 s`];
    case 'zone_enter':
    case 'zone_leave':
    case 'line_cross':
      return [`moving at ${speedText(a)} near “${item.zone ?? ''}”`];
    case 'meet':
    case 'collide':
      return b ? pairWords(item.type, a, b) : [];
    default:
      return [];
  }
}

const BORDERS = ['left', 'right', 'top', 'bottom'] as const;

function exitWords({ record, sample }: Seen, { width, height }: MemorySnapshot): string[] {
  const [x, y, w, h] = sample.box;
  const [vx, vy] = sample.velocity ?? [0, 0];
  // Way of the box's centre to each border and the speed towards it.
  const ways = [x + w / 2, width - x - w / 2, y + h / 2, height - y - h / 2];
  const speeds = [-vx, vx, -vy, vy];
  const times = ways.map((way, i) => ((speeds[i] ?? 0) > 0 ? Math.max(way, 0) / (speeds[i] ?? 1) : Infinity));
  const soonest = Math.min(...times);
  if (!Number.isFinite(soonest))
    return [touches(record) ? 'stands at the border of the picture' : 'is near the border'];
  const border = BORDERS[times.indexOf(soonest)] ?? 'near';
  return [
    `heading for the ${border} border at ${speedText({ record, sample })}, about ${seconds(soonest)} away`,
  ];
}

function touches({ box: [x, y, w, h] }: ObjectRecord): boolean {
  return Math.min(x, y, 1 - x - w, 1 - y - h) <= BORDER_BAND;
}

function stopWords({ record, sample }: Seen): string[] {
  const before = record.samples[record.samples.length - 1 - SAMPLE_HZ]?.speed;
  if (before !== undefined && sample.speed !== undefined && before - sample.speed > 0.1)
    return [`slowed from ${number(before)} to ${number(sample.speed)} body heights/s within 1 s`];
  return [`moving at ${speedText({ record, sample })}`];
}

function turnWords({ record, sample }: Seen): string[] {
  const before = record.samples[record.samples.length - 1 - SAMPLE_HZ / 2]?.velocity;
  const now = sample.velocity;
  if (!before || !now) return [];
  const cross = before[0] * now[1] - before[1] * now[0];
  const dot = before[0] * now[0] + before[1] * now[1];
  const degrees = Math.round(Math.abs(Math.atan2(cross, dot)) * (180 / Math.PI));
  return [`its heading changed by ${degrees}° in the last half second at ${speedText({ record, sample })}`];
}

function pairWords(type: EventType, a: Seen, b: Seen): string[] {
  const h = (a.sample.height + b.sample.height) / 2;
  const dx = b.sample.position[0] - a.sample.position[0];
  const dy = b.sample.position[1] - a.sample.position[1];
  const wx = (b.sample.velocity?.[0] ?? 0) - (a.sample.velocity?.[0] ?? 0);
  const wy = (b.sample.velocity?.[1] ?? 0) - (a.sample.velocity?.[1] ?? 0);
  const gap = type === 'collide' ? boxGap(a.sample.box, b.sample.box) / h : Math.hypot(dx, dy) / h;
  const closing = -(dx * wx + dy * wy) / Math.max(Math.hypot(dx, dy), 1e-9) / h;
  const names = `${objectName(a.record.id)} and ${objectName(b.record.id)}`;
  if (closing <= 0) return [`${names} are ${number(gap)} body heights apart`];
  const when = -(dx * wx + dy * wy) / Math.max(wx * wx + wy * wy, 1e-9);
  return [
    `${names} are ${number(gap)} body heights apart and closing at ${number(closing)} body heights/s, ` +
      `nearest in about ${seconds(when)}`,
  ];
}

/** Events of the type near the first object's place, oldest first. */
function similarEvents(
  item: ForecastItem,
  first: Seen | undefined,
  snapshot: MemorySnapshot,
): readonly EventObserved[] {
  if (!first) return [];
  const limit = NEARBY_H * first.sample.height;
  return snapshot.events.filter(({ event }) => {
    if (event.type !== item.type || event.zone !== item.zone) return false;
    const box = event.participants[0]?.box;
    if (!box) return false;
    const [x, y, w, h] = scaleBox(box, snapshot.width, snapshot.height);
    const [cx, cy] = [
      first.sample.box[0] + first.sample.box[2] / 2,
      first.sample.box[1] + first.sample.box[3] / 2,
    ];
    return Math.hypot(x + w / 2 - cx, y + h / 2 - cy) <= limit;
  });
}

const DONE: Readonly<Partial<Record<EventType, string>>> = {
  exit: 'left here',
  stop: 'stopped here',
  start_moving: 'started here',
  turn: 'turned here',
  meet: 'met here',
  collide: 'collided here',
  loiter: 'loitered here',
};

function pastWords(type: EventType, past: readonly EventObserved[]): string[] {
  const done = DONE[type] ?? 'did so here';
  if (past.length === 0) return [];
  return [past.length === 1 ? `one ${done} before` : `${past.length} ${done} before`];
}

function stoodFor(samples: readonly ObjectSample[]): number {
  const moved = samples.findLastIndex((s) => s.speed === undefined || s.speed >= 0.15);
  const [from, to] = [samples[moved + 1], samples.at(-1)];
  return from && to ? to.t - from.t : 0;
}

/** Largest distance from where it is now within the last seconds, body heights. */
function reachOf({ record, sample }: Seen, span: number): number {
  const recent = record.samples.slice(-span * SAMPLE_HZ - 1);
  const [x, y] = sample.position;
  return Math.max(...recent.map((s) => Math.hypot(s.position[0] - x, s.position[1] - y))) / sample.height;
}

function speedText({ sample }: Seen): string {
  return `${number(sample.speed ?? 0)} body heights/s`;
}

function seconds(value: number): string {
  return `${number(value)} s`;
}

function number(value: number): string {
  return value.toFixed(1);
}
