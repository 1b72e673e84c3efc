import { boxCentre, iou, type Box } from '../../../core/maths/box.js';
import { boxScale } from '../filter/box-filter.js';
import { compatible } from './label-votes.js';
import type { Sighting } from '../sightings.js';
import type { TrackState } from '../track.js';

/**
 * Standard deviations of the prediction by which boxes are enlarged before comparison (C-BIoU: Yang et al., WACV
 * 2023),
 */
const MARGIN_SIGMAS = 2;
/** and the maximum enlargement on each side as a part of the side: the larger buffer of that paper. */
const MAX_MARGIN = 0.5;
/** 99 % of χ² with two degrees of freedom: a detection with a farther centre belongs to another object, */
const GATE = 9.21;
/** unless the boxes overlap this much, as in SORT and OC-SORT: a half-covered object moves its centre suddenly. */
const OVERLAP = 0.3;
/** Share of the centre's likelihood in the similarity; it decides where small fast boxes do not overlap at all. */
const CENTRE_SHARE = 0.3;
/** Minimum similarity (ByteTrack joins at a cost of at most 0.8). */
const MIN_SIMILARITY = 0.2;
/** A hidden track yields to a visible one: its wide uncertainty must not win (the reason for DeepSORT's cascade). */
const HIDDEN_SHARE = 0.5;
/** A detection of another label continues a track only where it overlaps this much. */
const OTHER_LABEL_IOU = 0.5;
/** Sides may differ by this factor between a track and its detection. */
const SIDE_FACTOR = 2.5;

/** Maximum distance (px) of the centre of a detection of this scale from the track's expected or last place. */
export function greatestReach({ box, spread }: TrackState, scale: number): number {
  return Math.max(boxScale(box), scale) * (1 + 4 * spread);
}

/** Similarity of a detection to the track's prediction, 0 (impossible) to 1. */
export function resemblance(track: TrackState, sighting: Sighting): number {
  const a = track.box;
  const b = sighting.box;
  const spread = track.spread;
  // No pair beyond this distance passes the gate or overlaps; most pairs end here.
  const reach = greatestReach(track, boxScale(b));
  if (Math.abs(a[0] + a[2] / 2 - b[0] - b[2] / 2) > reach) return 0;
  if (Math.abs(a[1] + a[3] / 2 - b[1] - b[3] / 2) > reach) return 0;
  if (!similarSides(a, b)) return 0;
  const overlap = iou(a, b);
  if (!compatible(sighting.label, track.label) && overlap < OTHER_LABEL_IOU) return 0;
  const distance = track.distance(sighting);
  if (overlap < OVERLAP && distance > GATE) return 0;
  const margin = Math.min(MAX_MARGIN, MARGIN_SIGMAS * spread);
  const similarity =
    (1 - CENTRE_SHARE) * iou(enlarge(a, margin), enlarge(b, margin)) + CENTRE_SHARE * Math.exp(-distance / 4);
  if (similarity < MIN_SIMILARITY) return 0;
  return track.seen ? similarity : HIDDEN_SHARE * similarity;
}

function similarSides(a: Box, b: Box): boolean {
  const w = a[2] / b[2];
  const h = a[3] / b[3];
  return w < SIDE_FACTOR && w * SIDE_FACTOR > 1 && h < SIDE_FACTOR && h * SIDE_FACTOR > 1;
}

function enlarge([x, y, w, h]: Box, margin: number): Box {
  return [x - margin * w, y - margin * h, w * (1 + 2 * margin), h * (1 + 2 * margin)];
}

/** Overlap of a detection with the last box of a hidden object (OC-SORT's recovery): it may have stopped there. */
export function resemblesLast(track: TrackState, sighting: Sighting): number {
  if (!compatible(sighting.label, track.label) || !similarSides(track.lastBox, sighting.box)) return 0;
  const overlap = iou(track.lastBox, sighting.box);
  return overlap < OVERLAP ? 0 : overlap;
}

/** Weak detections continue a track only where they overlap it by at least this IoU (ByteTrack's second stage). */
const WEAK_OVERLAP = 0.5;

export function resemblesWeakly(track: TrackState, sighting: Sighting): number {
  if (iou(track.box, sighting.box) < WEAK_OVERLAP || track.distance(sighting) > GATE) return 0;
  return resemblance(track, sighting);
}

/** Maximum speed of a small fast object (a ball) while its velocity is unknown, box scales per second. */
const LEAP_SPEED = 10;
/** Maximum factor between the scales at the two ends of a leap. */
const LEAP_SCALE_FACTOR = 1.5;

/** Nearness of a detection to the only observation of a track, beyond the reach of `resemblance`. */
export function resemblesLeap(track: TrackState, sighting: Sighting, t: number): number {
  const [a, b] = [boxScale(track.lastBox), boxScale(sighting.box)];
  if (!compatible(sighting.label, track.label) || Math.max(a, b) > LEAP_SCALE_FACTOR * Math.min(a, b))
    return 0;
  const [from, to] = [boxCentre(track.lastBox), boxCentre(sighting.box)];
  return 1 - Math.hypot(to[0] - from[0], to[1] - from[1]) / (LEAP_SPEED * (t - track.lastSeen) * a);
}
