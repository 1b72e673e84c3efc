import { iou, scaleBox, type Box } from '../../core/maths/box.js';
import type { Detection, Percept } from '../../core/percept.js';
import { dot } from './identity/gallery.js';
import { ANY_LABEL } from './identity/label-votes.js';

/** A detection as the tracker uses it, box in px. */
export interface Sighting extends Pick<Detection, 'origin' | 'mask' | 'embedding' | 'labelScore'> {
  readonly label: string;
  readonly score: number;
  readonly box: Box;
  /** Largest share of the box that lies behind one other detection (nearer: its lower edge is lower), 0–1. */
  readonly covered: number;
  /** True for a share of a box that shows another object too. */
  readonly shared?: boolean;
}

type Uncovered = Omit<Sighting, 'covered'>;

/** Maximum number of detections used of one percept, best first: four times those of a crowded view. */
export const MAX_SIGHTINGS = 512;
/** An object covered by less than this is in clear view. */
export const CLEAR_VIEW = 0.2;
/** Two boxes that overlap more than this (IoU) show one object, whatever their labels. */
const SAME_OBJECT_IOU = 0.7;
/** The same for a box of motion, whose outline is looser, and one of the detector. */
const SAME_MOTION_IOU = 0.5;
/** A box of which this share lies in another one of its label is a part of it (head, upper body), */
const NESTED_SHARE = 0.9;
/** unless its score is at least this share of the other's: then it may be another person in front. */
const NESTED_SCORE = 0.7;
/** Minimum score of a class that names a moving object. */
const MIN_NAME_SCORE = 0.3;
/** Maximum deviation of an embedding's squared length from 1. */
const UNIT_TOLERANCE = 0.01;
/** Minimum side of a box, px: thinner boxes are remains of objects at the border. */
const MIN_SIDE = 1;

/** Area of the intersection of two boxes, px². */
function shared(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Share of the smaller box that lies in the larger one, 0–1. */
export function nesting(a: Box, b: Box): number {
  return shared(a, b) / Math.min(a[2] * a[3], b[2] * b[3]);
}

/** Share of a box that lies in another one, 0–1. */
export function inside(box: Box, other: Box): number {
  return shared(box, other) / (box[2] * box[3]);
}

/**
 * The percept's detections of at least score `floor` in px, best first, each object once; malformed ones are left
 * out. A region of motion and a detection at the same place become one sighting with the detector's label and box and
 * the better score.
 */
export function readSightings(percept: Percept, floor: number): Sighting[] {
  const all = named(readBoxes(percept, floor));
  const neighbours = touching(all);
  const unique = new Uint8Array(all.length);
  // Best first: all possible originals of a duplicate are already decided.
  all.forEach((sighting, k) => {
    const better = (neighbours[k] ?? []).filter((n) => n < k && unique[n] === 1);
    unique[k] = better.some((n) => isDuplicate(sighting, all[n] as Uncovered)) ? 0 : 1;
  });
  const read: Sighting[] = [];
  all.forEach((sighting, k) => {
    if (unique[k] === 0) return;
    let covered = 0;
    for (const n of neighbours[k] ?? []) {
      if (unique[n] === 1) covered = Math.max(covered, coverage(sighting.box, (all[n] as Uncovered).box));
    }
    read.push({ ...sighting, covered });
  });
  return read;
}

function readBoxes(percept: Percept, floor: number): Uncovered[] {
  const all: Uncovered[] = [];
  for (const { box, score, embedding, ...rest } of percept.detections) {
    if (!(score >= floor) || !box.every(Number.isFinite)) continue;
    const px = scaleBox(box, percept.width, percept.height);
    if (px[2] < MIN_SIDE || px[3] < MIN_SIDE) continue;
    const usable = embedding !== undefined && Math.abs(dot(embedding, embedding) - 1) < UNIT_TOLERANCE;
    all.push({ ...rest, score: Math.min(score, 1), box: px, ...(usable && { embedding }) });
  }
  all.sort((a, b) => b.score - a.score);
  all.length = Math.min(all.length, MAX_SIGHTINGS);
  return all;
}

/** Joins regions of motion with the detections at the same place; best first. */
function named(all: readonly Uncovered[]): readonly Uncovered[] {
  if (!all.some(({ origin }) => origin === 'motion')) return all;
  const seen = all.filter(({ origin }) => origin !== 'motion');
  const supported = new Map<Uncovered, number>();
  const alone: Uncovered[] = [];
  for (const moving of all) {
    if (moving.origin !== 'motion') continue;
    const name = moving.label === ANY_LABEL ? bestOverlap(moving, seen) : undefined;
    if (name) supported.set(name, Math.max(moving.score, supported.get(name) ?? 0));
    else alone.push(moving);
  }
  const raised = seen.map((one) => {
    const support = supported.get(one) ?? 0;
    return support > one.score ? { ...one, score: support, labelScore: one.labelScore ?? one.score } : one;
  });
  return [...raised, ...alone].sort((a, b) => b.score - a.score);
}

function bestOverlap(moving: Uncovered, seen: readonly Uncovered[]): Uncovered | undefined {
  let [best, max]: [Uncovered | undefined, number] = [undefined, SAME_MOTION_IOU];
  for (const one of seen) {
    if (one.score < MIN_NAME_SCORE) continue;
    const overlap = iou(moving.box, one.box);
    if (overlap >= max) [best, max] = [one, overlap];
  }
  return best;
}

/** For each box the indices of those that touch it. Sorted by their left edges, few pairs are ever compared. */
function touching(all: readonly Uncovered[]): number[][] {
  const found: number[][] = all.map(() => []);
  const order = all.map((_, k) => k).sort((a, b) => boxAt(all, a)[0] - boxAt(all, b)[0] || a - b);
  order.forEach((k, place) => {
    const a = boxAt(all, k);
    for (let next = place + 1; next < order.length; next += 1) {
      const n = order[next] as number;
      const b = boxAt(all, n);
      if (b[0] >= a[0] + a[2]) break;
      if (b[1] >= a[1] + a[3] || a[1] >= b[1] + b[3]) continue;
      found[k]?.push(n);
      found[n]?.push(k);
    }
  });
  return found;
}

function boxAt(all: readonly Uncovered[], k: number): Box {
  return (all[k] as Uncovered).box;
}

function isDuplicate(weaker: Uncovered, better: Uncovered): boolean {
  if (iou(weaker.box, better.box) > SAME_OBJECT_IOU) return true;
  if (weaker.label !== better.label || weaker.score > NESTED_SCORE * better.score) return false;
  return nesting(weaker.box, better.box) > NESTED_SHARE;
}

/** Share of a box that lies behind another, nearer one; 0 if the other is farther away. */
function coverage(box: Box, other: Box): number {
  return other[1] + other[3] <= box[1] + box[3] ? 0 : inside(box, other);
}
