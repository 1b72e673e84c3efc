import { boxGap, iou, scaleBox, type Box } from '../../core/maths/box.js';
import { toPresageError } from '../../core/errors.js';
import type { VideoInspector } from '../../core/inspection.js';
import type { ObservedEvent, ReportedInspection } from '../../core/messages.js';
import type { EventType } from '../../core/ontology.js';
import { RecordQueries } from '../../core/records/query.js';
import type { MemorySnapshot } from '../../core/memory.js';
import { recordsOfSnapshot } from './snapshot-records.js';
import { ToolBox } from './tool-box.js';

/** Something that was beside a participant just before an event and that memory knows nothing of. */
export interface UnknownCause {
  /** What the detector calls it; `object` where only its motion shows it. */
  readonly label: string;
  /** Of its surest sight, 0–1. */
  readonly score: number;
  /** The participant that it was nearest to. */
  readonly beside: string;
  /** Where it was, oldest first, fractions of the frame; at least two. */
  readonly evidence: readonly { readonly t: number; readonly box: Box; readonly image?: string }[];
  /** All that was looked at for it. */
  readonly looks: readonly ReportedInspection[];
}

/** Events that something may have brought about by touching a participant. */
const BROUGHT_ABOUT: ReadonlySet<EventType> = new Set<EventType>([
  'start_moving',
  'collide',
  'turn',
  'stop',
  'fall',
]);
/** Looked at: from so long before the event to just after it, s. */
const BEFORE_S = 1.2;
const AFTER_S = 0.2;
/** Room around the participants, as a share of their extent on each side. */
const ROOM = 1;
/** How near it must come, in mean sizes of the two. */
const NEAR = 0.5;
/** Less sure findings are too often nothing. */
const MIN_SCORE = 0.5;
/** Sights of one thing in two pictures: it changes its size by no more than this factor and goes no farther than this in sizes. */
const SIZE_FACTOR = 1.6;
const FARTHEST = 4;
/** What covers a participant by this share, or lies in one, is a part of it. */
const PART_SHARE = 0.5;

/**
 * Looks at the moments before an event again, around its participants, for something that the tracker missed: a finding
 * that is no object of memory, came near a participant and shows in at least two pictures. Undefined when there is none,
 * the type is none that something brings about, or the video is not kept.
 *
 * @throws PresageError `interrupted`, `inference_failed`, `worker_crashed` (retryable)
 */
export async function lookForCause(
  event: ObservedEvent,
  snapshot: MemorySnapshot,
  video: VideoInspector,
  signal?: AbortSignal,
): Promise<UnknownCause | undefined> {
  if (!BROUGHT_ABOUT.has(event.type)) return undefined;
  const region = around(event.participants.map(({ box }) => box));
  const queries = new RecordQueries(recordsOfSnapshot(snapshot));
  const box = new ToolBox({ queries, now: snapshot.t, video });
  const span = { from: Math.max(event.t - BEFORE_S, 0), to: event.t + AFTER_S };
  let looks: ReportedInspection[];
  try {
    looks = await box.inspect({ ...span, region }, signal);
  } catch (thrown) {
    const error = toPresageError(thrown);
    if (error.code === 'not_kept' || error.code === 'overloaded') return undefined;
    throw error;
  }
  const [sx, sy] = [snapshot.width, snapshot.height];
  const sights = looks.flatMap((look) => sightsIn(look, event, sx, sy));
  const near = sights.filter(({ gap }) => gap <= NEAR).sort((a, b) => a.gap - b.gap || b.score - a.score);
  for (const sight of near) {
    const others = sights.filter((other) => other.look !== sight.look && isSame(sight, other));
    if (others.length > 0) return causeOf(sight, others, looks);
  }
  return undefined;
}

/** One finding that memory does not know. */
interface Sight {
  readonly look: ReportedInspection;
  readonly label: string;
  readonly score: number;
  /** Fractions of the frame. */
  readonly box: Box;
  /** px */
  readonly px: Box;
  readonly beside: string;
  /** To the nearest participant, in mean sizes. */
  readonly gap: number;
}

function sightsIn(look: ReportedInspection, event: ObservedEvent, sx: number, sy: number): Sight[] {
  const participants = event.participants.map(({ id, box }) => {
    // Where it is seen in this picture; it moves, so the event's own box may be elsewhere.
    const seen = look.found.find(({ object }) => object === id);
    return { id, px: scaleBox(seen?.box ?? box, sx, sy) };
  });
  return look.found.flatMap(({ label, score, box, object }): Sight[] => {
    const px = scaleBox(box, sx, sy);
    if (object !== undefined || score < MIN_SCORE) return [];
    if (participants.some((one) => isPart(px, one.px))) return [];
    const gaps = participants.map(({ id, px: other }) => ({
      id,
      gap: boxGap(px, other) / meanSize(px, other),
    }));
    gaps.sort((a, b) => a.gap - b.gap);
    const [nearest] = gaps;
    return nearest ? [{ look, label, score, box, px, beside: nearest.id, gap: nearest.gap }] : [];
  });
}

function causeOf(sight: Sight, others: readonly Sight[], looks: readonly ReportedInspection[]): UnknownCause {
  // One sight for each picture: the one that is most like the nearest.
  const byAppearance = new Map<ReportedInspection, Sight>([[sight.look, sight]]);
  for (const other of others) {
    const known = byAppearance.get(other.look);
    if (!known || (known !== sight && iou(other.px, sight.px) > iou(known.px, sight.px)))
      byAppearance.set(other.look, other);
  }
  const all = [...byAppearance.values()].sort((a, b) => a.look.t - b.look.t);
  const surest = all.reduce((a, b) => (b.score > a.score ? b : a));
  return {
    label: surest.label,
    score: surest.score,
    beside: sight.beside,
    evidence: all.map(({ look: { t, image }, box }) => ({ t, box, ...(image !== undefined && { image }) })),
    looks,
  };
}

function isSame(a: Sight, b: Sight): boolean {
  const factor = size(a.px) / size(b.px);
  if (factor > SIZE_FACTOR || factor < 1 / SIZE_FACTOR || a.label !== b.label) return false;
  return boxGap(a.px, b.px) / meanSize(a.px, b.px) <= FARTHEST;
}

function isPart(px: Box, whole: Box): boolean {
  const width = Math.min(px[0] + px[2], whole[0] + whole[2]) - Math.max(px[0], whole[0]);
  const height = Math.min(px[1] + px[3], whole[1] + whole[3]) - Math.max(px[1], whole[1]);
  if (width <= 0 || height <= 0) return false;
  return width * height >= PART_SHARE * Math.min(px[2] * px[3], whole[2] * whole[3]);
}

function around(boxes: readonly Box[]): Box {
  const side = (low: number, high: number): [number, number] => {
    const room = Math.max(ROOM * (high - low), 0.02);
    const from = Math.max(low - room, 0);
    return [from, Math.min(high + room, 1) - from];
  };
  const [x, w] = side(
    Math.min(...boxes.map((one) => one[0])),
    Math.max(...boxes.map((one) => one[0] + one[2])),
  );
  const [y, h] = side(
    Math.min(...boxes.map((one) => one[1])),
    Math.max(...boxes.map((one) => one[1] + one[3])),
  );
  return [x, y, w, h];
}

function size(px: Box): number {
  return Math.sqrt(px[2] * px[3]);
}

function meanSize(a: Box, b: Box): number {
  return Math.max((size(a) + size(b)) / 2, 1);
}
