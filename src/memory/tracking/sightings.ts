import { iou, scaleBox, type Box } from '../../core/box.js';
import type { Detection, Percept } from '../../core/stages.js';

/** A detection as the tracker uses it, box in px. */
export interface Sighting extends Pick<Detection, 'origin' | 'mask' | 'token'> {
  readonly label: string;
  readonly score: number;
  readonly box: Box;
  /** Largest share of the box that lies behind one other detection (nearer: its lower edge is lower), 0–1. */
  readonly covered: number;
}

type Uncovered = Omit<Sighting, 'covered'>;

/** Most detections of one percept that are looked at, best first: four times what a crowded view holds. */
export const MOST_SIGHTINGS = 512;
/** Two boxes that overlap more than this (IoU) show one object, whatever they are called. */
const SAME_OBJECT_IOU = 0.7;
/** A box that lies in another one of its label by this share is a part of it (head, upper body)... */
const NESTED_SHARE = 0.9;
/** ...unless its score is nearly as good: then it may be someone in front. */
const NESTED_SCORE = 0.7;
/** Thinner boxes are what the border leaves of an object, px. */
const LEAST_SIDE = 1;

/** Share of the smaller box that lies in the larger one, 0–1. */
export function nesting(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / Math.min(a[2] * a[3], b[2] * b[3]);
}

/** The percept's detections of at least `floor` in px, best first, each object once; malformed ones are left out. */
export function readSightings(percept: Percept, floor: number): Sighting[] {
  const all: Uncovered[] = [];
  for (const { box, score, ...rest } of percept.detections) {
    if (!(score >= floor) || !box.every(Number.isFinite)) continue;
    const px = scaleBox(box, percept.width, percept.height);
    if (px[2] >= LEAST_SIDE && px[3] >= LEAST_SIDE) all.push({ ...rest, score: Math.min(score, 1), box: px });
  }
  all.sort((a, b) => b.score - a.score);
  all.length = Math.min(all.length, MOST_SIGHTINGS);
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
  if (other[1] + other[3] <= box[1] + box[3]) return 0;
  const width = Math.min(box[0] + box[2], other[0] + other[2]) - Math.max(box[0], other[0]);
  const height = box[1] + box[3] - Math.max(box[1], other[1]);
  return width > 0 && height > 0 ? (width * height) / (box[2] * box[3]) : 0;
}
