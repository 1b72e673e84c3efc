/** ln(p / (1 − p)). */
export function logit(p: number): number {
  return Math.log(p / (1 - p));
}

/** 1 / (1 + e^−z). */
export function sigmoid(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

/**
 * Bayesian logistic regression, one observation at a time: the weights are normal, each update takes one Newton step
 * on the posterior with the covariance carried along (Spiegelhalter & Lauritzen 1990; the extended Kalman filter of
 * a logistic observation). `forgetting` < 1 lets the covariance grow back towards the prior, so that old evidence fades
 * and the model never becomes surer than the prior about what it has not seen lately.
 */
export class OnlineLogistic {
  readonly #priorVariance: readonly number[];
  readonly #mean: number[];
  readonly #covariance: number[][];
  readonly #forgetting: number;

  /**
   * @param mean prior means of the weights
   * @param deviation prior standard deviations
   * @param forgetting per unit of weight, 0–1
   */
  constructor(mean: readonly number[], deviation: readonly number[], forgetting: number) {
    this.#priorVariance = deviation.map((d) => d * d);
    this.#mean = [...mean];
    this.#covariance = deviation.map((d, i) => deviation.map((_, j) => (i === j ? d * d : 0)));
    this.#forgetting = forgetting;
  }

  get weights(): readonly number[] {
    return this.#mean;
  }

  /** Weights · features + offset. */
  score(features: readonly number[], offset = 0): number {
    return features.reduce((sum, f, i) => sum + f * (this.#mean[i] ?? 0), offset);
  }

  /**
   * @param hit whether it came true
   * @param weight share of an independent observation, 0–1
   */
  learn(features: readonly number[], hit: boolean, weight: number, offset = 0): void {
    const p = sigmoid(this.score(features, offset));
    const curvature = Math.max(p * (1 - p), 1e-4) * weight;
    const cf = this.#covariance.map((row) => row.reduce((sum, c, j) => sum + c * (features[j] ?? 0), 0));
    const spread = features.reduce((sum, f, i) => sum + f * (cf[i] ?? 0), 0);
    const gain = 1 / (1 + curvature * spread);
    const step = gain * weight * ((hit ? 1 : 0) - p);
    const keep = this.#forgetting ** weight;
    cf.forEach((c, i) => {
      this.#mean[i] = (this.#mean[i] ?? 0) + c * step;
      const row = this.#covariance[i] ?? [];
      cf.forEach((d, j) => {
        const learned = (row[j] ?? 0) - curvature * gain * c * d;
        row[j] = keep * learned + (i === j ? (1 - keep) * (this.#priorVariance[i] ?? 0) : 0);
      });
    });
  }

  save(): { mean: number[]; covariance: number[][] } {
    return { mean: [...this.#mean], covariance: this.#covariance.map((row) => [...row]) };
  }

  /** Takes over a saved state of the same size; returns false and changes nothing when it does not fit. */
  restore(state: { mean: readonly number[]; covariance: readonly (readonly number[])[] }): boolean {
    const n = this.#mean.length;
    const square = state.covariance.length === n && state.covariance.every((row) => row.length === n);
    if (state.mean.length !== n || !square) return false;
    for (let i = 0; i < n; i++) {
      this.#mean[i] = state.mean[i] ?? 0;
      for (let j = 0; j < n; j++) (this.#covariance[i] as number[])[j] = state.covariance[i]?.[j] ?? 0;
    }
    return true;
  }
}
