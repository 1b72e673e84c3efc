import { boxCentre, type Box, type Point } from '../../../core/maths/box.js';
import { SAMPLE_HZ } from '../../../core/ontology.js';
import type { ObjectSample } from '../../../core/memory.js';
import type { TrackSegment } from '../../track-segment.js';
import type { FrameSize } from '../rules/presence-rule.js';

/** Samples before and after a moment that enter its features: 0.4 s each way. */
export const CONTACT_SPAN = 4;
/** Samples of the short windows, for changes at the moment itself. */
const SHORT_SPAN = 2;
/** Boxes farther apart than this, in mean sizes, are not in contact. */
export const CONTACT_REACH = 0.5;
/** A third object farther away than this, in sizes, is ignored. */
const MAX_OTHER_GAP = 3;
const MAX_AGE = 20;

/** Surroundings of a pair. */
export interface Surroundings {
  readonly frame: FrameSize;
  /** All segments in view, the pair included. */
  readonly segments: () => Iterable<TrackSegment>;
}

/**
 * The features by name, in the order of the vector. P is the object of the pair that approaches the other faster, Q
 * the other one; lengths in mean sizes, velocities in mean sizes per second, `u` points from P to Q. NaN where
 * unknown.
 */
export const CONTACT_FEATURES = [
  ...['gap', 'gap-4', 'gap-2', 'gap+2', 'gap+4', 'gapLeast', 'gapX', 'gapY'],
  ...['bottoms', 'tops', 'offsetX', 'offsetY', 'distance'],
  ...['distance-4', 'distance-2', 'distance+2', 'distance+4'],
  ...[
    'pBeforeU',
    'pBeforeAcross',
    'pChangeU',
    'pChangeAcross',
    'pBefore',
    'pAfter',
    'pShortU',
    'pUsual',
    'pSlowing',
  ],
  ...[
    'qBeforeU',
    'qBeforeAcross',
    'qChangeU',
    'qChangeAcross',
    'qBefore',
    'qAfter',
    'qShortU',
    'qUsual',
    'qSlowing',
  ],
  ...['closingBefore', 'closingAfter', 'changesCosine', 'pushCosine'],
  ...['pBorder', 'qBorder', 'pAge', 'qAge', 'pAspect', 'qAspect', 'sizeRatio', 'sizePx'],
  ...['pWidthBefore', 'pHeightBefore', 'pWidthAfter', 'pHeightAfter'],
  ...['qWidthBefore', 'qHeightBefore', 'qWidthAfter', 'qHeightAfter'],
  ...['pOtherGap', 'pOtherSpeed', 'qOtherGap', 'qOtherSpeed'],
] as const;

/** Gap of two boxes, negative by the depth of their overlap; in the unit of the boxes. */
export function signedGap(a: Box, b: Box): number {
  const [x, y] = axisGaps(a, b);
  return x > 0 || y > 0 ? Math.hypot(Math.max(x, 0), Math.max(y, 0)) : Math.max(x, y);
}

/**
 * Evidence of contact between two segments at sample k, in the order of CONTACT_FEATURES; undefined where one of them
 * has no sample at k. Symmetric in a and b.
 */
export function contactFeatures(
  a: TrackSegment,
  b: TrackSegment,
  k: number,
  around: Surroundings,
): Float64Array | undefined {
  const [atA, atB] = [a.at(k), b.at(k)];
  if (!atA || !atB) return undefined;
  const size = (sizeOf(atA.box) + sizeOf(atB.box)) / 2;
  const u = unit(boxCentre(atA.box), boxCentre(atB.box));
  const back: Point = [-u[0], -u[1]];
  const [before, beforeB] = [slope(a, k - CONTACT_SPAN, k), slope(b, k - CONTACT_SPAN, k)];
  const aIsFaster = !(dot(before, u) < dot(beforeB, back));
  const [p, q, way] = aIsFaster ? [a, b, u] : [b, a, back];
  const features = [
    ...nearness(p, q, k, size),
    ...motion(p, k, way, size),
    ...motion(q, k, way, size),
    ...exchange(p, q, k, way, size),
    ...boxFeatures(p, q, k, size, around.frame),
    ...third(p, q, k, size, around),
    ...third(q, p, k, size, around),
  ];
  return Float64Array.from(features);
}

function nearness(p: TrackSegment, q: TrackSegment, k: number, size: number): number[] {
  const gap = (n: number): number => {
    const [one, two] = [p.at(n), q.at(n)];
    return one && two ? signedGap(one.box, two.box) / size : NaN;
  };
  const distance = (n: number): number => {
    const [one, two] = [p.at(n), q.at(n)];
    if (!one || !two) return NaN;
    const [from, to] = [boxCentre(one.box), boxCentre(two.box)];
    return Math.hypot(to[0] - from[0], to[1] - from[1]) / size;
  };
  let min = gap(k);
  for (let n = k - SHORT_SPAN; n <= k + SHORT_SPAN; n++) if (gap(n) < min) min = gap(n);
  const [one, two] = [(p.at(k) as ObjectSample).box, (q.at(k) as ObjectSample).box];
  const [x, y] = axisGaps(one, two);
  const now = distance(k);
  return [
    ...[gap(k), gap(k - CONTACT_SPAN), gap(k - SHORT_SPAN), gap(k + SHORT_SPAN), gap(k + CONTACT_SPAN)],
    ...[min, x / size, y / size],
    Math.abs(one[1] + one[3] - two[1] - two[3]) / size,
    Math.abs(one[1] - two[1]) / size,
    Math.abs(one[0] + one[2] / 2 - two[0] - two[2] / 2) / size,
    Math.abs(one[1] + one[3] / 2 - two[1] - two[3] / 2) / size,
    now,
    ...[-CONTACT_SPAN, -SHORT_SPAN, SHORT_SPAN, CONTACT_SPAN].map((n) => distance(k + n) - now),
  ];
}

/** Motion of one of the two before and after, along the direction from P to Q and across it. */
function motion(segment: TrackSegment, k: number, way: Point, size: number): number[] {
  const before = slope(segment, k - CONTACT_SPAN, k);
  const after = slope(segment, k, k + CONTACT_SPAN);
  const change: Point = [after[0] - before[0], after[1] - before[1]];
  const shortBefore = slope(segment, k - SHORT_SPAN, k);
  const shortAfter = slope(segment, k, k + SHORT_SPAN);
  const earlier = slope(segment, k - 2 * CONTACT_SPAN, k - CONTACT_SPAN);
  return [
    dot(before, way),
    Math.abs(cross(before, way)),
    dot(change, way),
    Math.abs(cross(change, way)),
    Math.hypot(...before),
    Math.hypot(...after),
    dot(shortAfter, way) - dot(shortBefore, way),
    usual(segment, k),
    Math.hypot(...before) - Math.hypot(...earlier),
  ].map((value) => value / size);
}

/** Joint change of the two motions: a push adds to one what it takes from the other. */
function exchange(p: TrackSegment, q: TrackSegment, k: number, way: Point, size: number): number[] {
  const [pBefore, pAfter] = [slope(p, k - CONTACT_SPAN, k), slope(p, k, k + CONTACT_SPAN)];
  const [qBefore, qAfter] = [slope(q, k - CONTACT_SPAN, k), slope(q, k, k + CONTACT_SPAN)];
  const pChange: Point = [pAfter[0] - pBefore[0], pAfter[1] - pBefore[1]];
  const qChange: Point = [qAfter[0] - qBefore[0], qAfter[1] - qBefore[1]];
  const relative: Point = [pBefore[0] - qBefore[0], pBefore[1] - qBefore[1]];
  return [
    dot(relative, way) / size,
    (dot(pAfter, way) - dot(qAfter, way)) / size,
    cosine(pChange, qChange),
    cosine(relative, qChange),
  ];
}

/** Size, aspect and position of the two boxes: a box that is cut off or hidden seems to move. */
function boxFeatures(p: TrackSegment, q: TrackSegment, k: number, size: number, frame: FrameSize): number[] {
  const [one, two] = [(p.at(k) as ObjectSample).box, (q.at(k) as ObjectSample).box];
  return [
    borderDistance(one, frame) / size,
    borderDistance(two, frame) / size,
    ...[p, q].map((segment) => Math.min(k - (segment.firstK ?? k), MAX_AGE)),
    Math.log(one[2] / one[3]),
    Math.log(two[2] / two[3]),
    Math.log(sizeOf(one) / sizeOf(two)),
    size,
    ...growth(p, k),
    ...growth(q, k),
  ];
}

function growth(segment: TrackSegment, k: number): number[] {
  const [before, now, after] = [
    segment.at(k - CONTACT_SPAN)?.box,
    segment.at(k)?.box,
    segment.at(k + CONTACT_SPAN)?.box,
  ];
  const ratio = (of: Box | undefined, to: Box | undefined, side: 2 | 3): number =>
    of && to ? Math.log(of[side] / to[side]) : NaN;
  return [ratio(now, before, 2), ratio(now, before, 3), ratio(after, now, 2), ratio(after, now, 3)];
}

/** Gap to the third object nearest to `segment`, and its approach speed. */
function third(
  segment: TrackSegment,
  partner: TrackSegment,
  k: number,
  size: number,
  { segments }: Surroundings,
): number[] {
  const box = (segment.at(k) as ObjectSample).box;
  let [nearest, speed] = [MAX_OTHER_GAP, 0];
  for (const other of segments()) {
    const otherBox = other === segment || other === partner ? undefined : other.at(k)?.box;
    if (!otherBox) continue;
    const gap = signedGap(box, otherBox) / size;
    if (gap >= nearest) continue;
    nearest = gap;
    const towards = unit(boxCentre(otherBox), boxCentre(box));
    speed = dot(slope(other, k - CONTACT_SPAN, k), towards) / size;
  }
  return [nearest, speed];
}

/**
 * Median change of velocity from the 0.2 s before to the 0.2 s after, px/s, in the time before: the noise of the box.
 */
function usual(segment: TrackSegment, k: number): number {
  const changes: number[] = [];
  for (let n = k - 3 * CONTACT_SPAN; n <= k - CONTACT_SPAN; n++) {
    const [before, now, after] = [segment.at(n - SHORT_SPAN), segment.at(n), segment.at(n + SHORT_SPAN)];
    if (!before || !now || !after) continue;
    const [b, c, d] = [boxCentre(before.box), boxCentre(now.box), boxCentre(after.box)];
    changes.push((Math.hypot(d[0] - 2 * c[0] + b[0], d[1] - 2 * c[1] + b[1]) * SAMPLE_HZ) / SHORT_SPAN);
  }
  if (changes.length === 0) return NaN;
  changes.sort((a, b) => a - b);
  return changes[changes.length >> 1] ?? NaN;
}

/** Least-squares velocity of the box centre over the samples from..to, px/s; NaN with fewer than two of them. */
function slope(segment: TrackSegment, from: number, to: number): Point {
  const centre = (from + to) / 2;
  let [n, sk, sx, sy, skk, skx, sky] = [0, 0, 0, 0, 0, 0, 0];
  for (let k = from; k <= to; k++) {
    const box = segment.at(k)?.box;
    if (!box) continue;
    const [x, y] = boxCentre(box);
    const d = k - centre;
    n += 1;
    sk += d;
    sx += x;
    sy += y;
    skk += d * d;
    skx += d * x;
    sky += d * y;
  }
  if (n < 2) return [NaN, NaN];
  const norm = skk - (sk * sk) / n;
  return [((skx - (sk * sx) / n) / norm) * SAMPLE_HZ, ((sky - (sk * sy) / n) / norm) * SAMPLE_HZ];
}

function axisGaps(a: Box, b: Box): Point {
  return [
    Math.abs(a[0] + a[2] / 2 - b[0] - b[2] / 2) - (a[2] + b[2]) / 2,
    Math.abs(a[1] + a[3] / 2 - b[1] - b[3] / 2) - (a[3] + b[3]) / 2,
  ];
}

function borderDistance([x, y, w, h]: Box, { width, height }: FrameSize): number {
  return Math.min(x, y, width - x - w, height - y - h);
}

function sizeOf(box: Box): number {
  return Math.sqrt(box[2] * box[3]);
}

function unit(from: Point, to: Point): Point {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  return length > 0 ? [(to[0] - from[0]) / length, (to[1] - from[1]) / length] : [0, 0];
}

function dot(a: Point, b: Point): number {
  return a[0] * b[0] + a[1] * b[1];
}

function cross(a: Point, b: Point): number {
  return a[0] * b[1] - a[1] * b[0];
}

function cosine(a: Point, b: Point): number {
  const length = Math.hypot(...a) * Math.hypot(...b);
  return length > 0 ? dot(a, b) / length : NaN;
}
