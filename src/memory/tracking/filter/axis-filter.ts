import { z } from 'zod';

/** Position, velocity, their variances and covariance, and the running mean of the innovations. */
export const savedAxis = z.object({
  position: z.number(),
  velocity: z.number(),
  varPosition: z.number(),
  covariance: z.number(),
  varVelocity: z.number(),
  meanInnovation: z.number(),
});
export type SavedAxis = z.output<typeof savedAxis>;

/** Assumptions about one coordinate between two measurements. Lengths in px, times in s. */
export interface AxisStep {
  readonly dt: number;
  /** Spectral density of the white-noise acceleration, px²/s³. */
  readonly acceleration: number;
  /** Time constant with which the velocity decays, s; `Infinity` keeps it. */
  readonly decay: number;
}

/** Weight of the newest innovation in the running mean of normalised innovations; its variance is then 1/3. */
const INNOVATION_WEIGHT = 0.5;
/** A running mean beyond this (3 of its standard deviations) indicates that the velocity is no longer constant. */
const MANOEUVRE_LIMIT = 3 * Math.sqrt(INNOVATION_WEIGHT / (2 - INNOVATION_WEIGHT));

/**
 * Kalman filter of one coordinate: position and velocity under white-noise acceleration (Bar-Shalom, Li, Kirubarajan,
 * "Estimation with Applications to Tracking and Navigation", 2001, §6.2). With independent noise per coordinate the
 * 8-state filter of a box (SORT, DeepSORT) is exactly four of these, without a matrix to invert.
 */
export class AxisFilter {
  position: number;
  velocity = 0;
  #varPosition: number;
  #covariance = 0;
  #varVelocity: number;
  #meanInnovation = 0;

  /**
   * @param position first measurement, px
   * @param noise its variance, px²
   * @param varVelocity prior variance of the velocity, px²/s²
   */
  constructor(position: number, noise: number, varVelocity: number) {
    this.position = position;
    this.#varPosition = noise;
    this.#varVelocity = varVelocity;
  }

  /** Variance of the position, px². */
  get variance(): number {
    return this.#varPosition;
  }

  predict({ dt, acceleration, decay }: AxisStep): void {
    const keep = decay === Infinity ? 1 : Math.exp(-dt / decay);
    const reach = decay === Infinity ? dt : decay * (1 - keep);
    this.position += reach * this.velocity;
    this.velocity *= keep;
    this.#varPosition +=
      2 * reach * this.#covariance + reach * reach * this.#varVelocity + (acceleration * dt ** 3) / 3;
    this.#covariance = keep * (this.#covariance + reach * this.#varVelocity) + (acceleration * dt * dt) / 2;
    this.#varVelocity = keep * keep * this.#varVelocity + acceleration * dt;
  }

  /**
   * @param noise variance of the measurement, px²
   * @param surprise variance added to the velocity when the innovations show a manoeuvre, px²/s²
   */
  correct(measured: number, noise: number, surprise: number): void {
    const total = this.#varPosition + noise;
    const innovation = measured - this.position;
    this.#watch(innovation / Math.sqrt(total), surprise);
    const gain = this.#varPosition / total;
    const velocityGain = this.#covariance / total;
    this.position += gain * innovation;
    this.velocity += velocityGain * innovation;
    this.#varVelocity = Math.max(0, this.#varVelocity - velocityGain * this.#covariance);
    this.#covariance *= 1 - gain;
    this.#varPosition *= 1 - gain;
  }

  /** Applies `position ← scale · position + shift`, an axis-aligned part of a camera motion. */
  transform(scale: number, shift: number): void {
    this.position = scale * this.position + shift;
    this.velocity *= scale;
    this.#varPosition *= scale * scale;
    this.#covariance *= scale * scale;
    this.#varVelocity *= scale * scale;
  }

  /** Moves the position to a bound; the velocity is then 0. */
  clamp(low: number, high: number): void {
    const position = Math.min(Math.max(this.position, low), high);
    if (position !== this.position) this.velocity = 0;
    this.position = position;
  }

  saveState(): SavedAxis {
    return {
      position: this.position,
      velocity: this.velocity,
      varPosition: this.#varPosition,
      covariance: this.#covariance,
      varVelocity: this.#varVelocity,
      meanInnovation: this.#meanInnovation,
    };
  }

  static restore(saved: SavedAxis): AxisFilter {
    const axis = new AxisFilter(saved.position, saved.varPosition, saved.varVelocity);
    axis.velocity = saved.velocity;
    axis.#covariance = saved.covariance;
    axis.#meanInnovation = saved.meanInnovation;
    return axis;
  }

  #watch(normalised: number, surprise: number): void {
    const clipped = Math.min(Math.max(normalised, -4), 4);
    this.#meanInnovation += INNOVATION_WEIGHT * (clipped - this.#meanInnovation);
    if (Math.abs(this.#meanInnovation) < MANOEUVRE_LIMIT) return;
    this.#varVelocity += surprise;
    this.#meanInnovation = 0;
  }
}
