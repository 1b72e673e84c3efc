import { z } from 'zod';
import type { Draft, EventObserved, Forecast, ResolvedPrediction } from '../../core/messages.js';
import { TIME_EPSILON, type EventType } from '../../core/ontology.js';
import type { Forecaster, MemorySnapshot, Observation } from '../../core/stages.js';
import { isLearning, observationWeight } from '../forecast/learning.js';
import { BaseRates, baseRatesStateSchema } from './base-rates.js';
import { Calibrator } from './calibrator.js';
import { editorStateSchema, PredictionEditor } from './editor.js';
import { resolvePredictions, Resolver, resolverStateSchema, type ResolvedItem } from './resolver.js';
import { Scorekeeper, scoresStateSchema, type ScorekeeperOptions } from './scorecard.js';

export interface ForecastDeskOptions {
  readonly forecaster: Forecaster;
  /** Media seconds between two scorecards. Default 10. */
  readonly scorecardEveryS?: number;
  readonly scores?: ScorekeeperOptions;
  /** False: probabilities are stated as the forecaster gives them, to measure what calibration adds. Default true. */
  readonly calibrate?: boolean;
}

/** Base rate of a type before the camera has shown any, and the independent items it counts as. */
const BASE_RATE_PRIOR = { mean: 0.05, strength: 10 } as const;

const stateSchema = z.object({
  version: z.literal(2),
  calibration: z.unknown(),
  baseRates: baseRatesStateSchema,
  forecaster: z.unknown(),
  resolver: resolverStateSchema,
  editor: editorStateSchema,
  scores: scoresStateSchema,
  secondStated: z.number(),
  scoredAt: z.number(),
});

/**
 * Everything about forecasts between memory and messages: states the calibrated standard forecast each whole second of media
 * time, tells the predictions worth telling, resolves both, keeps the score, and teaches the calibrator, the base rates and
 * the forecaster from the outcomes.
 */
export class ForecastDesk {
  readonly #forecaster: Forecaster;
  readonly #scorecardEveryS: number;
  readonly #calibrates: boolean;
  readonly #calibrator = new Calibrator();
  readonly #baseRates = new BaseRates(() => BASE_RATE_PRIOR);
  readonly #resolver = new Resolver();
  readonly #editor: PredictionEditor;
  readonly #scores: Scorekeeper;
  #secondStated = 0;
  #scoredAt = 0;
  #finished = false;

  constructor(options: ForecastDeskOptions) {
    this.#forecaster = options.forecaster;
    this.#scorecardEveryS = options.scorecardEveryS ?? 10;
    if (!(this.#scorecardEveryS > 0))
      throw new RangeError(`scorecardEveryS must be > 0, was ${this.#scorecardEveryS}`);
    this.#calibrates = options.calibrate ?? true;
    this.#scores = new Scorekeeper(options.scores);
    this.#editor = new PredictionEditor({ backend: 'forecaster', model: options.forecaster.name });
  }

  /** What follows from an update of memory: resolutions, then the forecast if a second has passed, then the scorecard. */
  step({ snapshot, events }: Observation): readonly Draft[] {
    const { t } = snapshot;
    const drafts = this.#resolve(events, t);
    const second = Math.floor(t + TIME_EPSILON);
    if (second > this.#secondStated) {
      this.#secondStated = second;
      drafts.push(...this.#state(snapshot));
    }
    if (t - this.#scoredAt >= this.#scorecardEveryS - TIME_EPSILON) drafts.push(this.#scorecard(t));
    return drafts;
  }

  /** The camera was lost at media time `t`: open predictions become void, waiting items are not scored. */
  interrupt(t: number): readonly Draft[] {
    this.#resolver.voidAll();
    if (isLearning(this.#forecaster)) this.#forecaster.interrupt();
    return this.#void(t);
  }

  /**
   * The recording ended at media time `t`. What the end leaves undecided is void. Calls after the first say nothing.
   */
  finish(t: number): readonly Draft[] {
    if (this.#finished) return [];
    this.#finished = true;
    const drafts = this.#resolve([], t);
    this.#resolver.voidAll();
    drafts.push(...this.#void(t), this.#scorecard(t));
    return drafts;
  }

  /** Everything: a desk that takes it back goes on exactly as this one. */
  saveState(): z.infer<typeof stateSchema> {
    return {
      version: 2,
      calibration: this.#calibrator.saveState(),
      baseRates: this.#baseRates.save(),
      forecaster: isLearning(this.#forecaster) ? this.#forecaster.saveState() : null,
      resolver: this.#resolver.saveState(),
      editor: this.#editor.saveState(),
      scores: this.#scores.saveState(),
      secondStated: this.#secondStated,
      scoredAt: this.#scoredAt,
    };
  }

  /** Takes over a saved state; what is not of its form is ignored and false returned. */
  restoreState(state: unknown): boolean {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) return false;
    const { calibration, baseRates, forecaster, resolver, editor, scores } = parsed.data;
    let whole = this.#calibrator.restoreState(calibration);
    this.#baseRates.restore(baseRates);
    this.#resolver.restoreState(resolver);
    this.#editor.restoreState(editor);
    this.#scores.restoreState(scores);
    this.#secondStated = parsed.data.secondStated;
    this.#scoredAt = parsed.data.scoredAt;
    if (isLearning(this.#forecaster)) whole = this.#forecaster.restoreState(forecaster) && whole;
    return whole;
  }

  /** No prediction up to `p{number}` is made again. */
  continueAfter(number: number): void {
    this.#editor.nextNumber = Math.max(this.#editor.nextNumber, number + 1);
  }

  dump(): Readonly<Record<string, number>> {
    const { pending, dropped } = this.#resolver.dump();
    return {
      pendingItems: pending,
      droppedItems: dropped,
      openPredictions: this.#editor.open.length,
      scoredItems: this.#scores.size,
    };
  }

  #resolve(events: readonly EventObserved[], now: number): Draft[] {
    this.#learn(this.#resolver.resolve(events, now));
    const { resolved, open } = resolvePredictions(this.#editor.open, events, now);
    this.#editor.close(open, resolved, now);
    for (const { outcome, leadTime } of resolved)
      if (outcome === 'hit' && leadTime !== undefined) this.#scores.addLead(now, leadTime);
    return resolved.map((prediction) => resolution(prediction, now));
  }

  #learn(outcomes: readonly ResolvedItem[]): void {
    for (const { item, at, hit, raw } of outcomes) {
      const weight = observationWeight(item);
      this.#scores.add(item.type, at, item.probability, hit);
      this.#calibrator.learn(item.type, raw, hit, weight);
      this.#baseRates.learn(item.type, hit, weight);
    }
    if (isLearning(this.#forecaster)) this.#forecaster.learn(outcomes);
  }

  #state(snapshot: MemorySnapshot): Draft[] {
    const raw = this.#forecaster.forecast(snapshot);
    const items = raw.items.map((item) => {
      const raw = item.probability;
      const probability = this.#calibrates ? this.#calibrator.calibrate(item.type, raw) : raw;
      return { ...item, probability: Math.round(probability * 1e6) / 1e6 };
    });
    const forecast: Forecast = { ...raw, items };
    this.#resolver.add(
      forecast,
      raw.items.map((item) => item.probability),
    );
    const baseRate = (type: EventType): number => this.#baseRates.rate(type);
    return [
      { kind: 'forecast.updated', mediatime: snapshot.t, data: forecast },
      ...this.#editor.edit(forecast, snapshot, baseRate),
    ];
  }

  #void(t: number): Draft[] {
    const voided = this.#editor.open.map((p): ResolvedPrediction => ({
      ...p,
      outcome: 'void',
      resolvedAt: t,
    }));
    this.#editor.close([], voided, t);
    return voided.map((prediction) => resolution(prediction, t));
  }

  #scorecard(t: number): Draft {
    this.#scoredAt = t;
    return { kind: 'scorecard.updated', mediatime: t, data: this.#scores.scorecard(t) };
  }
}

function resolution(prediction: ResolvedPrediction, mediatime: number): Draft {
  return { kind: 'prediction.resolved', mediatime, subject: prediction.id, data: { prediction } };
}
