import { z } from 'zod';

export const savedJitter = z.object({ variance: z.number().positive(), count: z.number().positive() });

/** Prior jitter of a detector as a fraction of the box scale (at score 0.5): a few per cent is usual. */
const PRIOR_JITTER = 0.03;
/** Weight of the prior in measurements; with more measurements the stream's own jitter dominates. */
const PRIOR_WEIGHT = 50;
/** Number of measurements in the exponential mean, so that it follows a change of scene or model. */
const MEMORY = 2000;
/** Bounds: smaller values are pixel rounding, larger ones make the filter useless. */
const MIN_SIGMA = 0.01;
const MAX_SIGMA = 0.08;
/** Residuals are clipped at this many present standard deviations: collisions and occlusions are not jitter. */
const CLIP = 3;

/**
 * Standard deviation of the detector's boxes, learned online from the stream: the middle one of three successive
 * measurements is compared with the straight line between its neighbours. Steady motion cancels, and for independent
 * noise σ the residual has the variance σ² (1 + a² + (1 − a)²), a = the position of the middle in time.
 */
export class JitterEstimate {
  #variance = PRIOR_JITTER ** 2;
  #count = PRIOR_WEIGHT;

  /** Fraction of the box scale. */
  get sigma(): number {
    return Math.min(Math.max(Math.sqrt(this.#variance), MIN_SIGMA), MAX_SIGMA);
  }

  saveState(): z.output<typeof savedJitter> {
    return { variance: this.#variance, count: this.#count };
  }

  restoreState({ variance, count }: z.output<typeof savedJitter>): void {
    this.#variance = variance;
    this.#count = count;
  }

  /**
   * @param residual distance of the middle measurement from the line, as a fraction of the box scale
   * @param place position of the middle in time between its neighbours, 0–1
   */
  add(residual: number, place: number): void {
    const factor = 1 + place * place + (1 - place) ** 2;
    const sample = Math.min((residual * residual) / factor, CLIP * CLIP * this.#variance);
    this.#count = Math.min(this.#count + 1, MEMORY);
    this.#variance += (sample - this.#variance) / this.#count;
  }
}
