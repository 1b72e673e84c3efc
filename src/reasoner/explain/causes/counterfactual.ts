import type { Point } from '../../../core/maths/box.js';
import { SLOW } from '../../../core/ontology.js';
import type { ObjectSample } from '../../../core/memory.js';
import { positionAt } from '../memory-index.js';

/** The motion before a contact is read from this span before it, s: long enough for a slope, clear of the contact. */
const BEFORE_FROM_S = 0.6;
const BEFORE_TO_S = 0.1;
/** Samples that a slope needs. */
const MIN_SAMPLES = 3;
/** Losses of speed per second that a moving object may have had: a spread from none to strong, not a fit. */
const DAMPINGS_PER_S = [0, 0.3, 0.8] as const;

/** A straight path that loses speed: px, px/s, 1/s. */
interface Path {
  readonly t: number;
  readonly from: Point;
  readonly velocity: Point;
  readonly damping: number;
}

/**
 * How likely an event at `later` hangs on the contact at `earlier` of one of its objects, from that object's path: it is
 * carried on along its way before the contact, for several dampings, and compared with where it really was. Two bodies
 * of one size that meet at a random offset miss each other in proportion to a sideways shift, and surely when it
 * exceeds their size; so the answer is the shift in own sizes, at most 1. Undefined when memory lacks the samples.
 */
export function divertedBy(
  samples: readonly ObjectSample[],
  earlier: number,
  later: number,
): number | undefined {
  const actual = positionAt(samples, later);
  const size = sizeBefore(samples, later);
  const paths = DAMPINGS_PER_S.map((damping) => pathBefore(samples, earlier, damping));
  if (actual === undefined || size === undefined) return undefined;
  let total = 0;
  for (const path of paths) {
    if (path === undefined) return undefined;
    total += Math.min(distance(follow(path, later), actual) / size, 1);
  }
  return total / paths.length;
}

/** True when the object stood just before `t`; undefined when memory doesn't say. */
export function stoodBefore(samples: readonly ObjectSample[], t: number): boolean | undefined {
  const path = pathBefore(samples, t, 0);
  const height = samples.findLast((sample) => sample.t <= t)?.height;
  if (path === undefined || height === undefined) return undefined;
  return Math.hypot(...path.velocity) / height < SLOW;
}

/** sqrt(w·h) of the last box at or before `t`, px. */
function sizeBefore(samples: readonly ObjectSample[], t: number): number | undefined {
  const box = samples.findLast((sample) => sample.t <= t)?.box;
  return box === undefined ? undefined : Math.max(Math.sqrt(box[2] * box[3]), 1);
}

/** Least-squares line through the positions just before `t`. */
function pathBefore(samples: readonly ObjectSample[], t: number, damping: number): Path | undefined {
  const past = samples.filter((sample) => sample.t >= t - BEFORE_FROM_S && sample.t <= t - BEFORE_TO_S);
  if (past.length < MIN_SAMPLES) return undefined;
  const mean = (pick: (sample: ObjectSample) => number): number =>
    past.reduce((sum, sample) => sum + pick(sample), 0) / past.length;
  const meanT = mean((sample) => sample.t);
  const centre: Point = [mean((sample) => sample.position[0]), mean((sample) => sample.position[1])];
  const spread = mean((sample) => (sample.t - meanT) ** 2);
  const slope = (axis: 0 | 1): number =>
    mean((sample) => (sample.t - meanT) * (sample.position[axis] - centre[axis])) / spread;
  return { t: meanT, from: centre, velocity: [slope(0), slope(1)], damping };
}

function follow(path: Path, t: number): Point {
  const elapsed = t - path.t;
  const reach = path.damping === 0 ? elapsed : (1 - Math.exp(-path.damping * elapsed)) / path.damping;
  return [path.from[0] + path.velocity[0] * reach, path.from[1] + path.velocity[1] * reach];
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
