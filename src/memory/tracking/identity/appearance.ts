import { z } from 'zod';

/** Cosines remembered (exponentially), so that a change of light or of the model is followed. */
const MEMORY = 1000;
/** Fewer comparisons of either kind than this say nothing yet. */
const MIN_SAMPLES = 12;
/** The separation counts only as far as it exceeds its own uncertainty by this many standard deviations. */
const CAUTION_SIGMAS = 2;
/** Least standard deviation of the cosines: below lies rounding. */
const MIN_SIGMA = 0.03;
/** Natural logarithm of the strongest likelihood ratio that one comparison may give: tails are never known that well. */
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
 * What a cosine of two embeddings is worth in this stream, learnt from objects that motion alone tells apart: cosines of
 * an object with its own looks of seconds ago, and with those of others of its kind in view at the same moment. Both
 * are taken as normal with one variance, so that the logarithm of the likelihood ratio is a line in the cosine (linear
 * discriminant; Hastie et al., "The Elements of Statistical Learning", §4.3), and nothing when the embeddings tell nothing.
 */
export class Appearance {
  #same: Moments = { mean: 0, variance: 0, count: 0 };
  #other: Moments = { mean: 0, variance: 0, count: 0 };

  /** How far apart the two kinds of cosines lie at least, in standard deviations; 0 while not known. */
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

  /** Natural logarithm of P(cosine | same object) / P(cosine | another one); 0 without knowledge. */
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
