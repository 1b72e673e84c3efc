import { iou, type Box } from '../../core/maths/box.js';
import { compatible } from './identity/label-votes.js';
import type { Pair } from './matching.js';
import { inside, type Sighting } from './sightings.js';
import type { TrackState } from './track.js';

/** A track may share another's box when this share of its predicted box lies in it. */
const INSIDE_SHARE = 0.7;
/** The union of both boxes explains the detection at least this well (IoU), */
const UNION_IOU = 0.6;
/** and better than the box of one alone by this much. */
const UNION_GAIN = 0.08;
/** Maximum time over which shared boxes alone continue an object, s. */
const SHARED_S = 2;
/** A share of a box counts as a detection of this part of its score. */
const SHARED_SCORE = 0.8;

function union(a: Box, b: Box): Box {
  const [left, top] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  const right = Math.max(a[0] + a[2], b[0] + b[2]);
  const bottom = Math.max(a[1] + a[3], b[1] + b[3]);
  return [left, top, right - left, bottom - top];
}

/** One side (from, to) of a predicted box, fitted to the side (low, high) of the shared box. */
function fit(own: Side, other: Side, [low, high]: Side): Side {
  const [from, to] = own;
  const first = from <= other[0];
  const last = to >= other[1];
  if (first && last) return [low, high];
  // Its own size, at its own edge; within the box when neither edge is its own.
  const size = Math.min(to - from, high - low);
  const start = first ? low : last ? high - size : Math.min(Math.max(from, low), high - size);
  return [start, start + size];
}

type Side = readonly [from: number, to: number];

/** The share of one of two objects in the shared box: the edges that are its own; the rest is as predicted. */
function portionOf(own: Box, other: Box, shown: Box): Box {
  const [left, right] = fit(horizontal(own), horizontal(other), horizontal(shown));
  const [top, bottom] = fit(vertical(own), vertical(other), vertical(shown));
  return [left, top, right - left, bottom - top];
}

const horizontal = (box: Box): Side => [box[0], box[0] + box[2]];
const vertical = (box: Box): Side => [box[1], box[1] + box[3]];

/**
 * Detectors and motion draw one box around two objects that overlap. Where the union of a track and one without a
 * detection explains a detection better than the track alone, both are observed in it, each in its share: neither
 * grows into the other, and neither is lost before they separate.
 *
 * @returns the pairs, with shared detections in place of the originals
 */
export function splitMergedBoxes(
  pairs: readonly Pair[],
  missed: readonly TrackState[],
  t: number,
): readonly Pair[] {
  const lost = missed.filter(({ strongAt }) => t - strongAt < SHARED_S);
  if (lost.length === 0) return pairs;
  const replaced = new Map<TrackState, Sighting>();
  const added: Pair[] = [];
  for (const track of lost) {
    const found = bestHost(track, pairs, replaced);
    if (!found) continue;
    const [host, sighting] = found;
    const front = host.box[1] + host.box[3] >= track.box[1] + track.box[3] ? host : track;
    for (const one of [host, track]) {
      const covered = one === front ? 0 : inside(one.box, front.box);
      const other = one === host ? track : host;
      const share = sharing(sighting, portionOf(one.box, other.box, sighting.box), covered);
      if (one === host) replaced.set(host, share);
      else added.push([track, share]);
    }
  }
  if (added.length === 0) return pairs;
  return [...pairs.map(([track, own]): Pair => [track, replaced.get(track) ?? own]), ...added];
}

function bestHost(
  track: TrackState,
  pairs: readonly Pair[],
  taken: ReadonlyMap<TrackState, Sighting>,
): Pair | undefined {
  let [best, max]: [Pair | undefined, number] = [undefined, UNION_GAIN];
  for (const pair of pairs) {
    const [host, { box, label }] = pair;
    if (host.id === undefined || taken.has(host) || !compatible(label, track.label)) continue;
    if (inside(track.box, box) < INSIDE_SHARE) continue;
    const together = iou(union(host.box, track.box), box);
    const gain = together - iou(host.box, box);
    if (together >= UNION_IOU && gain > max) [best, max] = [pair, gain];
  }
  return best;
}

function sharing({ label, score, origin }: Sighting, box: Box, covered: number): Sighting {
  return { label, score: SHARED_SCORE * score, box, covered, shared: true, ...(origin && { origin }) };
}
