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
  /** Its share of a box that shows another object too. */
  readonly shared?: boolean;
}

type Uncovered = Omit<Sighting, 'covered'>;

/** Most detections of one percept that are looked at, best first: four times what a crowded view holds. */
export const MAX_SIGHTINGS = 512;
/** An object covered by less than this is in clear view. */
export const CLEAR_VIEW = 0.2;
/** Two boxes that overlap more than this (IoU) show one object, whatever they are called. */
const SAME_OBJECT_IOU = 0.7;
/** The same for a box of motion, whose outline is looser, and one of the detector. */
const SAME_MOTION_IOU = 0.5;
/** A box that lies in another one of its label by this share is a part of it (head, upper body)... */
const NESTED_SHARE = 0.9;
/** ...unless its score is nearly as good: then it may be someone in front. */
const NESTED_SCORE = 0.7;
/** A class with less than this is no name for what moves. */
const MIN_NAME_SCORE = 0.3;
/** A embedding's squared length may differ from 1 by this. */
const UNIT_TOLERANCE = 0.01;
/** Thinner boxes are what the border leaves of an object, px. */
const MIN_SIDE = 1;

/** Size in px² of what two boxes share. */
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
 * The percept's detections of at least `floor` in px, best first, each object once; malformed ones are left out. What
 * motion proposes where the detector sees something too is one sighting: the detector's name and box, the better score.
 */
export function readSightings(percept: Percept, floor: number): Sighting[] {
  const all = named(readBoxes(percept, floor));
  const neighbours = touching(all);
  const kept = new Uint8Array(all.length);
  // Best first: whatever a duplicate could be a duplicate of has been decided.
  all.forEach((sighting, k) => {
    const better = (neighbours[k] ?? []).filter((n) => n < k && kept[n] === 1);
    kept[k] = better.some((n) => isDuplicate(sighting, all[n] as Uncovered)) ? 0 : 1;
  });
  const read: Sighting[] = [];
  all.forEach((sighting, k) => {
    if (kept[k] === 0) return;
    let covered = 0;
    for (const n of neighbours[k] ?? []) {
      if (kept[n] === 1) covered = Math.max(covered, coverage(sighting.box, (all[n] as Uncovered).box));
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

/** Joins what motion proposes with what the detector sees there; best first. */
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
  let [best, most]: [Uncovered | undefined, number] = [undefined, SAME_MOTION_IOU];
  for (const one of seen) {
    if (one.score < MIN_NAME_SCORE) continue;
    const overlap = iou(moving.box, one.box);
    if (overlap >= most) [best, most] = [one, overlap];
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

/** Share of a box that lies behind another, nearer one; 0 behind one that is further off. */
function coverage(box: Box, other: Box): number {
  return other[1] + other[3] <= box[1] + box[3] ? 0 : inside(box, other);
}
