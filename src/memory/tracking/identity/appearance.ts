import { z } from 'zod';

/** Number of cosines in the exponential means, so that they follow a change of light or of the model. */
const MEMORY = 1000;
/** Minimum number of comparisons of each kind for an estimate. */
const MIN_SAMPLES = 12;
/** Standard deviations of its own uncertainty that are subtracted from the separation. */
const CAUTION_SIGMAS = 2;
/** Minimum standard deviation of the cosines: smaller values are rounding. */
const MIN_SIGMA = 0.03;
/** Maximum natural logarithm of the likelihood ratio of one comparison: the tails are never known better than that. */
const MAX_EVIDENCE = 8;

const savedMoments = z.object({ mean: z.number(), variance: z.number().min(0), count: z.number().min(0) });
export const savedAppearance = z.object({ same: savedMoments, other: savedMoments });
type Moments = z.output<typeof savedMoments>;

function learn(moments: Moments, value: number): Moments {
  const count = Math.min(moments.count + 1, MEMORY);
  const off = value - moments.mean;
  const weight = 1 / count;
  return {
    mean: moments.mean + weight * off,
    variance: (1 - weight) * (moments.variance + weight * off * off),
    count,
  };
}

/**
 * Evidence of identity from a cosine of two embeddings, learned in this stream from objects that motion alone
 * distinguishes: cosines of an object with its own appearances of seconds ago, and with those of other objects of its
 * kind in view at the same moment. Both are taken as normal with one variance, so that the logarithm of the
 * likelihood ratio is linear in the cosine (linear discriminant; Hastie et al., "The Elements of Statistical
 * Learning", §4.3), and zero when the embeddings carry no information.
 */
export class Appearance {
  #same: Moments = { mean: 0, variance: 0, count: 0 };
  #other: Moments = { mean: 0, variance: 0, count: 0 };

  /** Lower bound of the distance between the two kinds of cosines, in standard deviations; 0 while unknown. */
  get separation(): number {
    const [same, other] = [this.#same, this.#other];
    if (Math.min(same.count, other.count) < MIN_SAMPLES) return 0;
    const doubt = CAUTION_SIGMAS * Math.sqrt(1 / same.count + 1 / other.count);
    return Math.max(0, (same.mean - other.mean) / Math.sqrt(this.#variance) - doubt);
  }

  learnSame(cosine: number): void {
    this.#same = learn(this.#same, cosine);
  }

  learnOther(cosine: number): void {
    this.#other = learn(this.#other, cosine);
  }

  /** Natural logarithm of P(cosine | same object) / P(cosine | another object); 0 while unknown. */
  evidence(cosine: number | undefined): number {
    const { separation } = this;
    if (cosine === undefined || separation === 0) return 0;
    const sigma = Math.sqrt(this.#variance);
    const middle = (this.#same.mean + this.#other.mean) / 2;
    const evidence = (separation * (cosine - middle)) / sigma;
    return Math.min(Math.max(evidence, -MAX_EVIDENCE), MAX_EVIDENCE);
  }

  get #variance(): number {
    return Math.max(this.#same.variance, this.#other.variance, MIN_SIGMA ** 2);
  }

  saveState(): z.input<typeof savedAppearance> {
    return { same: this.#same, other: this.#other };
  }

  restoreState({ same, other }: z.output<typeof savedAppearance>): void {
    this.#same = same;
    this.#other = other;
  }
}
