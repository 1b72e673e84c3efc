import { SAMPLE_HZ } from '../../core/ontology.js';
import type { ObjectSample } from '../../core/memory.js';

/** Samples of the velocity's least-squares line (0.6 s). */
export const SLOPE_SAMPLES = 7;
/** Σ τ² of the seven sample times around their middle, s². */
export const SLOPE_NORM = 0.28;
/** Samples between the two velocities whose difference is the acceleration (0.5 s). */
const ACCELERATION_SAMPLES = 5;
/** Samples on each side over which the past is averaged, as the event rules do with estimated tracks (0.3 s). */
const AROUND = 3;
/** Samples over which the usual height of a box is the median (3 s): longer than a passing occlusion. */
const USUAL_SAMPLES = 31;
/**
 * A box whose height differs from the usual by MIN_CUT may be cut by something in front, or joined with a neighbour's;
 * by MAX_CUT it is. Below is a detector's error and the growth of someone who walks towards the camera (5 % a second).
 */
const MIN_CUT = 0.12;
const MAX_CUT = 0.2;

/** How an object moves, without the jumps of a box of which an edge is hidden. Lengths px, times s. */
export interface SteadyMotion {
  /** End of the line through the last 0.6 s, and its slope. */
  readonly x: number;
  readonly y: number;
  readonly vx: number;
  readonly vy: number;
  /** Difference of such slopes 0.5 s apart, per second; 0 before 1.1 s of history. */
  readonly ax: number;
  readonly ay: number;
  /** Positions averaged over ±0.3 s, those of the last 0.3 s on the line; oldest first, the present one last. */
  readonly pastX: Float64Array;
  readonly pastY: Float64Array;
}

/**
 * @param samples of one object, oldest first, at least one
 * @param most samples of the past before the present one
 */
export function steadyMotion(samples: readonly ObjectSample[], upright: boolean, most: number): SteadyMotion {
  const recent = samples.slice(-(most + AROUND + 1));
  const xs = recent.map((s) => s.position[0]);
  const ys = upright ? groundLevels(samples, recent.length) : recent.map((s) => s.position[1]);
  const [x, vx, ax] = lineOf(xs);
  const [y, vy, ay] = lineOf(ys);
  return { x, y, vx, vy, ax, ay, pastX: pastOf(xs, x, vx, most), pastY: pastOf(ys, y, vy, most) };
}

/**
 * Where the feet are. When the height of a box leaves the usual, one of its edges shows something else: the feet are at
 * the lower edge or one usual height below the upper, whichever is nearer to where they were.
 */
function groundLevels(samples: readonly ObjectSample[], count: number): number[] {
  const from = samples.length - count;
  const levels: number[] = [];
  let before: number | undefined;
  for (let i = from; i < samples.length; i++) {
    const { box, position } = samples[i] as ObjectSample;
    const usual = usualHeight(samples, i);
    const lower = position[1];
    const hanging = box[1] + usual;
    const off = Math.abs(box[3] - usual) / usual;
    const doubt = Math.min(Math.max((off - MIN_CUT) / (MAX_CUT - MIN_CUT), 0), 1);
    const hangs = before !== undefined && Math.abs(hanging - before) < Math.abs(lower - before);
    const level: number = hangs ? lower + doubt * (hanging - lower) : lower;
    levels.push(level);
    before = level;
  }
  return levels;
}

function usualHeight(samples: readonly ObjectSample[], i: number): number {
  const heights = samples.slice(Math.max(0, i + 1 - USUAL_SAMPLES), i + 1).map((s) => s.box[3]);
  heights.sort((a, b) => a - b);
  return Math.max(heights[heights.length >> 1] ?? 0, 1);
}

/** End, slope per second and change of the slope per second² of the least-squares line of the last 0.6 s. */
function lineOf(values: readonly number[]): readonly [end: number, slope: number, change: number] {
  const n = values.length;
  const end = values[n - 1] ?? 0;
  const slope = slopeAt(values, n - 1);
  if (slope === undefined) return [end, 0, 0];
  const mean = values.slice(-SLOPE_SAMPLES).reduce((sum, v) => sum + v, 0) / SLOPE_SAMPLES;
  const earlier = slopeAt(values, n - 1 - ACCELERATION_SAMPLES);
  const change = earlier === undefined ? 0 : ((slope - earlier) * SAMPLE_HZ) / ACCELERATION_SAMPLES;
  return [mean + (slope * (SLOPE_SAMPLES - 1)) / 2 / SAMPLE_HZ, slope, change];
}

function slopeAt(values: readonly number[], last: number): number | undefined {
  if (last < SLOPE_SAMPLES - 1) return undefined;
  const middle = (SLOPE_SAMPLES - 1) / 2;
  let sum = 0;
  for (let j = -middle; j <= middle; j++) sum += j * (values[last - middle + j] ?? 0);
  return sum / SAMPLE_HZ / SLOPE_NORM;
}

function pastOf(values: readonly number[], end: number, slope: number, most: number): Float64Array {
  const n = values.length;
  const first = Math.max(0, n - 1 - most);
  return Float64Array.from({ length: n - first }, (_, at) => {
    const i = first + at;
    if (n < SLOPE_SAMPLES) return values[i] ?? 0;
    if (i > n - 1 - AROUND) return end + (slope * (i - n + 1)) / SAMPLE_HZ;
    const around = Math.min(AROUND, i);
    let sum = 0;
    for (let j = i - around; j <= i + around; j++) sum += values[j] ?? 0;
    return sum / (2 * around + 1);
  });
}
