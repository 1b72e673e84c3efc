import { ownValue } from '../../core/own-value.js';
import type { Box } from '../../core/maths/box.js';
import { toPresageError } from '../../core/errors.js';
import { MAX_INSPECTION_S, type InspectionRequest } from '../../core/inspection.js';
import type { ReportedInspection } from '../../core/messages.js';
import { objectPhrase } from '../../core/text/object-names.js';
import type { Span } from '../../core/records/records.js';
import { ToolBox } from '../tools/tool-box.js';
import { unknownEvent } from './answer-scene.js';
import { subjectPhrase, whoIs } from './occurrences.js';
import { AROUND_S } from '../parser/periods.js';
import { clockTime, joinSome, sentence } from './phrasing.js';
import { boxAt } from '../places.js';
import type { InspectionQuery } from '../query.js';
import { ABSENCE, type Recollection, type Reply } from '../recollection.js';

const MAX_NAMED = 12;
/** Room around an object or a zone that is looked at, as a part of its size on each side. */
const ROOM = 0.5;
/** Least part of the frame that is looked at around something, along each side. */
const MIN_PART = 0.1;

/** What the pictures show, looked at again; where they are gone, what memory holds of it. Names what memory knows. */
export async function answerInspection(memory: Recollection, query: InspectionQuery): Promise<Reply> {
  const { video, now, queries } = memory;
  const [event] = query.event === undefined ? [] : queries.events({ ids: [query.event] });
  if (query.event !== undefined && event === undefined) return unknownEvent(query.event);
  const span = spanOf(query, event?.event.t, memory, video?.extent);
  const where = regionOf(query, (span.from + span.to) / 2, memory);
  if (where === undefined) {
    const whom = subjectPhrase(memory, query.who);
    return {
      text: sentence(`I do not know where ${whom} was at ${clockTime(span.from)}`),
      evidence: [],
      confidence: ABSENCE,
    };
  }
  const request: InspectionRequest = { ...span, ...(where.box && { region: where.box }) };
  try {
    const looks = await new ToolBox({ queries, now, video }).inspect(request);
    return told(memory, query, looks, where.said);
  } catch (thrown) {
    const { code, message } = toPresageError(thrown);
    if (code !== 'not_kept' && code !== 'overloaded') throw thrown;
    return fromMemory(memory, request, where.said, message);
  }
}

/** A moment, or a span that is short enough. */
function spanOf(
  { period }: InspectionQuery,
  eventT: number | undefined,
  { now }: Recollection,
  extent: Span | undefined,
): Span {
  if (eventT !== undefined && period === undefined) return { from: eventT, to: eventT };
  if (period === undefined || period.said === 'now') {
    const t = extent ? Math.min(Math.max(now, extent.from), extent.to) : now;
    return { from: t, to: t };
  }
  const from = Math.max(period.from, extent?.from ?? 0, 0);
  const to = Math.min(period.to, extent?.to ?? now);
  const moment = (period.from + period.to) / 2;
  // `at 12.3 s`: one moment, not what lies around it. What is not kept is said so by the looker.
  if (period.to - period.from <= 2 * AROUND_S + 1e-6 || from > to) {
    const t = Math.max(Number.isFinite(moment) ? moment : Math.min(period.to, period.from), 0);
    return { from: t, to: t };
  }
  return { from: Math.max(from, to - MAX_INSPECTION_S), to };
}

interface Where {
  /** Fractions of the frame; undefined for all of it. */
  readonly box: Box | undefined;
  readonly said: string;
}

/** Undefined when it is not known where that was. */
function regionOf(query: InspectionQuery, t: number, memory: Recollection): Where | undefined {
  const { region, place, who } = query;
  const { places, queries } = memory;
  if (region) return region;
  if (place !== undefined) {
    const points = ownValue(places.zones, place) ?? ownValue(places.lines, place) ?? [];
    return points.length === 0
      ? undefined
      : { box: grown(points.map(([x, y]) => [x, y, 0, 0])), said: `near “${place}”` };
  }
  if (who.ids.length > 0) {
    const objects = queries.objects({ ids: who.ids });
    const boxes = objects.map(({ path }) => boxAt(path, t)).filter((box) => box !== undefined);
    return boxes.length === 0
      ? undefined
      : { box: grown(boxes), said: `around ${subjectPhrase(memory, who)}` };
  }
  const participants =
    query.event === undefined ? [] : (queries.events({ ids: [query.event] })[0]?.event.participants ?? []);
  if (participants.length > 0) {
    const names = joinSome(participants.map(objectPhrase), MAX_NAMED);
    return { box: grown(participants.map(({ box }) => box)), said: `around ${names}` };
  }
  return { box: undefined, said: 'in view' };
}

/** What holds all the boxes, with room around it, inside the frame. */
function grown(boxes: readonly Box[]): Box {
  const side = (low: number, high: number): [number, number] => {
    const half = Math.min(Math.max((high - low) * (0.5 + ROOM), MIN_PART / 2), 0.5);
    const centre = Math.min(Math.max((low + high) / 2, half), 1 - half);
    return [centre - half, 2 * half];
  };
  const [x, w] = side(
    Math.min(...boxes.map((box) => box[0])),
    Math.max(...boxes.map((box) => box[0] + box[2])),
  );
  const [y, h] = side(
    Math.min(...boxes.map((box) => box[1])),
    Math.max(...boxes.map((box) => box[1] + box[3])),
  );
  return [Math.max(x, 0), Math.max(y, 0), Math.min(w, 1), Math.min(h, 1)];
}

function told(
  memory: Recollection,
  { who }: InspectionQuery,
  looks: readonly ReportedInspection[],
  where: string,
): Reply {
  const names = new Map<string, number>();
  const known = new Set<string>();
  for (const { found } of looks) {
    for (const { label, score, object } of found) {
      if (who.labels && !who.labels.includes(label)) continue;
      if (object !== undefined) known.add(object);
      const name = object === undefined ? label : objectPhrase(whoIs(memory, object));
      names.set(name, Math.max(names.get(name) ?? 0, score));
    }
  }
  const [first, last] = [looks[0]?.t ?? memory.now, looks.at(-1)?.t ?? memory.now];
  const at =
    looks.length > 1
      ? `from ${clockTime(first)} to ${clockTime(last)}, in ${looks.length} pictures`
      : `at ${clockTime(first)}`;
  const best = [...names].sort((a, b) => b[1] - a[1]);
  const seen =
    best.length === 0
      ? `nothing that I recognise${who.labels ? ` as ${who.labels.join(' or ')}` : ''}`
      : joinSome(
          best.map(([name, score]) => `${name} (${Math.round(score * 100)} %)`),
          MAX_NAMED,
        );
  return {
    text: sentence(`Looking again ${where} ${at}, I see ${seen}`),
    evidence: [{ objects: [...known], events: [], from: first, to: last }],
    confidence: best.length === 0 ? ABSENCE : (best.at(-1)?.[1] ?? ABSENCE),
    inspections: looks,
  };
}

/** The pictures are gone: what memory holds of the place and time. */
function fromMemory(
  memory: Recollection,
  { from, to, region }: InspectionRequest,
  where: string,
  why: string,
): Reply {
  const found = memory.queries.objects({ span: { from, to }, ...(region && { place: { box: region } }) });
  const names = joinSome(found.map(objectPhrase), MAX_NAMED);
  const held = found.length === 0 ? 'I remember nothing' : `I remember ${names}`;
  return {
    text: `${sentence(why)} ${sentence(`${held} ${where} then`)}`,
    evidence: found.map(({ id }) => ({ objects: [id], events: [], from, to })),
    confidence: ABSENCE,
  };
}
