import type { Affine, Point } from '../../core/maths/box.js';
import { boxCentre, iou } from '../../core/maths/box.js';
import { boxScale } from './filter/box-filter.js';
import { compatible } from './identity/label-votes.js';
import type { Sighting } from './sightings.js';
import type { TrackState } from './track.js';

/** Minimum number of objects to distinguish a moving camera from moving objects. */
const MIN_TRACKS = 3;
/** Maximum number of tracks used: a few give the same result as many. */
const MAX_TRACKS = 24;
/** Bin size of proposed shifts, box scales, and the number of fullest bins that are evaluated. */
const BIN_SCALES = 0.2;
const MAX_BINS = 8;
/** A track supports a shift when its shifted box overlaps a detection this much (IoU). */
const SUPPORT_IOU = 0.5;
/** When at least this share of the tracks is at the expected place, the camera did not move. */
const STILL_SHARE = 0.5;
/** A shift is accepted when this share of the tracks supports it, */
const SHIFTED_SHARE = 0.6;
/** and it has this many times the support of standing still and of any other shift. */
const CLEARLY_BETTER = 2;

/**
 * The shift of the picture estimated from the tracks alone: the one that moves most of them onto detections when they
 * are not at their expected places. Every pair proposes one (a Hough vote); undefined when the camera stood still or
 * the result is uncertain.
 */
export function commonShift(
  tracks: readonly TrackState[],
  sightings: readonly Sighting[],
): Affine | undefined {
  const known = tracks.filter(({ id, seen }) => id !== undefined && seen).slice(0, MAX_TRACKS);
  if (known.length < MIN_TRACKS || sightings.length < MIN_TRACKS) return undefined;
  const still = support(known, sightings, 0, 0);
  if (still.count >= STILL_SHARE * known.length) return undefined;
  const proposed = proposals(known, sightings);
  if (proposed.length === 0) return undefined;
  const voted = proposed.map(([dx, dy]) => support(known, sightings, dx, dy));
  const best = voted.reduce((a, b) =>
    b.count > a.count || (b.count === a.count && b.overlap > a.overlap) ? b : a,
  );
  const far = Math.min(...known.map(({ box }) => boxScale(box)));
  const rivals = voted.filter(({ dx, dy }) => Math.hypot(dx - best.dx, dy - best.dy) > far);
  const next = Math.max(still.count, ...rivals.map((rival) => rival.count));
  const needed = Math.max(MIN_TRACKS, SHIFTED_SHARE * known.length, CLEARLY_BETTER * next);
  return best.count >= needed ? [1, 0, 0, 1, best.dx, best.dy] : undefined;
}

/** The means of the fullest bins of shifts. */
function proposals(tracks: readonly TrackState[], sightings: readonly Sighting[]): readonly Point[] {
  const cell = BIN_SCALES * Math.min(...tracks.map(({ box }) => boxScale(box)));
  const bins = new Map<string, { votes: number; dx: number; dy: number }>();
  for (const track of tracks) {
    const from = boxCentre(track.box);
    for (const sighting of sightings) {
      if (!alike(track, sighting)) continue;
      const to = boxCentre(sighting.box);
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      const key = `${Math.round(dx / cell)} ${Math.round(dy / cell)}`;
      const bin = bins.get(key) ?? { votes: 0, dx: 0, dy: 0 };
      bins.set(key, { votes: bin.votes + 1, dx: bin.dx + dx, dy: bin.dy + dy });
    }
  }
  const fullest = [...bins.values()].sort((a, b) => b.votes - a.votes).slice(0, MAX_BINS);
  return fullest.map(({ votes, dx, dy }): Point => [dx / votes, dy / votes]);
}

function alike(track: TrackState, sighting: Sighting): boolean {
  if (!compatible(track.label, sighting.label)) return false;
  const [a, b] = [boxScale(track.box), boxScale(sighting.box)];
  return Math.min(a, b) >= SUPPORT_IOU * Math.max(a, b);
}

interface Support {
  readonly dx: number;
  readonly dy: number;
  readonly count: number;
  readonly overlap: number;
}

/** Number of tracks that lie on a detection when moved by (dx, dy), and the sum of their overlaps. */
function support(
  tracks: readonly TrackState[],
  sightings: readonly Sighting[],
  dx: number,
  dy: number,
): Support {
  let [count, overlap] = [0, 0];
  for (const track of tracks) {
    const [x, y, w, h] = track.box;
    let best = 0;
    for (const sighting of sightings)
      if (compatible(track.label, sighting.label))
        best = Math.max(best, iou([x + dx, y + dy, w, h], sighting.box));
    if (best < SUPPORT_IOU) continue;
    count += 1;
    overlap += best;
  }
  return { dx, dy, count, overlap };
}
