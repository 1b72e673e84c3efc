import { SLOW } from '../../../core/ontology.js';
import { DWELL, ROLLING_KEEPS, type MotionPrior } from '../../tracks/motion-kind.js';
import type { Random } from '../../stats/random.js';
import type { TrackState } from '../../tracks/track-state.js';

/** What the sampler learned or looked up for one object, as factors of the priors. */
export interface PathRates {
  /** Factor of the error of measured velocities of this class on this camera. */
  readonly spread: number;
  /** 1/s */
  readonly stopRate: number;
  readonly turnRate: number;
  /** Factor of the start hazard. */
  readonly startFactor: number;
}

/** The velocity's random walk has a knot this often, s. */
const KNOT_S = 0.5;
/** A slope over 0.6 s is the velocity of 0.3 s ago: what began since then shows later. */
export const VELOCITY_LAG_S = 0.3;
/** Usual change of velocity of what walks or drives, bh/s² (standard deviation): a quarter of a walk in half a second. */
const USUAL_CHANGE = 0.4;
/** A change is the difference of two velocities half a second apart: its error is this many times theirs, 1/s. */
const CHANGE_ERROR = Math.SQRT2 / 0.5;
/** Where a trend is cut (1/s, rad/s). */
const MAX_TREND = 2;
/** A stop takes this long, a start too, s (a walker's gait changes within one step, about 0.6 s). */
const CHANGE_S = 0.6;
/** A deliberate turn takes this long, s. */
const TURN_S = 0.8;

/** Draws of one path; written anew for each. */
export interface Draw {
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

/** How the velocity is changing now: relative gain of speed (1/s) and turning rate (rad/s), as far as believed. */
export interface Trend {
  readonly gain: number;
  readonly curve: number;
}

/**
 * The measured change, shrunk by what of it is usually real: U² / (U² + error²).
 *
 * @param velocityError standard deviation of a measured velocity, each axis, bh/s
 */
export function trendOf(state: TrackState, velocityError: number): Trend {
  const trust = USUAL_CHANGE ** 2 / (USUAL_CHANGE ** 2 + (CHANGE_ERROR * velocityError) ** 2);
  const least = (SLOW * state.h) ** 2;
  const speed2 = Math.max(state.vx ** 2 + state.vy ** 2, least);
  const gain = (state.ax * state.vx + state.ay * state.vy) / speed2;
  const curve = (state.vx * state.ay - state.vy * state.ax) / speed2;
  return {
    gain: trust * Math.min(Math.max(gain, -MAX_TREND), MAX_TREND),
    curve: trust * Math.min(Math.max(curve, -MAX_TREND), MAX_TREND),
  };
}

/** What all paths of one object share. */
export interface PathContext {
  readonly state: TrackState;
  readonly prior: MotionPrior;
  /** s */
  readonly dt: number;
  readonly trend: Trend;
}

/** Integrates one path into x and y, px. */
export function runPath(
  draw: Draw,
  context: PathContext,
  x: Float32Array,
  y: Float32Array,
  random: Random,
): void {
  const { state, prior, dt, trend } = context;
  const forgets = draw.dwells ? 1 - Math.exp(-KNOT_S / DWELL.memoryS) : 0;
  const wander =
    (draw.dwells
      ? DWELL.speed * Math.sqrt(1 - (1 - forgets) ** 2)
      : (draw.atRest ? prior.restWander : prior.wander) * Math.sqrt(KNOT_S)) * state.h;
  const knotSteps = Math.max(1, Math.round(KNOT_S / dt));
  const driven = !draw.atRest && state.kind !== 'body';
  const keeps = draw.dwells ? Math.exp(-dt / DWELL.memoryS) : 1;
  let kept = Math.sqrt(keeps);
  let px = state.x;
  let py = state.y;
  let driftX = 0;
  let driftY = 0;
  let stepX = 0;
  let stepY = 0;
  let angle = 0;
  let cos = 1;
  let sin = 0;
  for (let k = 0; k < x.length; k++) {
    const t = (k + 0.5) * dt;
    if (k % knotSteps === 0) {
      stepX = (wander * random.normal() - forgets * driftX) / knotSteps;
      stepY = (wander * random.normal() - forgets * driftY) / knotSteps;
    }
    driftX += stepX;
    driftY += stepY;
    const freeX = kept * draw.v0x + driftX;
    const freeY = kept * draw.v0y + driftY;
    kept *= keeps;
    const turn = angleAt(draw, driven ? trend.curve : 0, t);
    if (turn !== angle) {
      angle = turn;
      cos = Math.cos(angle);
      sin = Math.sin(angle);
    }
    const f = draw.atRest ? 1 : share(draw, driven ? trend.gain : 0, t, freeX, freeY);
    let vx = f * (cos * freeX - sin * freeY);
    let vy = f * (sin * freeX + cos * freeY);
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

/** Angle by which the heading has turned at time t, rad: a deliberate turn, and the present curve while it lasts. */
function angleAt(draw: Draw, curve: number, t: number): number {
  const turned = t > draw.turnAt ? draw.turnBy * Math.min((t - draw.turnAt) / TURN_S, 1) : 0;
  return curve === 0 ? turned : turned + curve * (VELOCITY_LAG_S + Math.min(t, draw.curveFor));
}

/** Share of the free speed at time t: its present trend, friction of bodies, a stop and a new start of the others. */
function share(draw: Draw, gain: number, t: number, vx: number, vy: number): number {
  // A braking thing stands in the end; it does not run backwards.
  let f = gain === 0 ? 1 : Math.max(0, 1 + gain * (VELOCITY_LAG_S + Math.min(t, draw.accelerateFor)));
  if (draw.friction > 0) {
    const speed = Math.sqrt(vx * vx + vy * vy);
    if (speed > 0) f *= braked(draw, t, speed) / speed;
  }
  return t > draw.stopAt ? f * (1 - ramp(t - draw.stopAt) * (1 - ramp(t - draw.restartAt))) : f;
}

/** Speed after t seconds of friction, px/s. */
function braked(draw: Draw, t: number, speed: number): number {
  const { friction, rolling } = draw;
  const slides = rolling < friction ? ((1 - ROLLING_KEEPS) * speed) / friction : Infinity;
  const slid = Math.min(t, slides);
  return Math.max(0, speed - friction * slid - rolling * (t - slid));
}

function ramp(since: number): number {
  return Math.min(Math.max(since / CHANGE_S, 0), 1);
}
