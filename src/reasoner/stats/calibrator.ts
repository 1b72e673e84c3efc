import { z } from 'zod';
import { logit, OnlineLogistic, sigmoid } from './online-logistic.js';

/** Stated probabilities stay within [LEAST, 1 − LEAST]: nothing is impossible, and a log loss stays finite. */
const LEAST = 1e-4;
/**
 * Prior of the map logit p' = bias + slope · logit p: identity, give or take a factor of 1.6 in the odds and a fifth in the
 * slope. That is worth about fifteen decisive items; one lucky item moves nothing much.
 */
const PRIOR_MEAN = [0, 1] as const;
const PRIOR_DEVIATION = [0.5, 0.2] as const;
/** Per independent item: after some 2000 the past counts e times less. */
const FORGETTING = 0.9995;
/** A slope at least this keeps the map monotone, and a ranking a ranking. */
const MIN_SLOPE = 0.2;
/** The log of the odds that the map beats identity stays within this, so that it can change its mind. */
const MAX_LOG_ODDS = 5;

const modelSchema = z.object({
  mean: z.array(z.number()).length(2),
  covariance: z.array(z.array(z.number()).length(2)).length(2),
  logOdds: z.number(),
});
const stateSchema = z.object({ version: z.literal(1), types: z.record(z.string(), modelSchema) });

interface Model {
  readonly map: OnlineLogistic;
  /** Log Bayes factor of the map against identity, from what each said before it learned the outcome. */
  logOdds: number;
}

/**
 * Recalibrates probabilities per type, online. A logistic map (Platt 1999) with a strong prior at identity is learned item by
 * item; what is stated is the average of the map and of identity, weighted by how well each has foretold the outcomes
 * so far (prequential Bayes factor, Dawid 1984, even odds at the start). With few data both agree; where the map is wrong its weight falls.
 */
export class Calibrator {
  readonly #models = new Map<string, Model>();

  /** Calibrated probability, strictly between 0 and 1, monotone in p. */
  calibrate(type: string, p: number): number {
    const raw = bounded(p);
    const model = this.#models.get(type);
    if (!model) return raw;
    const weight = sigmoid(model.logOdds);
    return bounded(weight * mapped(model.map, raw) + (1 - weight) * raw);
  }

  /**
   * @param p raw probability as it went into `calibrate`
   * @param weight share of an independent observation, 0–1
   */
  learn(type: string, p: number, hit: boolean, weight: number): void {
    const raw = bounded(p);
    let model = this.#models.get(type);
    if (!model) {
      model = { map: newMap(), logOdds: 0 };
      this.#models.set(type, model);
    }
    const said = bounded(mapped(model.map, raw));
    const gain = hit ? Math.log(said / raw) : Math.log((1 - said) / (1 - raw));
    const odds = model.logOdds * FORGETTING ** weight + weight * gain;
    model.logOdds = Math.min(Math.max(odds, -MAX_LOG_ODDS), MAX_LOG_ODDS);
    model.map.learn([1, logit(raw)], hit, weight);
  }

  /** Bias, slope and weight of the map of a type, for dumps. */
  describe(type: string): { bias: number; slope: number; weight: number } {
    const model = this.#models.get(type);
    const [bias = 0, slope = 1] = model?.map.weights ?? PRIOR_MEAN;
    return { bias, slope, weight: sigmoid(model?.logOdds ?? 0) };
  }

  saveState(): z.infer<typeof stateSchema> {
    const types = [...this.#models].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      version: 1,
      types: Object.fromEntries(types.map(([type, m]) => [type, { ...m.map.save(), logOdds: m.logOdds }])),
    };
  }

  /** Takes over a saved state; one that is not of its form is ignored and false returned. */
  restoreState(state: unknown): boolean {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) return false;
    this.#models.clear();
    for (const [type, saved] of Object.entries(parsed.data.types)) {
      const map = newMap();
      map.restore(saved);
      this.#models.set(type, { map, logOdds: saved.logOdds });
    }
    return true;
  }
}

function newMap(): OnlineLogistic {
  return new OnlineLogistic(PRIOR_MEAN, PRIOR_DEVIATION, FORGETTING);
}

function mapped(map: OnlineLogistic, raw: number): number {
  const [bias = 0, slope = 1] = map.weights;
  return sigmoid(bias + Math.max(slope, MIN_SLOPE) * logit(raw));
}

function bounded(p: number): number {
  return Math.min(Math.max(p, LEAST), 1 - LEAST);
}
