import { Subject, type Observable } from 'rxjs';
import { z } from 'zod';
import { systemClock, type Clock } from '../../core/clock.js';
import type {
  Draft,
  EventObserved,
  Forecast,
  ForecastItem,
  Prediction,
  ResolvedPrediction,
} from '../../core/messages.js';
import { TIME_EPSILON, type EventType } from '../../core/ontology.js';
import type { Forecaster } from '../../core/reasoner.js';
import type { MemorySnapshot, Observation } from '../../core/memory.js';
import { isLearning, itemKey, observationWeight } from '../forecast/learning.js';
import { groupOf, type Mixture } from '../forecast/mixture/forecast-mixture.js';
import {
  ExpertPanel,
  type Poll,
  type ExpertStats,
  type Estimates,
} from '../forecast/mixture/expert-panel.js';
import { BaseRates, baseRatesStateSchema } from '../stats/base-rates.js';
import { Calibrator } from '../stats/calibrator.js';
import { editorStateSchema, PredictionEditor } from './prediction-editor.js';
import {
  resolvePredictions,
  Resolver,
  resolverStateSchema,
  estimatesOf,
  type ForecastBasis,
  type ResolvedItem,
} from './resolver.js';
import { Scorecards, scoresStateSchema, type ScorecardsOptions } from './scorecard.js';

export interface ForecastCycleOptions {
  /** Makes the list of items and says of each how likely it is, at once. */
  readonly forecaster: Forecaster;
  /** Those that have a say beside it, later; without them forecasts are told at once. */
  readonly sources?: { readonly experts: ExpertPanel; readonly mixture: Mixture } | undefined;
  /** Media seconds between two scorecards. Default 10. */
  readonly scorecardEveryS?: number;
  readonly scores?: ScorecardsOptions;
  /** False: probabilities are stated as the forecaster gives them, to measure what calibration adds. Default true. */
  readonly calibrate?: boolean;
  /** Measures how long a forecast takes. Default: the system's clock. */
  readonly clock?: Clock;
}

/** Base rate of a type before the camera has shown any, and the independent items it counts as. */
const BASE_RATE_PRIOR = { mean: 0.05, strength: 10 } as const;

/**
 * A forecast must be told before objects seen 0.25 s later (events.md). When a percept this much later comes and an answer is
 * still awaited, it is told without.
 */
const MAX_LATE_S = 0.2;

const stateSchema = z.object({
  version: z.literal(3),
  pool: z.unknown(),
  calibration: z.unknown(),
  baseRates: baseRatesStateSchema,
  forecaster: z.unknown(),
  resolver: resolverStateSchema,
  editor: editorStateSchema,
  scores: scoresStateSchema,
  secondStated: z.number(),
  scoredAt: z.number(),
});

/** What is told of a forecast that had to wait. */
export interface LateForecast {
  readonly drafts: readonly Draft[];
  /** Memory at the time of the forecast. */
  readonly snapshot: MemorySnapshot;
}

export interface ForecastCycleStats {
  readonly forecasts: number;
  /** Told without some source that should have had a say. */
  readonly degraded: number;
  /** Asked for and never told, since the camera was lost or the stream closed. */
  readonly dropped: number;
  readonly sources: Readonly<Record<string, ExpertStats>>;
}

/** A forecast that waits for its sources. */
interface Asked {
  readonly sampled: Forecast;
  readonly snapshot: MemorySnapshot;
  readonly round: Poll;
  /** When it was begun, ms of the clock. */
  readonly startMs: number;
  /** Events told between the time of the forecast and now. */
  readonly events: EventObserved[];
}

/**
 * Everything about forecasts between memory and messages: states the calibrated standard forecast each whole second of media
 * time, tells the predictions worth telling, resolves both, keeps the score, and teaches the calibrator, the base rates,
 * the pool and the forecaster from the outcomes. Where sources take part, a forecast comes on `late$`, at the latest
 * before a percept that is MAX_LATE_S later is told.
 */
export class ForecastCycle {
  readonly late$: Observable<LateForecast>;
  readonly #late = new Subject<LateForecast>();
  readonly #forecaster: Forecaster;
  readonly #sources: ForecastCycleOptions['sources'];
  readonly #counts = { forecasts: 0, degraded: 0, dropped: 0 };
  readonly #scorecardEveryS: number;
  readonly #calibrates: boolean;
  readonly #clock: Clock;
  readonly #calibrator = new Calibrator();
  readonly #baseRates = new BaseRates(() => BASE_RATE_PRIOR);
  readonly #resolver = new Resolver();
  readonly #editor: PredictionEditor;
  readonly #scores: Scorecards;
  #asked: (Asked & { readonly told: Promise<void> }) | undefined;
  #now = 0;
  #secondStated = 0;
  #scoredAt = 0;
  #finished = false;

  constructor(options: ForecastCycleOptions) {
    this.late$ = this.#late.asObservable();
    this.#forecaster = options.forecaster;
    this.#sources = options.sources;
    this.#scorecardEveryS = options.scorecardEveryS ?? 10;
    if (!(this.#scorecardEveryS > 0))
      throw new RangeError(`scorecardEveryS must be > 0, was ${this.#scorecardEveryS}`);
    this.#calibrates = options.calibrate ?? true;
    this.#clock = options.clock ?? systemClock;
    this.#scores = new Scorecards(options.scores);
    const models = [options.forecaster.name, ...(options.sources?.experts.models ?? [])];
    this.#editor = new PredictionEditor({ backend: 'forecaster', model: models.join('+') });
  }

  /** What follows from an update of memory: resolutions, then the forecast if a second has passed, then the scorecard. */
  step({ snapshot, events }: Observation): readonly Draft[] {
    const { t } = snapshot;
    if (this.#asked && t - this.#asked.snapshot.t > MAX_LATE_S) this.#conclude(this.#asked);
    this.#now = t;
    this.#asked?.events.push(...events);
    const drafts = this.#resolve(events, t);
    const second = Math.floor(t + TIME_EPSILON);
    if (second > this.#secondStated) {
      this.#secondStated = second;
      drafts.push(...this.#forecast(snapshot));
    }
    if (t - this.#scoredAt >= this.#scorecardEveryS - TIME_EPSILON) drafts.push(this.#scorecard(t));
    return drafts;
  }

  /** The camera was lost at media time `t`: open predictions become void, waiting items are not scored. */
  interrupt(t: number): readonly Draft[] {
    this.#drop();
    this.#resolver.voidAll();
    if (isLearning(this.#forecaster)) this.#forecaster.interrupt();
    return this.#void(t);
  }

  /** These zones or lines have gone, or lie elsewhere from media time `t` on: what was said of them is void. */
  forgetPlaces(names: ReadonlySet<string>, t: number): readonly Draft[] {
    this.#drop();
    this.#resolver.voidPlaces(names);
    return this.#void(t, ({ event }) => event.zone !== undefined && names.has(event.zone));
  }

  /**
   * The recording ended at media time `t`. What the end leaves undecided is void. Calls after the first say nothing.
   */
  finish(t: number): readonly Draft[] {
    if (this.#finished) return [];
    this.#finished = true;
    this.#drop();
    const drafts = this.#resolve([], t);
    this.#resolver.voidAll();
    drafts.push(...this.#void(t), this.#scorecard(t));
    return drafts;
  }

  /** Resolves when no forecast waits for its sources. */
  async settle(): Promise<void> {
    while (this.#asked) await this.#asked.told;
  }

  /** What waits is not told any more. Idempotent. */
  close(): void {
    this.#drop();
    this.#late.complete();
  }

  stats(): ForecastCycleStats {
    return { ...this.#counts, sources: this.#sources?.experts.stats() ?? {} };
  }

  /** Everything but a forecast that waits for its sources: a desk that takes it back goes on exactly as this one. */
  saveState(): z.infer<typeof stateSchema> {
    return {
      version: 3,
      pool: this.#sources?.mixture.saveState() ?? null,
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
    if (this.#sources) whole = this.#sources.mixture.restoreState(parsed.data.pool) && whole;
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
    for (const { item, at, hit, raw, sampled, estimates, group } of outcomes) {
      const weight = observationWeight(item);
      this.#sources?.mixture.learn(group, sampled, estimates, hit, weight);
      this.#scores.add(item.type, at, item.probability, hit);
      this.#calibrator.learn(item.type, raw, hit, weight);
      this.#baseRates.learn(item.type, hit, weight);
    }
    if (isLearning(this.#forecaster)) this.#forecaster.learn(outcomes);
  }

  /** The forecast of this moment, or nothing yet: then it comes on `late$`. */
  #forecast(snapshot: MemorySnapshot): Draft[] {
    const startMs = this.#clock.nowMs();
    const sampled = this.#forecaster.forecast(snapshot);
    const basis = basisOf(sampled, snapshot);
    if (!this.#sources) return this.#tell({ sampled, snapshot, startMs, events: [] }, basis);
    const round = this.#sources.experts.ask(snapshot, sampled.items);
    const asked: Asked = { sampled, snapshot, round, startMs, events: [] };
    const told = round.done.then(() => {
      if (this.#asked === waiting) this.#conclude(waiting);
    });
    const waiting = { ...asked, told };
    this.#asked = waiting;
    return [];
  }

  /** Tells a forecast with what the sources have said by now. */
  #conclude(asked: Asked): void {
    const { sampled, snapshot, round } = asked;
    this.#asked = undefined;
    round.end();
    if (round.degraded) {
      this.#counts.degraded += 1;
      this.#scores.addDegraded(sampled.at);
    }
    const basis = basisOf(sampled, snapshot, round.estimates, this.#sources?.mixture);
    this.#late.next({ drafts: this.#tell(asked, basis), snapshot });
  }

  #drop(): void {
    if (!this.#asked) return;
    this.#counts.dropped += 1;
    this.#asked.round.end();
    this.#asked = undefined;
  }

  #tell(asked: Omit<Asked, 'round'>, basis: ForecastBasis): Draft[] {
    const { sampled, snapshot, startMs, events: since } = asked;
    this.#counts.forecasts += 1;
    const items = sampled.items.map((item, i): ForecastItem => {
      const raw = basis.raw[i] ?? item.probability;
      const probability = this.#calibrates ? this.#calibrator.calibrate(item.type, raw) : raw;
      return { ...item, probability: Math.round(probability * 1e6) / 1e6 };
    });
    const forecast: Forecast = { ...sampled, items };
    this.#resolver.add(forecast, basis);
    if (since.length > 0) this.#learn(this.#resolver.resolve(since, this.#now));
    const baseRate = (type: EventType): number => this.#baseRates.rate(type);
    // What has been told meanwhile is not foretold any more.
    const known = new Set(
      since.map(({ event: { type, participants, zone } }) =>
        itemKey(
          type,
          participants.map(({ id }) => id),
          zone,
        ),
      ),
    );
    const open = items.filter((item) => !known.has(itemKey(item.type, item.participants, item.zone)));
    const drafts: Draft[] = [
      { kind: 'forecast.updated', mediatime: snapshot.t, data: forecast },
      ...this.#editor.edit({ ...forecast, items: open }, snapshot, baseRate, this.#clock.nowMs() - startMs),
    ];
    return drafts.map((draft) => ({ ...draft, mediatime: this.#now }));
  }

  #void(t: number, concerned: (prediction: Prediction) => boolean = () => true): Draft[] {
    const { open } = this.#editor;
    const voided = open.filter(concerned).map((p): ResolvedPrediction => ({
      ...p,
      outcome: 'void',
      resolvedAt: t,
    }));
    this.#editor.close(
      open.filter((prediction) => !concerned(prediction)),
      voided,
      t,
    );
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

/** What a forecast is made from: the sampled probabilities, pooled with what was said of the same items. */
function basisOf(
  sampled: Forecast,
  { objects }: MemorySnapshot,
  estimates?: Estimates,
  pool?: Mixture,
): ForecastBasis {
  const own = sampled.items.map(({ probability }) => probability);
  if (!estimates || !pool || estimates.size === 0)
    return { raw: own, sampled: own, estimates: {}, groups: [] };
  const keys = sampled.items.map((item) => itemKey(item.type, item.participants, item.zone));
  const said: ForecastBasis['estimates'] = Object.fromEntries(
    [...estimates].map(([name, by]) => [name, keys.map((key) => by.get(key) ?? null)]),
  );
  const labels = new Map(objects.map(({ id, label }) => [id, label]));
  const groups = sampled.items.map((item) => groupOf(item, labels));
  const raw = own.map((probability, i) => pool.combine(groups[i] ?? '', probability, estimatesOf(said, i)));
  return { raw, sampled: own, estimates: said, groups };
}
