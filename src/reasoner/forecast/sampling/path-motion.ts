import { FAST, SAMPLE_HZ, SLOW } from '../../../core/ontology.js';
import type { Paths } from './paths.js';
import { SLOPE_NORM, SLOPE_SAMPLES } from '../../tracks/steady-motion.js';
import { HISTORY, type TrackState } from '../../tracks/track-state.js';

/** Runs of the definitions, in samples: a run that spans D seconds has D · 10 + 1 of them. */
const STOP_WAS = 7;
const STOP_NOW = 9;
const START_WAS = 11;
const START_NOW = 5;
/** Samples within which a turn happens (1.5 s), and its least angle. */
const TURN_SPAN = 15;
const TURN_COS = 0.5;
/** cos² 30°. */
const HALF_TURN_COS2 = 0.75;

/** Shares of the paths on which an event of the type begins within the horizon. */
export interface MotionShares {
  readonly stop: number;
  readonly start: number;
  readonly turn: number;
}

/**
 * Applies the rules of `stop`, `start_moving` and `turn` to the history of an object followed by each of its sampled
 * paths, as the memory will apply them to what really happens: speeds are slopes over 0.6 s. A detector's errors have no
 * part in it: the history is steadied, as the memory's rules steady what they see.
 */
export class MotionRules {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #vx: Float64Array;
  readonly #vy: Float64Array;
  readonly #speed: Float64Array;
  #since = -1;

  /** @param steps most steps of a path. */
  constructor(steps: number) {
    const length = HISTORY + 1 + steps;
    this.#x = new Float64Array(length);
    this.#y = new Float64Array(length);
    this.#vx = new Float64Array(length);
    this.#vy = new Float64Array(length);
    this.#speed = new Float64Array(length);
  }

  /** @param horizon steps within which the event must begin. */
  shares(state: TrackState, paths: Paths, horizon: number): MotionShares {
    const before = state.pastX.length;
    const end = before + paths.steps;
    const from = before;
    const to = before + horizon - 1;
    let [stop, start, turn] = [0, 0, 0];
    for (let i = 0; i < paths.n; i++) {
      this.#extend(state, paths, i, before);
      if (state.standing) {
        if (this.#changes(end, from, to, false)) start += 1;
      } else if (state.moving) {
        if (this.#changes(end, from, to, true)) stop += 1;
        if (this.#turns(end, from, to)) turn += 1;
      }
    }
    return { stop: stop / paths.n, start: start / paths.n, turn: turn / paths.n };
  }

  /** Puts path i behind the history and takes its velocities and speeds (bh/s). */
  #extend(state: TrackState, paths: Paths, i: number, before: number): void {
    const end = before + paths.steps;
    const [errorX, errorY] = [paths.errorX[i] ?? 0, paths.errorY[i] ?? 0];
    // A velocity that is not the measured one was another before, too: the error is no change of motion.
    for (let k = 0; k < before; k++) {
      const ago = (before - 1 - k) / SAMPLE_HZ;
      this.#x[k] = (state.pastX[k] ?? 0) - errorX * ago;
      this.#y[k] = (state.pastY[k] ?? 0) - errorY * ago;
    }
    for (let k = 0; k < paths.steps; k++) {
      this.#x[before + k] = paths.x[i * paths.steps + k] ?? 0;
      this.#y[before + k] = paths.y[i * paths.steps + k] ?? 0;
    }
    const middle = (SLOPE_SAMPLES - 1) / 2;
    for (let k = SLOPE_SAMPLES - 1; k < end; k++) {
      let [sx, sy] = [0, 0];
      for (let j = -middle; j <= middle; j++) {
        sx += j * (this.#x[k - middle + j] ?? 0);
        sy += j * (this.#y[k - middle + j] ?? 0);
      }
      const scale = 1 / (SLOPE_NORM * SAMPLE_HZ);
      this.#vx[k] = sx * scale;
      this.#vy[k] = sy * scale;
      this.#speed[k] = Math.sqrt(sx * sx + sy * sy) * (scale / state.h);
    }
  }

  /** True if a stop (or a start) begins at a sample from..to: the state before, then the state after, both held. */
  #changes(end: number, from: number, to: number, stop: boolean): boolean {
    const wasNeeds = stop ? STOP_WAS : START_WAS;
    const nowNeeds = stop ? STOP_NOW : START_NOW;
    let [was, now] = [0, 0];
    // Whatever the history shows too little of is given by the state that made the item due.
    let armed = from < HISTORY + 1;
    for (let k = SLOPE_SAMPLES - 1; k < end; k++) {
      const speed = this.#speed[k] ?? 0;
      was = (stop ? speed > FAST : speed < SLOW) ? was + 1 : 0;
      now = (stop ? speed < SLOW : speed > FAST) ? now + 1 : 0;
      if (was >= wasNeeds) armed = true;
      if (now === nowNeeds && armed) {
        const at = k - nowNeeds + 1;
        if (at > to) return false;
        if (at >= from) return true;
        armed = false;
      }
    }
    return false;
  }

  /** True if the half of a turn's largest change lies at a sample from..to. */
  #turns(end: number, from: number, to: number): boolean {
    if (this.#keepsHeading(end, from)) return false;
    let last = -Infinity;
    let [runBest, runAt, runSince] = [2, -1, -1];
    for (let j = SLOPE_SAMPLES; j <= end; j++) {
      const best = j < end ? this.#largestChange(j) : 2;
      if (best < TURN_COS) {
        if (runAt < 0 || best < runBest) [runBest, runAt, runSince] = [best, j, this.#since];
        continue;
      }
      if (runAt < 0) continue;
      const at = this.#halfOf(runSince, runAt);
      [runBest, runAt] = [2, -1];
      if (at - last < TURN_SPAN) continue;
      if (at >= from) return at <= to;
      last = at;
    }
    return false;
  }

  /** Least cosine between the heading at sample j and one of the last 1.5 s, both moving; `#since` is where that was. */
  #largestChange(j: number): number {
    const speed = this.#speed;
    let best = 2;
    this.#since = -1;
    if ((speed[j] ?? 0) <= FAST) return best;
    const vx = this.#vx[j] ?? 0;
    const vy = this.#vy[j] ?? 0;
    const own = vx * vx + vy * vy;
    for (let i = Math.max(SLOPE_SAMPLES - 1, j - TURN_SPAN); i < j; i++) {
      if ((speed[i] ?? 0) <= FAST) continue;
      const wx = this.#vx[i] ?? 0;
      const wy = this.#vy[i] ?? 0;
      const dot = vx * wx + vy * wy;
      const squares = own * (wx * wx + wy * wy);
      // Most pairs are far from a turn; only the near ones cost a root.
      if (dot > 0 && dot * dot > TURN_COS * squares) continue;
      const cosine = dot / Math.sqrt(squares);
      if (cosine > best) continue;
      best = cosine;
      this.#since = i;
    }
    return best;
  }

  /** True if every moving sample heads within 30° of the present velocity: then no two differ by a turn. */
  #keepsHeading(end: number, from: number): boolean {
    const rx = this.#vx[from - 1] ?? 0;
    const ry = this.#vy[from - 1] ?? 0;
    const own = rx * rx + ry * ry;
    for (let k = SLOPE_SAMPLES - 1; k < end; k++) {
      if ((this.#speed[k] ?? 0) <= FAST) continue;
      const vx = this.#vx[k] ?? 0;
      const vy = this.#vy[k] ?? 0;
      const dot = rx * vx + ry * vy;
      if (dot <= 0 || dot * dot < HALF_TURN_COS2 * own * (vx * vx + vy * vy)) return false;
    }
    return true;
  }

  /** First sample at which half of the change between two samples is reached. */
  #halfOf(since: number, at: number): number {
    const angle = (k: number): number => {
      const cross = (this.#vx[since] ?? 0) * (this.#vy[k] ?? 0) - (this.#vy[since] ?? 0) * (this.#vx[k] ?? 0);
      const dot = (this.#vx[since] ?? 0) * (this.#vx[k] ?? 0) + (this.#vy[since] ?? 0) * (this.#vy[k] ?? 0);
      return Math.abs(Math.atan2(cross, dot));
    };
    const half = angle(at) / 2;
    for (let k = since; k < at; k++) if (angle(k) >= half) return k;
    return at;
  }
}
