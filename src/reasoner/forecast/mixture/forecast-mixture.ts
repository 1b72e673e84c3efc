import { z } from 'zod';
import { PresageError } from '../../../core/errors.js';
import type { ForecastItem } from '../../../core/messages.js';
import { causeBlendSchema } from '../../explain/causes/cause-blend.js';
import { kindOf } from '../../tracks/track-tensors.js';
import { logit, OnlineLogistic, sigmoid } from '../../stats/online-logistic.js';

/** Kind of what is neither person, vehicle nor animal (docs/fused-model.md, Units). */
const BODY = 3;
/** Probabilities go into logits within [LEAST, 1 − LEAST]. */
const LEAST = 1e-4;
/**
 * Prior standard deviations of what a stream may change: the bias, the slope (of the sampled logit) and the weight of a
 * source. Slow: it takes some fifty decisive items to move a weight by a third.
 */
const DEVIATION = { bias: 0.25, slope: 0.1, weight: 0.15 } as const;
/** Per independent item: after some 2000 the past counts e times less. */
const FORGETTING = 0.9995;
/** No expert falls behind the best by more than this in log odds, so that it can come back. */
const MAX_BEHIND = 6;

const weightsSchema = z.object({
  bias: z.number(),
  /** Added to 1 as the factor of the sampled logit. */
  slope: z.number(),
  /** By source: factor of (its logit − the sampled logit). */
  weights: z.record(z.string(), z.number()),
});

const documentSchema = z.object({
  version: z.literal(1),
  /** Where the weights come from. */
  provenance: z.record(z.string(), z.unknown()),
  /** By the names of the sources that spoke, sorted, with `+` between them; then by group (`groupOf`) or event type. */
  sets: z.record(z.string(), z.record(z.string(), weightsSchema)),
  causes: causeBlendSchema,
  /** Share of the language model's logit of P(necessary) beside the blend of `causes`. Absent: it has no say. */
  languageCauses: z.number().min(0).max(1).optional(),
});
export type MixtureDocument = z.infer<typeof documentSchema>;

const modelSchema = z.object({
  mean: z.array(z.number()),
  covariance: z.array(z.array(z.number())),
  experts: z.array(z.number()),
});
const stateSchema = z.object({ version: z.literal(1), models: z.record(z.string(), modelSchema) });

/** What the sources said of one item, by their names. */
export type ItemEstimates = Readonly<Record<string, number>>;

/**
 * What the pool learns together: items of one type about bodies, and those about somebody who moves of their own accord (or
 * is driven): `exit:body`, `exit:agent`.
 */
export function groupOf(
  { type, participants }: Pick<ForecastItem, 'type' | 'participants'>,
  labels: ReadonlyMap<string, string>,
): string {
  const bodies = participants.every((id) => kindOf(labels.get(id) ?? '') === BODY);
  return `${type}:${bodies ? 'body' : 'agent'}`;
}

/** How what the sources say becomes one probability. */
export interface Mixture {
  /**
   * @param group of the item, by `groupOf`
   * @param sampled probability by sampled paths
   */
  combine(group: string, sampled: number, estimates: ItemEstimates): number;
  /** @param weight share of an independent observation, 0–1 */
  learn(group: string, sampled: number, estimates: ItemEstimates, hit: boolean, weight: number): void;
  saveState(): unknown;
  /** Takes over a saved state; one that is not of its form is ignored and false returned. */
  restoreState(state: unknown): boolean;
}

interface Model {
  readonly map: OnlineLogistic;
  /** Log weights, the best at 0: sampling, each source in order, the pool. */
  experts: number[];
}

/** Reads the starting weights. @throws PresageError `model_invalid` */
export function parseMixture(document: unknown): MixtureDocument {
  const parsed = documentSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new PresageError('model_invalid', `weights of the pool: ${z.prettifyError(parsed.error)}`, {
    hint: 'restore pool.json',
  });
}

/**
 * Pools what sources say of an item with the sampled probability. For each set of sources that speak and each group there
 * are experts: sampling alone, each source alone, and a logit-linear pool (Genest & Zidek 1986) that starts at weights fitted
 * on simulated scenes and goes on learning in this stream. What is stated is the experts' average, weighted by how well
 * each has foretold the outcomes so far (Vovk's aggregating algorithm for the log loss), so that the loss stays within a
 * constant of the best expert's, whatever the fitted weights are worth here.
 */
export class ForecastMixture implements Mixture {
  readonly #document: MixtureDocument | undefined;
  readonly #models = new Map<string, Model>();

  /** @param document starting weights; without them sampling and sources count alike */
  constructor(document?: MixtureDocument) {
    this.#document = document;
  }

  combine(group: string, sampled: number, estimates: ItemEstimates): number {
    const names = Object.keys(estimates).sort();
    if (names.length === 0) return sampled;
    const model = this.#models.get(keyOf(group, names)) ?? this.#create(group, names);
    return mixture(model, expertsOf(model, sampled, estimates, names));
  }

  learn(group: string, sampled: number, estimates: ItemEstimates, hit: boolean, weight: number): void {
    const names = Object.keys(estimates).sort();
    if (names.length === 0) return;
    const key = keyOf(group, names);
    const model = this.#models.get(key) ?? this.#create(group, names);
    this.#models.set(key, model);
    const said = expertsOf(model, sampled, estimates, names);
    const prior = expertPrior(names.length);
    const keep = FORGETTING ** weight;
    const scored = model.experts.map((log, i) => {
      const p = said[i] ?? 0.5;
      const start = prior[i] ?? 0;
      return start + keep * (log - start) + weight * Math.log(hit ? p : 1 - p);
    });
    const best = Math.max(...scored);
    model.experts = scored.map((log) => Math.max(log - best, -MAX_BEHIND));
    model.map.learn(featuresOf(sampled, estimates, names), hit, weight, logitOf(sampled));
  }

  /** Weights of the experts by set of sources and group: sampling, each source by name in order, the pool. */
  describe(): Readonly<Record<string, readonly number[]>> {
    return Object.fromEntries([...this.#models].map(([key, { experts }]) => [key, shares(experts)]));
  }

  saveState(): z.infer<typeof stateSchema> {
    const models = [...this.#models].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      version: 1,
      models: Object.fromEntries(
        models.map(([key, { map, experts }]) => [key, { ...map.save(), experts: [...experts] }]),
      ),
    };
  }

  restoreState(state: unknown): boolean {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) return false;
    this.#models.clear();
    for (const [key, saved] of Object.entries(parsed.data.models)) {
      const [set = '', group = ''] = key.split('|');
      const names = set.split('+');
      const model = this.#create(group, names);
      if (!model.map.restore(saved) || saved.experts.length !== model.experts.length) continue;
      model.experts = [...saved.experts];
      this.#models.set(key, model);
    }
    return true;
  }

  #create(group: string, names: readonly string[]): Model {
    const set = this.#document?.sets[names.join('+')];
    const fitted = set?.[group] ?? set?.[group.split(':')[0] ?? ''];
    const alike = 1 / (names.length + 1);
    const mean = [
      fitted?.bias ?? 0,
      fitted?.slope ?? 0,
      ...names.map((name) => fitted?.weights[name] ?? alike),
    ];
    const deviation = [DEVIATION.bias, DEVIATION.slope, ...names.map(() => DEVIATION.weight)];
    return { map: new OnlineLogistic(mean, deviation, FORGETTING), experts: expertPrior(names.length) };
  }
}

/**
 * The sources without the sampled paths, for the modes that show what they are worth alone: the mean of their logits, and
 * the sampled probability only where none speaks.
 */
export class SingleExperts implements Mixture {
  combine(_group: string, sampled: number, estimates: ItemEstimates): number {
    const said = Object.values(estimates);
    if (said.length === 0) return sampled;
    return sigmoid(said.reduce((sum, p) => sum + logitOf(p), 0) / said.length);
  }

  learn(): void {}

  saveState(): null {
    return null;
  }

  restoreState(): boolean {
    return true;
  }
}

function keyOf(group: string, names: readonly string[]): string {
  return `${names.join('+')}|${group}`;
}

/** Log weights before anything was learned: all alike, for a stream need not be like the scenes of the fit. */
function expertPrior(sources: number): number[] {
  return Array.from({ length: sources + 2 }, () => 0);
}

function featuresOf(sampled: number, estimates: ItemEstimates, names: readonly string[]): number[] {
  const from = logitOf(sampled);
  return [1, from, ...names.map((name) => logitOf(estimates[name] ?? sampled) - from)];
}

/** Probabilities of the experts, in their order, within the bounds. */
function expertsOf(
  model: Model,
  sampled: number,
  estimates: ItemEstimates,
  names: readonly string[],
): number[] {
  const pooled = sigmoid(model.map.score(featuresOf(sampled, estimates, names), logitOf(sampled)));
  return [sampled, ...names.map((name) => estimates[name] ?? sampled), pooled].map(bounded);
}

function mixture(model: Model, said: readonly number[]): number {
  return shares(model.experts).reduce((sum, share, i) => sum + share * (said[i] ?? 0), 0);
}

function shares(logs: readonly number[]): number[] {
  const weights = logs.map((log) => Math.exp(log));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function logitOf(p: number): number {
  return logit(bounded(p));
}

function bounded(p: number): number {
  return Math.min(Math.max(p, LEAST), 1 - LEAST);
}
