import { z } from 'zod';

export const savedJitter = z.object({ variance: z.number().positive(), count: z.number().positive() });

/** Jitter of a detector as a fraction of the box scale (at score 0.5), before anything was seen: a few per cent is usual. */
const PRIOR_JITTER = 0.03;
/** The prior counts as this many measurements; after that the stream speaks for itself. */
const PRIOR_WEIGHT = 50;
/** Measurements remembered (exponentially), so that a change of scene or model is followed. */
const MEMORY = 2000;
/** Bounds: below lies pixel rounding, above no filter is of use. */
const LEAST = 0.01;
const MOST = 0.08;
/** Residuals count at most this many present standard deviations: collisions and occlusions are not jitter. */
const CLIP = 3;

/**
 * Standard deviation of the detector's boxes, learnt online from the stream itself: the middle one of three
 * successive measurements is compared with the straight line between its neighbours. Steady motion cancels, and
 * for independent noise σ the residual has the variance σ² (1 + a² + (1 − a)²), a = the middle's place in time.
 */
export class JitterEstimate {
  #variance = PRIOR_JITTER ** 2;
  #count = PRIOR_WEIGHT;

  /** Fraction of the box scale. */
  get sigma(): number {
    return Math.min(Math.max(Math.sqrt(this.#variance), LEAST), MOST);
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
   * @param place where the middle lies between its neighbours, 0–1
   */
  add(residual: number, place: number): void {
    const factor = 1 + place * place + (1 - place) ** 2;
    const sample = Math.min((residual * residual) / factor, CLIP * CLIP * this.#variance);
    this.#count = Math.min(this.#count + 1, MEMORY);
    this.#variance += (sample - this.#variance) / this.#count;
  }
}
