import { boxPosition, type Box } from '../../core/maths/box.js';
import { FAST, SAMPLE_HZ, SLOW, TIME_EPSILON, UNSEEN_S } from '../../core/ontology.js';
import type { MemorySnapshot, ObjectRecord, ObjectSample } from '../../core/memory.js';
import { motionKind, type MotionKind } from './motion-kind.js';
import { SLOPE_NORM, SLOPE_SAMPLES, steadyMotion } from './steady-motion.js';

/** Samples of history before the present one: 1.5 s of a turn and 0.6 s for the first of its velocities. */
export const HISTORY = 21;
/** Radius of `lingering`, in body heights. */
export const LINGER_RADIUS = 1.5;
/** A box this near to an edge of the frame is cut by it (fraction of the frame). */
const CLIP_MARGIN = 0.004;
/** Least jitter of a position, in body heights: no detector is exact. */
const MIN_JITTER = 0.003;

/** One object as the sampler needs it at the moment of the forecast. Lengths px, times s. */
export interface TrackState {
  readonly record: ObjectRecord;
  readonly kind: MotionKind;
  /** Steadied position at the forecast's time, whole box assumed where the frame cuts it. */
  readonly x: number;
  readonly y: number;
  /** px/s */
  readonly vx: number;
  readonly vy: number;
  /** px/s², difference of the velocities 0.5 s apart. */
  readonly ax: number;
  readonly ay: number;
  /** Whole box. */
  readonly width: number;
  readonly height: number;
  /** Body height of the definitions (median of the last second). */
  readonly h: number;
  /** sqrt(width · height) of the box as seen. */
  readonly size: number;
  /** bh/s; undefined before 0.6 s of history. */
  readonly speed: number | undefined;
  /** Seconds since firstSeen. */
  readonly ageS: number;
  /** Seconds since lastSeen. */
  readonly unseenS: number;
  /** Seconds for which the speed has been below SLOW, up to now. */
  readonly stillS: number;
  readonly moving: boolean;
  /** Speed < SLOW for ≥ 1 s. */
  readonly standing: boolean;
  /** The last 3 s lie within 1.5 h of their mean. */
  readonly lingering: boolean;
  /** Way made over way gone in the last 10 s, 0–1, in steps of 0.5 s; 1 before 2 s of history. */
  readonly straightness: number;
  /** Standard deviation of a position around its line, px, each axis. */
  readonly jitter: number;
  /** Steadied positions of the last samples, the present one last; at most HISTORY + 1. */
  readonly pastX: Float64Array;
  readonly pastY: Float64Array;
}

/** Objects of a snapshot that a forecast speaks of: those seen within the last second. */
export function trackStates(snapshot: MemorySnapshot): TrackState[] {
  const states: TrackState[] = [];
  for (const record of snapshot.objects) {
    if (snapshot.t - record.lastSeen >= UNSEEN_S - TIME_EPSILON) continue;
    states.push(trackState(record, snapshot));
  }
  return states;
}

function trackState(record: ObjectRecord, snapshot: MemorySnapshot): TrackState {
  const { samples } = record;
  const last = samples.at(-1) ?? sampleOfRecord(record, snapshot);
  const h = Math.max(last.height, 1);
  const whole = wholeBox(samples, last, snapshot.width, snapshot.height);
  const steady = steadyMotion(samples.length > 0 ? samples : [last], record.upright, HISTORY);
  const [vx, vy] = [whole.vx ?? steady.vx, whole.vy ?? steady.vy];
  const lag = Math.min(Math.max(snapshot.t - last.t, 0), UNSEEN_S);
  const cut = boxPosition(whole.box, record.upright);
  const px = whole.vx === undefined ? steady.x : cut[0];
  const py = whole.vy === undefined ? steady.y : cut[1];
  const stillS = secondsBelow(samples, SLOW);
  return {
    record,
    kind: motionKind(record.label, record.upright),
    x: px + vx * lag,
    y: py + vy * lag,
    vx,
    vy,
    ax: steady.ax,
    ay: steady.ay,
    width: whole.box[2],
    height: whole.box[3],
    h,
    size: Math.sqrt(last.box[2] * last.box[3]),
    speed: last.speed,
    ageS: snapshot.t - record.firstSeen,
    unseenS: Math.max(snapshot.t - record.lastSeen, 0),
    stillS,
    moving: last.speed !== undefined && last.speed > FAST,
    standing: stillS >= 1 - TIME_EPSILON,
    lingering: lingersFor(samples, 3),
    straightness: straightnessOf(samples),
    jitter: Math.max(jitterOf(samples), MIN_JITTER * h),
    pastX: past(steady.pastX, whole.vx, px),
    pastY: past(steady.pastY, whole.vy, py),
  };
}

/** A record without samples (first percept): its present box stands for them. */
function sampleOfRecord(record: ObjectRecord, snapshot: MemorySnapshot): ObjectSample {
  const { width, height } = snapshot;
  const [x, y, w, h] = record.box;
  const box: Box = [x * width, y * height, w * width, h * height];
  const position = boxPosition(box, record.upright);
  return { t: snapshot.t, box, position, height: box[3], velocity: undefined, speed: undefined };
}

interface WholeBox {
  readonly box: Box;
  /** Velocity of the edge inside the frame where the box is cut, px/s. */
  readonly vx?: number;
  readonly vy?: number;
}

/**
 * The box as it would be without the frame: while an edge cuts it, its size is the median from before, its place that
 * of the edge inside, whose speed is the object's (that of the cut box's centre is half of it).
 */
function wholeBox(
  samples: readonly ObjectSample[],
  last: ObjectSample,
  width: number,
  height: number,
): WholeBox {
  const [x, y, w, h] = last.box;
  const mx = CLIP_MARGIN * width;
  const my = CLIP_MARGIN * height;
  const left = x <= mx;
  const right = x + w >= width - mx;
  const top = y <= my;
  const bottom = y + h >= height - my;
  let box: Box = last.box;
  let vx: number | undefined;
  let vy: number | undefined;
  if (left !== right) {
    const clear = samples.filter((s) => s.box[0] > mx && s.box[0] + s.box[2] < width - mx);
    const full = Math.max(median(clear.map((s) => s.box[2])) ?? w, w);
    vx = slope(samples, (s) => (left ? s.box[0] + s.box[2] : s.box[0]));
    box = [left ? x + w - full : x, box[1], full, box[3]];
  }
  if (top !== bottom) {
    const clear = samples.filter((s) => s.box[1] > my && s.box[1] + s.box[3] < height - my);
    const full = Math.max(median(clear.map((s) => s.box[3])) ?? h, h);
    vy = slope(samples, (s) => (top ? s.box[1] + s.box[3] : s.box[1]));
    box = [box[0], top ? y + h - full : y, box[2], full];
  }
  return { box, ...(vx !== undefined && { vx }), ...(vy !== undefined && { vy }) };
}

function median(values: number[]): number | undefined {
  values.sort((a, b) => a - b);
  return values[values.length >> 1];
}

/** Least-squares slope of a value over the last 0.6 s, per second; undefined before. */
function slope(samples: readonly ObjectSample[], value: (s: ObjectSample) => number): number | undefined {
  const recent = samples.slice(-SLOPE_SAMPLES);
  if (recent.length < SLOPE_SAMPLES) return undefined;
  const middle = (SLOPE_SAMPLES - 1) / 2;
  return recent.reduce((sum, s, i) => sum + ((i - middle) / SAMPLE_HZ) * value(s), 0) / SLOPE_NORM;
}

function secondsBelow(samples: readonly ObjectSample[], speed: number): number {
  let first = samples.length;
  while (first > 0 && (samples[first - 1]?.speed ?? Infinity) < speed) first--;
  const a = samples[first];
  const b = samples.at(-1);
  return a && b ? b.t - a.t : 0;
}

/** True if the last `seconds` lie within 1.5 h of their mean. */
function lingersFor(samples: readonly ObjectSample[], seconds: number): boolean {
  const n = Math.round(seconds * SAMPLE_HZ) + 1;
  const last = samples.at(-1);
  if (!last || samples.length < n) return false;
  const recent = samples.slice(-n);
  const mx = recent.reduce((sum, s) => sum + s.position[0], 0) / n;
  const my = recent.reduce((sum, s) => sum + s.position[1], 0) / n;
  const limit = LINGER_RADIUS * last.height;
  return recent.every((s) => Math.hypot(s.position[0] - mx, s.position[1] - my) <= limit);
}

function straightnessOf(samples: readonly ObjectSample[]): number {
  if (samples.length < 2 * SAMPLE_HZ) return 1;
  const stride = SAMPLE_HZ / 2;
  const points = samples.filter((_, i) => (samples.length - 1 - i) % stride === 0).map((s) => s.position);
  let gone = 0;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    if (a && b) gone += Math.hypot(b[0] - a[0], b[1] - a[1]);
  }
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || gone === 0) return 1;
  return Math.min(1, Math.hypot(last[0] - first[0], last[1] - first[1]) / gone);
}

/** Root mean square second difference of the last second's positions, over √6: that of white jitter. */
function jitterOf(samples: readonly ObjectSample[]): number {
  const recent = samples.slice(-11);
  let sum = 0;
  let n = 0;
  for (let i = 2; i < recent.length; i++) {
    const [a, b, c] = [recent[i - 2], recent[i - 1], recent[i]];
    if (!a || !b || !c) continue;
    sum += (a.position[0] - 2 * b.position[0] + c.position[0]) ** 2;
    sum += (a.position[1] - 2 * b.position[1] + c.position[1]) ** 2;
    n += 2;
  }
  return n === 0 ? 0 : Math.sqrt(sum / n / 6);
}

/** Steadied positions; along an axis on which the frame cuts the box, a straight line to the whole box. */
function past(steadied: Float64Array, velocity: number | undefined, end: number): Float64Array {
  if (velocity === undefined) return steadied;
  return steadied.map((_, i) => end + (velocity * (i + 1 - steadied.length)) / SAMPLE_HZ);
}
