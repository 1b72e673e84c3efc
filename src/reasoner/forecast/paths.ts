import { FAST, SAMPLE_HZ, SLOW } from '../../core/ontology.js';
import {
  DWELL,
  FRICTION_LOG_SPREAD,
  FRICTION_MEDIAN,
  MOTION_PRIORS,
  ROLLING_FRICTION,
  ROLLING_KEEPS,
  ROLLING_SHARE,
  type MotionPrior,
} from './motion-kind.js';
import type { Random } from './random.js';
import type { TrackState } from './track-state.js';

/** Futures of one object: positions in px, path-major, `steps` per path; step 0 is one time step ahead of now. */
export interface Paths {
  readonly n: number;
  readonly steps: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Mean of the paths at each step, px. */
  readonly meanX: Float32Array;
  readonly meanY: Float32Array;
}

/** What the sampler learned or looked up for one object, as factors of the priors. */
export interface PathRates {
  /** Factor of the spread of positions of this class on this camera. */
  readonly spread: number;
  /** 1/s */
  readonly stopRate: number;
  readonly turnRate: number;
  /** Factor of the start hazard. */
  readonly startFactor: number;
}

/** The velocity's random walk has a knot this often, s. */
const KNOT_S = 0.5;
/** A change of speed lasts on for an exponential time of this mean, s: about a step. */
const ACCELERATION_LASTS_S = 0.5;
/** So does a curve: who walks or drives around a corner takes a second or two for it. */
const CURVE_LASTS_S = 1;
/** A slope over 0.6 s is the velocity of 0.3 s ago: what began since then shows later. */
const VELOCITY_LAG_S = 0.3;
/** The measured change of velocity is noisy: the share of it that is believed, and where it is cut (1/s, rad/s). */
const TREND_TRUST = 0.5;
const MOST_TREND = 2;
/** A stop takes this long, a start too, s (a walker's gait changes within one step, about 0.6 s). */
const CHANGE_S = 0.6;
/** A deliberate turn takes this long, s, and changes the heading by this much, rad. */
const TURN_S = 0.8;
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

/** Draws of one path; written anew for each. */
interface Draw {
  v0x: number;
  v0y: number;
  atRest: boolean;
  dwells: boolean;
  startAt: number;
  stopAt: number;
  restartAt: number;
  turnAt: number;
  turnBy: number;
  accelerateFor: number;
  curveFor: number;
  /** px/s² while it slides, and once it rolls; the latter is the former for what does not roll. */
  friction: number;
  rolling: number;
  startVx: number;
  startVy: number;
}

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
    for (const strata of [this.#stop, this.#turn, this.#start, this.#mode]) random.stratified(strata);
    const prior = MOTION_PRIORS[state.kind];
    const frictions = state.kind === 'body' ? frictionQuantiles(state, n) : undefined;
    const dwelling = dwellChance(state);
    const context = { state, prior, rates, dt, trend: trendOf(state) };
    for (let i = 0; i < n; i++) {
      const draw = this.#draw(i, state, prior, rates, dwelling, random);
      draw.friction = (frictions?.[i] ?? 0) * state.h;
      const rolls = random.uniform() < ROLLING_SHARE;
      draw.rolling = rolls ? Math.min(draw.friction, ROLLING_FRICTION * state.h) : draw.friction;
      run(
        draw,
        context,
        x.subarray(i * steps, (i + 1) * steps),
        y.subarray(i * steps, (i + 1) * steps),
        random,
      );
    }
    return { n, steps, x, y, meanX: meanOf(x, n, steps), meanY: meanOf(y, n, steps) };
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
export function dwellChance(state: TrackState): number {
  if (state.kind !== 'walker' || state.speed === undefined) return 0;
  const { priorOdds, goingSpeed, dwellingSpeed, speedDeviation } = DWELL;
  const log = (mean: number): number => -0.5 * (((state.speed ?? 0) - mean) / speedDeviation) ** 2;
  const bySpeed = Math.exp(
    log(dwellingSpeed) - log(Math.min(goingSpeed, Math.max(state.speed, dwellingSpeed))),
  );
  const odds = (priorOdds * bySpeed) / (3 * Math.max(state.straightness, 0.2) ** 2);
  return odds / (1 + odds);
}

/** How the velocity is changing now: relative gain of speed (1/s) and turning rate (rad/s), as far as believed. */
interface Trend {
  readonly gain: number;
  readonly curve: number;
}

function trendOf(state: TrackState): Trend {
  const least = (SLOW * state.h) ** 2;
  const speed2 = Math.max(state.vx ** 2 + state.vy ** 2, least);
  const gain = (state.ax * state.vx + state.ay * state.vy) / speed2;
  const curve = (state.vx * state.ay - state.vy * state.ax) / speed2;
  return {
    gain: TREND_TRUST * Math.min(Math.max(gain, -MOST_TREND), MOST_TREND),
    curve: TREND_TRUST * Math.min(Math.max(curve, -MOST_TREND), MOST_TREND),
  };
}

/** What all paths of one object share. */
interface Context {
  readonly state: TrackState;
  readonly prior: MotionPrior;
  readonly rates: PathRates;
  /** s */
  readonly dt: number;
  readonly trend: Trend;
}

/** Integrates one path. */
function run(draw: Draw, context: Context, x: Float32Array, y: Float32Array, random: Random): void {
  const { state, prior, rates, dt, trend } = context;
  const forgets = draw.dwells ? 1 - Math.exp(-KNOT_S / DWELL.memoryS) : 0;
  const wander =
    (draw.dwells
      ? DWELL.speed * Math.sqrt(1 - (1 - forgets) ** 2)
      : (draw.atRest ? prior.restWander : prior.wander) * rates.spread * Math.sqrt(KNOT_S)) * state.h;
  const knotSteps = Math.max(1, Math.round(KNOT_S / dt));
  const driven = !draw.atRest && state.kind !== 'body';
  let [px, py] = [state.x, state.y];
  let [driftX, driftY, stepX, stepY] = [0, 0, 0, 0];
  for (let k = 0; k < x.length; k++) {
    const t = (k + 0.5) * dt;
    if (k % knotSteps === 0) {
      stepX = (wander * random.normal() - forgets * driftX) / knotSteps;
      stepY = (wander * random.normal() - forgets * driftY) / knotSteps;
    }
    driftX += stepX;
    driftY += stepY;
    const kept = draw.dwells ? Math.exp(-t / DWELL.memoryS) : 1;
    let vx = kept * draw.v0x + driftX;
    let vy = kept * draw.v0y + driftY;
    if (driven) {
      const lasted = VELOCITY_LAG_S + Math.min(t, draw.accelerateFor);
      // A braking thing stands in the end; it does not run backwards.
      const gained = Math.max(0, 1 + trend.gain * lasted);
      vx *= gained;
      vy *= gained;
    }
    const f = factor(draw, t, Math.hypot(vx, vy));
    vx *= f;
    vy *= f;
    const turned = draw.turnBy * Math.min(Math.max((t - draw.turnAt) / TURN_S, 0), 1);
    const angle = turned + (driven ? trend.curve * (VELOCITY_LAG_S + Math.min(t, draw.curveFor)) : 0);
    if (angle !== 0) {
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      [vx, vy] = [c * vx - s * vy, s * vx + c * vy];
    }
    if (draw.atRest) {
      const go = ramp(t - draw.startAt) * (1 - ramp(t - draw.stopAt));
      vx += go * draw.startVx;
      vy += go * draw.startVy;
    }
    px += vx * dt;
    py += vy * dt;
    x[k] = px;
    y[k] = py;
  }
}

/** Share of the free speed that is left at time t: friction of bodies, a stop and a new start of the others. */
function factor(draw: Draw, t: number, speed: number): number {
  if (draw.atRest) return 1;
  const slowed = draw.friction > 0 && speed > 0 ? braked(draw, t, speed) / speed : 1;
  return slowed * (1 - ramp(t - draw.stopAt) * (1 - ramp(t - draw.restartAt)));
}

/** Speed after t seconds of friction, px/s. */
function braked({ friction, rolling }: Draw, t: number, speed: number): number {
  const slides = rolling < friction ? ((1 - ROLLING_KEEPS) * speed) / friction : Infinity;
  const slid = Math.min(t, slides);
  return Math.max(0, speed - friction * slid - rolling * (t - slid));
}

function ramp(since: number): number {
  return Math.min(Math.max(since / CHANGE_S, 0), 1);
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
