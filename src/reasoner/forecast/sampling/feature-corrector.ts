import { z } from 'zod';
import { BORDER_BAND, FAST, SLOW, type ForecastType } from '../../../core/ontology.js';
import { logit, OnlineLogistic, sigmoid } from '../../stats/online-logistic.js';
import type { TrackState } from '../../tracks/track-state.js';

/**
 * Prior standard deviation of a weight. Features are of size 1, so a weight of 0.15 moves the odds by a sixth: this
 * camera can bend the sampled probabilities where they are wrong in a way that a feature shows, but only slowly.
 */
const WEIGHT_DEVIATION = 0.15;
const FORGETTING = 0.9995;
/** Features are cut to ±2. */
const MAX_FEATURE = 2;
const MIN_P = 1e-5;
const MAX_PENDING_TIMES = 40;

const weightsSchema = z.object({ mean: z.array(z.number()), covariance: z.array(z.array(z.number())) });
export const correctorStateSchema = z.object({
  weights: z.record(z.string(), weightsSchema),
  /** Items whose outcome is open, by the time of their forecast. */
  pending: z
    .array(
      z.object({
        at: z.number(),
        items: z.array(
          z.object({ key: z.string(), group: z.string(), features: z.array(z.number()), p: z.number() }),
        ),
      }),
    )
    .max(MAX_PENDING_TIMES),
});

interface Pending {
  readonly group: string;
  readonly features: readonly number[];
  readonly p: number;
}

/**
 * A small logistic correction on top of the sampled probability, per group (type and kind of thing):
 * logit p' = logit p + w · features, w learned online from the outcomes with prior mean 0. Bias and slope are the
 * calibrator's business, so neither is here.
 */
export class FeatureCorrector {
  readonly #models = new Map<string, OnlineLogistic>();
  readonly #pending = new Map<number, Map<string, Pending>>();

  /** @param key identity of the item, for `learn` */
  correct(group: string, features: readonly number[], p: number, at: number, key: string): number {
    const bounded = features.map((f) => Math.min(Math.max(f, -MAX_FEATURE), MAX_FEATURE));
    const safe = Math.min(Math.max(p, MIN_P), 1 - MIN_P);
    this.#slot(at).set(key, { group, features: bounded, p: safe });
    if (features.length === 0) return safe;
    return sigmoid(this.#model(group, bounded.length).score(bounded, logit(safe)));
  }

  /** Returns the group of the item, undefined when it is not (or no longer) known. */
  learn(at: number, key: string, hit: boolean, weight: number): string | undefined {
    const slot = this.#pending.get(at);
    const pending = slot?.get(key);
    if (!slot || !pending) return undefined;
    slot.delete(key);
    if (slot.size === 0) this.#pending.delete(at);
    const { group, features, p } = pending;
    if (features.length > 0) this.#model(group, features.length).learn(features, hit, weight, logit(p));
    return group;
  }

  save(): z.infer<typeof correctorStateSchema> {
    return {
      weights: Object.fromEntries([...this.#models].map(([group, model]) => [group, model.save()])),
      pending: [...this.#pending].map(([at, items]) => ({
        at,
        items: [...items].map(([key, { group, features, p }]) => ({
          key,
          group,
          features: [...features],
          p,
        })),
      })),
    };
  }

  restore(state: z.infer<typeof correctorStateSchema>): void {
    this.#models.clear();
    for (const [group, saved] of Object.entries(state.weights))
      this.#model(group, saved.mean.length).restore(saved);
    this.#pending.clear();
    for (const { at, items } of state.pending)
      this.#pending.set(at, new Map(items.map(({ key, ...pending }) => [key, pending])));
  }

  forget(): void {
    this.#pending.clear();
  }

  #model(group: string, size: number): OnlineLogistic {
    let model = this.#models.get(group);
    if (model?.weights.length !== size) {
      const zeros = new Array<number>(size).fill(0);
      model = new OnlineLogistic(
        zeros,
        zeros.map(() => WEIGHT_DEVIATION),
        FORGETTING,
      );
      this.#models.set(group, model);
    }
    return model;
  }

  #slot(at: number): Map<string, Pending> {
    let slot = this.#pending.get(at);
    if (!slot) {
      slot = new Map();
      this.#pending.set(at, slot);
      for (const old of this.#pending.keys()) {
        if (this.#pending.size <= MAX_PENDING_TIMES) break;
        this.#pending.delete(old);
      }
    }
    return slot;
  }
}

/** What may bend the sampled probability of a type; each about 0 on average and of size 1. */
export function featuresOf(type: ForecastType, a: TrackState, b: TrackState | undefined): number[] {
  const speed = a.speed ?? 0;
  const velocity2 = Math.max(a.vx * a.vx + a.vy * a.vy, (SLOW * a.h) ** 2);
  switch (type) {
    case 'stop':
      // Relative slowing, 1/s, and how near to standing it is.
      return [-(a.ax * a.vx + a.ay * a.vy) / velocity2, (2 * FAST - speed) / FAST];
    case 'turn':
      // Turning rate, rad/s, and slowness: the heading of a slow thing is soon another.
      return [Math.abs(a.vx * a.ay - a.vy * a.ax) / velocity2, (2 * FAST - speed) / FAST];
    case 'start_moving':
      return [(speed - SLOW / 2) / (SLOW / 2), Math.log((1 + a.stillS) / 4)];
    case 'exit':
      return [touchesBand(a) ? 1 : 0];
    case 'meet':
      return b ? [Math.abs(speed - (b.speed ?? 0)) < SLOW ? 1 : 0] : [];
    case 'loiter':
      return [a.standing ? 1 : 0];
    default:
      return [];
  }
}

/** True if the box touches the border band. */
export function touchesBand(state: TrackState): boolean {
  const [x, y, w, h] = state.record.box;
  return x <= BORDER_BAND || y <= BORDER_BAND || x + w >= 1 - BORDER_BAND || y + h >= 1 - BORDER_BAND;
}
