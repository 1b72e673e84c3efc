import { FAST, SAMPLE_HZ, SLOW } from '../../../core/ontology.js';
import {
  DWELL,
  FRICTION_LOG_SPREAD,
  FRICTION_MEDIAN,
  MOTION_PRIORS,
  ROLLING_FRICTION,
  ROLLING_SHARE,
  type MotionPrior,
} from '../../tracks/motion-kind.js';
import { runPath, trendOf, VELOCITY_LAG_S, type Draw, type PathRates } from './path-run.js';
import type { Random } from '../../stats/random.js';
import type { TrackState } from '../../tracks/track-state.js';

/** Futures of one object: positions in px, path-major, `steps` per path; step 0 is one time step ahead of now. */
export interface Paths {
  readonly n: number;
  readonly steps: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Mean of the paths at each step, px. */
  readonly meanX: Float32Array;
  readonly meanY: Float32Array;
  /** Error of the measured velocity that each path was drawn with, px/s. */
  readonly errorX: Float32Array;
  readonly errorY: Float32Array;
}

/** A change of speed lasts on for an exponential time of this mean, s: about a step. */
const ACCELERATION_LASTS_S = 0.5;
/** So does a curve: who walks or drives around a corner takes a second or two for it. */
const CURVE_LASTS_S = 1;
/** A deliberate turn changes the heading by this much, rad. */
const TURN_LEAST = Math.PI / 4;
const TURN_MOST = (5 * Math.PI) / 6;
/** Once started, a standing thing stops again at this rate, 1/s: many starts are a step aside. */
const STOP_AFTER_START_RATE = 0.15;
/** Noise of a measured deceleration, bh/s². */
const DECELERATION_NOISE = 0.5;
/** Values of the deceleration over which the posterior is taken: quantiles of the prior. */
const FRICTION_GRID = [
  -2.05, -1.48, -1.13, -0.86, -0.63, -0.43, -0.23, 0, 0.23, 0.43, 0.63, 0.86, 1.13, 1.48, 2.05,
];

/** Samples the futures of one object from a mixture: go on, slow down and stop, turn, start; friction for bodies. */
export class PathSampler {
  readonly n: number;
  readonly #stop: Float64Array;
  readonly #turn: Float64Array;
  readonly #start: Float64Array;
  readonly #mode: Float64Array;

  /** @param n paths per object, ≥ 1. */
  constructor(n: number) {
    this.n = n;
    this.#stop = new Float64Array(n);
    this.#turn = new Float64Array(n);
    this.#start = new Float64Array(n);
    this.#mode = new Float64Array(n);
  }

  /**
   * @param steps steps ahead
   * @param dt length of a step, s
   */
  sample(state: TrackState, rates: PathRates, steps: number, dt: number, random: Random): Paths {
    const { n } = this;
    const x = new Float32Array(n * steps);
    const y = new Float32Array(n * steps);
    const errorX = new Float32Array(n);
    const errorY = new Float32Array(n);
    for (const strata of [this.#stop, this.#turn, this.#start, this.#mode]) random.stratified(strata);
    const prior = MOTION_PRIORS[state.kind];
    const frictions = state.kind === 'body' ? frictionQuantiles(state, n) : undefined;
    const dwelling = dwellChance(state);
    const context = { state, prior, dt, trend: trendOf(state, prior.velocityError * rates.spread) };
    for (let i = 0; i < n; i++) {
      const draw = this.#draw(i, state, prior, rates, dwelling, random);
      errorX[i] = draw.v0x - state.vx;
      errorY[i] = draw.v0y - state.vy;
      draw.friction = (frictions?.[i] ?? 0) * state.h;
      const rolls = random.uniform() < ROLLING_SHARE;
      draw.rolling = rolls ? Math.min(draw.friction, ROLLING_FRICTION * state.h) : draw.friction;
      runPath(
        draw,
        context,
        x.subarray(i * steps, (i + 1) * steps),
        y.subarray(i * steps, (i + 1) * steps),
        random,
      );
    }
    return { n, steps, x, y, meanX: meanOf(x, n, steps), meanY: meanOf(y, n, steps), errorX, errorY };
  }

  #draw(
    i: number,
    state: TrackState,
    prior: MotionPrior,
    rates: PathRates,
    dwelling: number,
    random: Random,
  ): Draw {
    const { h } = state;
    const speed = state.speed ?? Math.hypot(state.vx, state.vy) / h;
    const atRest = (this.#mode[i] ?? 0.5) > (speed - SLOW) / (FAST - SLOW);
    const error = (atRest ? prior.restVelocityError : prior.velocityError) * rates.spread * h;
    const uStart = this.#start[i] ?? 0.5;
    const lomax = (stood: number, u: number): number =>
      ((prior.startScaleS + stood) * (Math.pow(1 - u, -1 / prior.startShape) - 1)) / rates.startFactor;
    const startAt = atRest ? lomax(state.stillS, uStart) - VELOCITY_LAG_S : 0;
    const stopRate = atRest ? STOP_AFTER_START_RATE : rates.stopRate;
    const stopAfter = -Math.log(1 - (this.#stop[i] ?? 0.5)) / Math.max(stopRate, 1e-6);
    const stopAt = atRest ? startAt + stopAfter : stopAfter - VELOCITY_LAG_S;
    const heading = random.uniform() * 2 * Math.PI;
    const startSpeed = Math.max(SLOW, prior.startSpeed + prior.startSpeedSpread * random.normal()) * h;
    const side = random.uniform() < 0.5 ? -1 : 1;
    return {
      v0x: state.vx + error * random.normal(),
      v0y: state.vy + error * random.normal(),
      atRest,
      dwells: !atRest && random.uniform() < dwelling,
      startAt,
      stopAt,
      restartAt: stopAt + lomax(0, random.uniform()),
      turnAt: -Math.log(1 - (this.#turn[i] ?? 0.5)) / Math.max(rates.turnRate, 1e-6) - VELOCITY_LAG_S,
      turnBy: side * (TURN_LEAST + (TURN_MOST - TURN_LEAST) * random.uniform()),
      accelerateFor: -Math.log(random.uniform()) * ACCELERATION_LASTS_S,
      curveFor: -Math.log(random.uniform()) * CURVE_LASTS_S,
      friction: 0,
      rolling: 0,
      startVx: startSpeed * Math.cos(heading),
      startVy: startSpeed * Math.sin(heading),
    };
  }
}

/** Chance that a walker dwells, see DWELL; 0 for everything else. */
function dwellChance(state: TrackState): number {
  if (state.kind !== 'walker' || state.speed === undefined) return 0;
  const { priorOdds, goingSpeed, dwellingSpeed, speedDeviation } = DWELL;
  const log = (mean: number): number => -0.5 * (((state.speed ?? 0) - mean) / speedDeviation) ** 2;
  const bySpeed = Math.exp(
    log(dwellingSpeed) - log(Math.min(goingSpeed, Math.max(state.speed, dwellingSpeed))),
  );
  const odds = (priorOdds * bySpeed) / (3 * Math.max(state.straightness, 0.2) ** 2);
  return odds / (1 + odds);
}

/**
 * n equally likely decelerations, bh/s²: quantiles of the posterior from the log-normal prior and the change of speed
 * over the last half second, whose error is normal. A body that got faster was just pushed: only the prior counts.
 */
function frictionQuantiles(state: TrackState, n: number): Float64Array {
  const speed = Math.hypot(state.vx, state.vy);
  const slowing = speed > 0 ? -(state.ax * state.vx + state.ay * state.vy) / speed / state.h : 0;
  const measured = slowing > -DECELERATION_NOISE && (state.ax !== 0 || state.ay !== 0);
  const values = FRICTION_GRID.map((z) => FRICTION_MEDIAN * Math.exp(FRICTION_LOG_SPREAD * z));
  const weights = values.map((a) =>
    measured ? Math.exp(-0.5 * ((slowing - a) / DECELERATION_NOISE) ** 2) : 1,
  );
  const total = weights.reduce((sum, w) => sum + w, 0);
  const out = new Float64Array(n);
  let j = 0;
  let passed = (weights[0] ?? 1) / total;
  for (let i = 0; i < n; i++) {
    while ((i + 0.5) / n > passed && j < values.length - 1) {
      j += 1;
      passed += (weights[j] ?? 0) / total;
    }
    out[i] = values[j] ?? FRICTION_MEDIAN;
  }
  return out;
}

function meanOf(values: Float32Array, n: number, steps: number): Float32Array {
  const mean = new Float32Array(steps);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < steps; k++) mean[k] = (mean[k] ?? 0) + (values[i * steps + k] ?? 0) / n;
  return mean;
}

/** Steps per second of the standard paths. */
export const PATH_HZ = SAMPLE_HZ;
