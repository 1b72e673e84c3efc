import type { Point } from '../../../core/maths/box.js';
import { SAMPLE_HZ } from '../../../core/ontology.js';
import type { Paths } from './paths.js';
import type { Random } from '../../stats/random.js';
import { LINGER_RADIUS, type TrackState } from '../../tracks/track-state.js';

/**
 * An exit is the last sight: something is gone when little or nothing of it is left in the picture. Detectors and annotators differ
 * in how much they need, so each path draws the visible share of the area below which it has left, evenly between these.
 */
const MIN_VISIBLE = 0.05;
const MAX_VISIBLE = 0.6;
/** Where one number must do. */
const GONE_VISIBLE = 0.3;
/** Fractional part of the golden ratio. */
const GOLDEN = 0.6180339887498949;
/** Samples for which a crossing must hold (0.2 s). */
const HOLD = 3;
/** Away from where it loitered by more than this many body heights, a thing may loiter again. */
const LEFT_RADIUS = 2;

/**
 * Share of the paths that leave the frame within `horizon` steps. Where less of a person is visible already than
 * the share drawn for a path, the exit lies in the past and does not come true any more.
 */
export function exitShare(
  state: TrackState,
  paths: Paths,
  frame: Point,
  horizon: number,
  random: Random,
): number {
  const now = visibleShare(state, state.x, state.y, frame);
  const { upright } = state.record;
  const first = random.uniform();
  let hits = 0;
  for (let i = 0; i < paths.n; i++) {
    // Multiples of the golden ratio fill the range evenly, whichever paths matter.
    const drawn = MIN_VISIBLE + (MAX_VISIBLE - MIN_VISIBLE) * ((first + i * GOLDEN) % 1);
    if (upright && now < drawn) continue;
    const least = upright ? drawn : drawn * Math.min(1, now / MAX_VISIBLE);
    for (let k = 0; k < horizon; k++) {
      const j = i * paths.steps + k;
      if (visibleShare(state, paths.x[j] ?? 0, paths.y[j] ?? 0, frame) < least) {
        hits += 1;
        break;
      }
    }
  }
  return hits / paths.n;
}

function visibleShare(state: TrackState, x: number, y: number, frame: Point): number {
  const { width, height } = state;
  const top = y - height * (state.record.upright ? 1 : 0.5);
  const w = Math.min(x + width / 2, frame[0]) - Math.max(x - width / 2, 0);
  const h = Math.min(top + height, frame[1]) - Math.max(top, 0);
  return w <= 0 || h <= 0 ? 0 : (w * h) / (width * height);
}

/** Share of the paths that cross a line (px) between its ends within `horizon` steps and stay 0.2 s on the new side. */
export function lineShare(
  state: TrackState,
  paths: Paths,
  line: readonly [Point, Point],
  horizon: number,
): number {
  const now = leftOf(line, state.x, state.y);
  let hits = 0;
  for (let i = 0; i < paths.n; i++) {
    const changed = changes(paths, i, horizon, now, (x, y) => leftOf(line, x, y));
    if (changed.some((k) => passesBetween(line, state, paths, i, k))) hits += 1;
  }
  return hits / paths.n;
}

/** Steps at which a two-valued state of a path changes for 0.2 s or more, within `horizon`. */
function changes(
  paths: Paths,
  i: number,
  horizon: number,
  now: boolean,
  test: (x: number, y: number) => boolean,
): number[] {
  const found: number[] = [];
  let [value, other] = [now, 0];
  for (let k = 0; k < Math.min(horizon + HOLD - 1, paths.steps); k++) {
    const j = i * paths.steps + k;
    other = test(paths.x[j] ?? 0, paths.y[j] ?? 0) === value ? 0 : other + 1;
    if (other < HOLD) continue;
    found.push(k - HOLD + 1);
    [value, other] = [!value, 0];
  }
  return found;
}

/** Side a of a line: left of it on the screen, looking from its first point to its second. */
function leftOf(line: readonly [Point, Point], x: number, y: number): boolean {
  const [[x0, y0], [x1, y1]] = line;
  return (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) < 0;
}

function passesBetween(
  line: readonly [Point, Point],
  state: TrackState,
  paths: Paths,
  i: number,
  k: number,
): boolean {
  const j = i * paths.steps + k;
  const after: Point = [paths.x[j] ?? 0, paths.y[j] ?? 0];
  const before: Point = k === 0 ? [state.x, state.y] : [paths.x[j - 1] ?? 0, paths.y[j - 1] ?? 0];
  const path = [before, after] as const;
  return leftOf(path, ...line[0]) !== leftOf(path, ...line[1]);
}

/** Positions of the last 10 s on the grid of the loiter paths, oldest first, the present last; px. */
export interface LoiterHistory {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Where it loitered last and has not been away from since, px. */
  readonly centre: Point | undefined;
}

/**
 * Share of the paths (steps of `dt` seconds, to the loiter horizon) on which the object comes to loiter: the last
 * `seconds` within 1.5 h of their mean, while still in view, once until it was more than 2 h away.
 */
export function loiterShare(
  state: TrackState,
  paths: Paths,
  history: LoiterHistory,
  frame: Point,
  dt: number,
  seconds: number,
): number {
  const window = Math.round(seconds / dt) + 1;
  const before = history.x.length;
  const xs = Float64Array.from([...history.x, ...new Array<number>(paths.steps).fill(0)]);
  const ys = Float64Array.from([...history.y, ...new Array<number>(paths.steps).fill(0)]);
  let hits = 0;
  for (let i = 0; i < paths.n; i++) {
    let centre = history.centre;
    for (let k = 0; k < paths.steps; k++) {
      const [x, y] = [paths.x[i * paths.steps + k] ?? 0, paths.y[i * paths.steps + k] ?? 0];
      xs[before + k] = x;
      ys[before + k] = y;
      if (visibleShare(state, x, y, frame) < GONE_VISIBLE) break;
      if (centre && Math.hypot(x - centre[0], y - centre[1]) > LEFT_RADIUS * state.h) centre = undefined;
      const first = before + k - window + 1;
      if (centre || first < 0 || !within(xs, ys, first, before + k, LINGER_RADIUS * state.h)) continue;
      hits += 1;
      break;
    }
  }
  return hits / paths.n;
}

function within(xs: Float64Array, ys: Float64Array, first: number, last: number, radius: number): boolean {
  let [mx, my] = [0, 0];
  for (let k = first; k <= last; k++) {
    mx += xs[k] ?? 0;
    my += ys[k] ?? 0;
  }
  mx /= last - first + 1;
  my /= last - first + 1;
  for (let k = last; k >= first; k--) {
    const [dx, dy] = [(xs[k] ?? 0) - mx, (ys[k] ?? 0) - my];
    if (dx * dx + dy * dy > radius * radius) return false;
  }
  return true;
}

/** Steps per second of the loiter paths. */
export const LOITER_PATH_HZ = SAMPLE_HZ / 5;
