import { boxCentre, type Point } from '../../core/maths/box.js';
import { FAR, SAMPLE_HZ } from '../../core/ontology.js';
import type { ObjectSample } from '../../core/memory.js';
import type { TrackSegment } from '../track-segment.js';
import type { Stateful, Report } from './finding.js';

/** Two segments at one sample, with the values that all pair rules need. Valid during the call it is passed to. */
export class PairMoment {
  /** Difference of the positions (b − a), px. */
  readonly offset: Point;
  /** Distance of the positions, px. */
  readonly distance: number;
  /** Mean of the two median heights, px. */
  readonly meanHeight: number;
  /** Distance of the positions in mean heights. */
  readonly gap: number;

  constructor(
    readonly k: number,
    readonly a: ObjectSample,
    readonly b: ObjectSample,
  ) {
    this.offset = [b.position[0] - a.position[0], b.position[1] - a.position[1]];
    this.distance = Math.hypot(this.offset[0], this.offset[1]);
    this.meanHeight = (a.height + b.height) / 2;
    this.gap = this.distance / this.meanHeight;
  }
}

/** A rule about two segments; receives every sample that both have, in order, while they are within reach. */
export interface PairRule extends Stateful {
  step(moment: PairMoment, report: Report): void;
  /** One of the segments has ended; no moment follows. */
  end?(report: Report): void;
  /** The two have been out of reach for so long that they are no longer watched. */
  leave?(): void;
}

/** Median heights within which `follow` (the widest of the rules) applies, per object: 4 mean heights for two. */
const REACH_H = 2;
/** Maximum time to the closest approach, s, and closest gap (per object, in heights) of `approach`. */
const REACH_S = 3;
const REACH_CLOSE_H = 0.35;
/** Box diagonals between positions of boxes that are just in contact, per object: half a diagonal to the centre,
 * half of it from there to the edge, and the contact distance of 0.15 sizes. */
const REACH_DIAGONALS = 1.15;

/**
 * Distance in px such that no pair rule can hold between objects farther apart than the sum of their reaches. Never
 * smaller than FAR allows, so a pair out of reach is certainly far.
 */
export function reachOf(sample: ObjectSample): number {
  const { box, height, velocity } = sample;
  const speed = velocity ? Math.hypot(velocity[0], velocity[1]) : 0;
  return Math.max(
    Math.max(REACH_H, FAR) * height,
    REACH_S * speed + REACH_CLOSE_H * height,
    REACH_DIAGONALS * Math.hypot(box[2], box[3]),
  );
}

/** Distance of the box centres of two samples, px. */
export function centreDistance(a: ObjectSample, b: ObjectSample): number {
  const [ax, ay] = boxCentre(a.box);
  const [bx, by] = boxCentre(b.box);
  return Math.hypot(ax - bx, ay - by);
}

/** Mean sqrt(w·h) of the boxes of two samples, px. */
export function meanSize(a: ObjectSample, b: ObjectSample): number {
  return (Math.sqrt(a.box[2] * a.box[3]) + Math.sqrt(b.box[2] * b.box[3])) / 2;
}

/** After this many samples out of reach the past of a pair has no effect (REARM_S and every hold are over). */
export const FORGET_AFTER = SAMPLE_HZ + 1;

export interface Pair {
  readonly a: TrackSegment;
  readonly b: TrackSegment;
}
