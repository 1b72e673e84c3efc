import { z } from 'zod';
import type { Affine, Box, Point } from '../../../core/maths/box.js';
import { AxisFilter, savedAxis } from './axis-filter.js';
import { JitterEstimate, savedJitter } from './jitter.js';
import type { Sighting } from '../sightings.js';

/*
 * All speeds below are in box scales per second; the scale of a box is its longer side, so that people (height) and
 * vehicles (length) are measured by the same rule: a walk is about 0.8 body heights, city traffic about 2 to 3 car
 * lengths a second.
 */

/** Standard deviation of an unknown object's speed per axis. */
const SPEED_PRIOR = 1.5;
/** The same for the growth of its sides: approaching at a walk from a few heights away. */
const GROWTH_PRIOR = 0.2;
/** Change of velocity within one second (standard deviation): a walker can stop or start in about that time. */
const VELOCITY_CHANGE = 0.4;
/** Change of the growth of the sides within one second. */
const GROWTH_CHANGE = 0.15;
/**
 * Time constant with which the velocity of a hidden object fades, s: an object hidden for a second often stands
 * there.
 */
const HIDDEN_DECAY = 2;
/** The same for growth, which fades fast: perspective gives little information about a hidden object. */
const HIDDEN_GROWTH_DECAY = 0.2;
/** Errors of a detector persist this long, s (pose, background): a higher frame rate does not average them out. */
const CORRELATION = 0.1;
/** A half-covered box may show the visible half only: its error grows to this many times the usual one. */
const COVERED_DOUBT = 4;
/** Detections covered by more than this do not enter the jitter. */
const MAX_COVERED = 0.1;
/** Minimum interval of measurements for the jitter estimate, s (independent errors), */
const JITTER_STEP = 0.1;
/** and the maximum one (beyond it acceleration counts as jitter). */
const MAX_JITTER_STEP = 0.25;
/** Minimum side of an estimated box, px. */
const MIN_SIDE = 1;

/** Online noise of centres and sides, shared by all tracks of a stream. */
export interface Jitter {
  readonly centre: JitterEstimate;
  readonly side: JitterEstimate;
}

export const savedJitters = z.object({ centre: savedJitter, side: savedJitter });

export function createJitter(): Jitter {
  return { centre: new JitterEstimate(), side: new JitterEstimate() };
}

export function boxScale(box: Box): number {
  return Math.max(box[2], box[3], MIN_SIDE);
}

type Four = readonly [number, number, number, number];
interface Measured {
  readonly t: number;
  readonly values: Four;
}

const centred = (box: Box): Four => [box[0] + box[2] / 2, box[1] + box[3] / 2, box[2], box[3]];

const four = z.tuple([z.number(), z.number(), z.number(), z.number()]);

export const savedFilter = z.object({
  axes: z.tuple([savedAxis, savedAxis, savedAxis, savedAxis]),
  recent: z.array(z.object({ t: z.number(), values: four })),
  t: z.number(),
  measuredAt: z.number(),
});
export type SavedFilter = z.output<typeof savedFilter>;

/**
 * The box of one object in px: centre, width and height with their velocities. Measurement noise is the stream's
 * jitter times the box scale, smaller for confident detections (NSA Kalman filter: Du et al., GIAOTracker, 2021).
 */
export class BoxFilter {
  #axes: readonly [AxisFilter, AxisFilter, AxisFilter, AxisFilter];
  readonly #jitter: Jitter;
  #recent: Measured[];
  #t: number;
  #measuredAt: number;

  constructor(box: Box, score: number, t: number, jitter: Jitter) {
    const values = centred(box);
    const scale = boxScale(box);
    const [noise, sideNoise] = noises(jitter, scale, score, Infinity);
    const speed = (SPEED_PRIOR * scale) ** 2;
    const growth = (GROWTH_PRIOR * scale) ** 2;
    this.#axes = [
      new AxisFilter(values[0], noise, speed),
      new AxisFilter(values[1], noise, speed),
      new AxisFilter(values[2], sideNoise, growth),
      new AxisFilter(values[3], sideNoise, growth),
    ];
    this.#jitter = jitter;
    this.#recent = [{ t, values }];
    this.#t = t;
    this.#measuredAt = t;
  }

  get box(): Box {
    const [x, y, w, h] = this.#axes;
    const width = Math.max(w.position, MIN_SIDE);
    const height = Math.max(h.position, MIN_SIDE);
    return [x.position - width / 2, y.position - height / 2, width, height];
  }

  /** px/s */
  get velocity(): Point {
    return [this.#axes[0].velocity, this.#axes[1].velocity];
  }

  /** Standard deviation of the centre as a fraction of the box scale, the larger of both axes. */
  get spread(): number {
    return Math.sqrt(Math.max(this.#axes[0].variance, this.#axes[1].variance)) / boxScale(this.box);
  }

  /** Squared Mahalanobis distance of a measured centre (two degrees of freedom). */
  distance(box: Box, score: number): number {
    const [noise] = noises(this.#jitter, boxScale(box), score, Infinity);
    const [x, y] = this.#axes;
    const dx = box[0] + box[2] / 2 - x.position;
    const dy = box[1] + box[3] / 2 - y.position;
    return (dx * dx) / (x.variance + noise) + (dy * dy) / (y.variance + noise);
  }

  /** @param hidden true while no detection supports the object: its velocity fades */
  predict(t: number, hidden: boolean): void {
    const dt = t - this.#t;
    const scale = boxScale(this.box);
    const move = {
      dt,
      acceleration: (VELOCITY_CHANGE * scale) ** 2,
      decay: hidden ? HIDDEN_DECAY : Infinity,
    };
    const grow = {
      dt,
      acceleration: (GROWTH_CHANGE * scale) ** 2,
      decay: hidden ? HIDDEN_GROWTH_DECAY : Infinity,
    };
    this.#axes.forEach((axis, k) => axis.predict(k < 2 ? move : grow));
    this.#t = t;
  }

  /** Applies a measurement at the time of the last prediction. */
  correct({ box, score, covered }: Pick<Sighting, 'box' | 'score' | 'covered'>): void {
    const values = centred(box);
    const scale = boxScale(box);
    const [noise, sideNoise] = noises(this.#jitter, scale, score, this.#t - this.#measuredAt);
    this.#measuredAt = this.#t;
    const doubt = (1 + COVERED_DOUBT * covered) ** 2;
    // After a manoeuvre (a bounce, a sudden stop) the velocity is as unknown as at the start.
    const surprise = (SPEED_PRIOR * scale) ** 2;
    const sideSurprise = (GROWTH_PRIOR * scale) ** 2;
    this.#axes.forEach((axis, k) =>
      axis.correct(values[k] ?? 0, doubt * (k < 2 ? noise : sideNoise), k < 2 ? surprise : sideSurprise),
    );
    if (covered < MAX_COVERED) this.#learnJitter({ t: this.#t, values }, scale * Math.sqrt(distrust(score)));
  }

  /** Keeps the centre inside the frame: objects are not tracked outside it. */
  clamp(width: number, height: number): void {
    this.#axes[0].clamp(0, width);
    this.#axes[1].clamp(0, height);
  }

  /** Applies a camera motion to the state. Only the effect of rotation on the centre and on scale is applied. */
  transform([a, b, c, d, e, f]: Affine): void {
    const [x, y, w, h] = this.#axes;
    const scale = Math.sqrt(Math.abs(a * d - b * c));
    const centre: Point = [a * x.position + c * y.position + e, b * x.position + d * y.position + f];
    const velocity: Point = [a * x.velocity + c * y.velocity, b * x.velocity + d * y.velocity];
    for (const axis of [x, y, w, h]) axis.transform(scale, 0);
    [x.position, y.position] = centre;
    [x.velocity, y.velocity] = velocity;
    this.#recent = this.#recent.map(({ t, values: [u, v, width, height] }) => ({
      t,
      values: [a * u + c * v + e, b * u + d * v + f, scale * width, scale * height],
    }));
  }

  saveState(): SavedFilter {
    const [x, y, w, h] = this.#axes;
    return {
      axes: [x.saveState(), y.saveState(), w.saveState(), h.saveState()],
      recent: this.#recent.map(({ t, values }) => ({ t, values: [...values] })),
      t: this.#t,
      measuredAt: this.#measuredAt,
    };
  }

  static restore({ axes, recent, t, measuredAt }: SavedFilter, jitter: Jitter): BoxFilter {
    const filter = new BoxFilter([0, 0, MIN_SIDE, MIN_SIDE], 1, t, jitter);
    const [x, y, w, h] = axes;
    filter.#axes = [
      AxisFilter.restore(x),
      AxisFilter.restore(y),
      AxisFilter.restore(w),
      AxisFilter.restore(h),
    ];
    filter.#recent = recent;
    filter.#measuredAt = measuredAt;
    return filter;
  }

  /** @param scale unit of the residual in px: the box scale, times the distrust in detections of this score */
  #learnJitter(now: Measured, scale: number): void {
    const [first, middle] = this.#recent;
    const last = this.#recent.at(-1);
    if (last !== undefined && now.t - last.t > MAX_JITTER_STEP) this.#recent = [];
    else if (last !== undefined && now.t - last.t < JITTER_STEP - 1e-3) return;
    else if (first && middle) {
      const place = (middle.t - first.t) / (now.t - first.t);
      for (let k = 0; k < 4; k += 1) {
        const line = (first.values[k] ?? 0) * (1 - place) + (now.values[k] ?? 0) * place;
        const residual = ((middle.values[k] ?? 0) - line) / scale;
        (k < 2 ? this.#jitter.centre : this.#jitter.side).add(residual, place);
      }
      this.#recent.shift();
    }
    this.#recent.push(now);
  }
}

/** Minimum share of the usual noise, however confident a detection is. */
const MIN_NOISE = 0.2;

/** Noise variance of a detection against one of score 0.5. */
function distrust(score: number): number {
  return Math.max(1 - score, MIN_NOISE) / 0.5;
}

/** Variances of a measured centre and of a measured side, px². `since` = s since the measurement before. */
function noises(jitter: Jitter, scale: number, score: number, since: number): [centre: number, side: number] {
  const factor = distrust(score) * Math.max(1, CORRELATION / Math.max(since, 1e-3));
  return [factor * (jitter.centre.sigma * scale) ** 2, factor * (jitter.side.sigma * scale) ** 2];
}
