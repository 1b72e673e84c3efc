import { z } from 'zod';

/** Evidence beyond this many independent items fades, so that a rate follows the camera's hours and seasons. */
const MAX_COUNT = 2000;

export interface BaseRatePrior {
  /** Prior mean, 0–1. */
  readonly mean: number;
  /** Independent items that the prior counts as, > 0. */
  readonly strength: number;
}

export const baseRatesStateSchema = z.record(
  z.string(),
  z.object({ hits: z.number().nonnegative(), count: z.number().nonnegative() }),
);

/** Share of items that come true, per key (a type, or a type and a kind of thing): posterior means of Beta priors. */
export class BaseRates {
  readonly #counts = new Map<string, { hits: number; count: number }>();
  readonly #priorOf: (key: string) => BaseRatePrior;

  constructor(priorOf: (key: string) => BaseRatePrior) {
    this.#priorOf = priorOf;
  }

  /** (prior hits + hits) / (prior items + items), strictly between 0 and 1 for a prior mean that is. */
  rate(key: string): number {
    const { mean, strength } = this.#priorOf(key);
    const seen = this.#counts.get(key);
    return (mean * strength + (seen?.hits ?? 0)) / (strength + (seen?.count ?? 0));
  }

  /** Independent items seen. */
  count(key: string): number {
    return this.#counts.get(key)?.count ?? 0;
  }

  /** @param weight share of an independent observation, 0–1 */
  learn(key: string, hit: boolean, weight: number): void {
    const seen = this.#counts.get(key) ?? { hits: 0, count: 0 };
    const keep = seen.count >= MAX_COUNT ? 1 - weight / MAX_COUNT : 1;
    this.#counts.set(key, {
      hits: seen.hits * keep + (hit ? weight : 0),
      count: seen.count * keep + weight,
    });
  }

  save(): z.infer<typeof baseRatesStateSchema> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  restore(state: z.infer<typeof baseRatesStateSchema>): void {
    this.#counts.clear();
    for (const [key, value] of Object.entries(state)) this.#counts.set(key, { ...value });
  }
}
