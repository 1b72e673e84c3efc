import { Subject, type Observable } from 'rxjs';
import { z } from 'zod';
import type { Draft, Explanation, ObservedEvent } from '../core/messages.js';
import type { Explainer, Reasoner } from '../core/reasoner.js';
import type { MemorySnapshot, Observation } from '../core/memory.js';
import {
  ExplanationQueue,
  type ExplanationQueueOptions,
  type ExplanationQueueStats,
  type QueuedEvent,
} from './explain/explanation-queue.js';
import type { RulesExplainer } from './explain/rules/rules-explainer.js';
import type { ForecastCycleStats, LateForecast } from './predict/forecast-cycle.js';
import { Verifier, type VerifierStats } from './explain/verify/verifier.js';

/** What states forecasts and predictions and resolves them: ForecastCycle. */
export interface ForecastStage {
  /** Forecasts that had to wait, and what follows from them. */
  readonly late$: Observable<LateForecast>;
  step(update: Observation): readonly Draft[];
  interrupt(t: number): readonly Draft[];
  forgetPlaces(names: ReadonlySet<string>, t: number): readonly Draft[];
  finish(t: number): readonly Draft[];
  /** Resolves when no forecast waits. */
  settle(): Promise<void>;
  stats(): ForecastCycleStats;
  close(): void;
  saveState(): unknown;
  /** No prediction up to `p{number}` is made again. */
  continueAfter(number: number): void;
  /** False when the state is not of its form. */
  restoreState(state: unknown): boolean;
}

export interface StreamReasonerOptions {
  readonly cycle: ForecastStage;
  /** Explains at once; without it nothing is explained. */
  readonly rules?: RulesExplainer | undefined;
  /** Explains instead of the rules, later; when it fails, the rules' explanation is said. */
  readonly slow?: Explainer | undefined;
  readonly queue?: ExplanationQueueOptions;
  /** What explainers see of memory. Default: all of it. */
  readonly view?: ((snapshot: MemorySnapshot) => MemorySnapshot) | undefined;
  /** Default: one of its own. */
  readonly verifier?: Verifier;
  /** What `saveState` returned in an earlier life of the stream; what is not of its form is ignored. */
  readonly state?: unknown;
}

export interface StreamReasonerStats {
  readonly explanations: number;
  readonly forecasts: ForecastCycleStats;
  readonly verifier: VerifierStats;
  /** Absent without a slow explainer. */
  readonly queue?: ExplanationQueueStats;
}

const stateSchema = z.object({
  version: z.literal(1),
  nextExplanation: z.number().int().min(1),
  desk: z.unknown(),
});

/** The reasoner of one stream: explanations of new events, then forecasts and what follows from them. */
export class StreamReasoner implements Reasoner {
  readonly late$: Observable<Draft>;
  readonly #late = new Subject<Draft>();
  readonly #cycle: ForecastStage;
  readonly #rules: RulesExplainer | undefined;
  readonly #verifier: Verifier;
  readonly #queue: ExplanationQueue | undefined;
  readonly #view: (snapshot: MemorySnapshot) => MemorySnapshot;
  /** Late explanations on their way out. */
  #outbox: Promise<void> = Promise.resolve();
  #nextExplanation = 1;
  #now = 0;
  #closed: Promise<void> | undefined;

  constructor(options: StreamReasonerOptions) {
    this.late$ = this.#late.asObservable();
    this.#cycle = options.cycle;
    this.#rules = options.rules;
    this.#verifier = options.verifier ?? new Verifier();
    this.#view = options.view ?? ((snapshot) => snapshot);
    const { cycle: desk } = options;
    desk.late$.subscribe(({ drafts, snapshot }) => {
      for (const draft of drafts) this.#late.next(this.#verifyPrediction(draft, snapshot));
    });
    // A forecast that waits goes first, whichever answer comes first: the same messages each time.
    const deliver = (explanation: Explanation, { event, snapshot }: QueuedEvent): void => {
      this.#outbox = this.#outbox
        .then(() => desk.settle())
        .then(() => this.#late.next(this.#draft(explanation, event, snapshot)));
    };
    this.#queue = options.slow && new ExplanationQueue(options.slow, deliver, options.queue);
    if (options.state !== undefined) this.#restore(options.state);
  }

  /** Explanations by rules in the order of the events, then what the desk says. */
  step(update: Observation): readonly Draft[] {
    const { snapshot } = update;
    this.#now = snapshot.t;
    this.#queue?.advance(snapshot.t);
    const explanations = update.events.flatMap(({ event }) => this.#explain(event, snapshot));
    const told = this.#cycle.step(update).map((draft) => this.#verifyPrediction(draft, snapshot));
    return [...explanations, ...told];
  }

  interrupt(t: number): readonly Draft[] {
    return this.#cycle.interrupt(t);
  }

  /** These zones or lines have gone, or lie elsewhere: predictions of them become void. */
  forgetPlaces(names: ReadonlySet<string>, t: number): readonly Draft[] {
    return this.#cycle.forgetPlaces(names, t);
  }

  async settle(): Promise<void> {
    await this.#cycle.settle();
    await this.#queue?.settle();
    await this.#outbox;
  }

  finish(t: number): readonly Draft[] {
    return this.#cycle.finish(t);
  }

  saveState(): z.infer<typeof stateSchema> {
    return { version: 1, nextExplanation: this.#nextExplanation, desk: this.#cycle.saveState() };
  }

  /** Ids up to these numbers are not given again: those told after the restored state was saved. */
  continueAfter(given: { readonly explanations: number; readonly predictions: number }): void {
    this.#nextExplanation = Math.max(this.#nextExplanation, given.explanations + 1);
    this.#cycle.continueAfter(given.predictions);
  }

  stats(): StreamReasonerStats {
    return {
      explanations: this.#nextExplanation - 1,
      forecasts: this.#cycle.stats(),
      verifier: this.#verifier.stats(),
      ...(this.#queue === undefined ? {} : { queue: this.#queue.stats() }),
    };
  }

  /**
   * Events still waiting for the slow explainer come out on `late$` by rules, a waiting forecast is let go; then `late$`
   * completes. Idempotent.
   */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#cycle.close();
      await this.#queue?.close();
      await this.#outbox;
      this.#late.complete();
    })();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #explain(event: ObservedEvent, snapshot: MemorySnapshot): Draft[] {
    const byRules = this.#rules?.explainNow(event, this.#view(snapshot));
    if (byRules === undefined) return [];
    if (this.#queue === undefined) return [this.#draft(byRules, event, snapshot)];
    this.#queue.add({ event, snapshot: this.#view(snapshot), byRules });
    return [];
  }

  #draft(explanation: Explanation, event: ObservedEvent, snapshot: MemorySnapshot): Draft {
    const id = `x${this.#nextExplanation}`;
    this.#nextExplanation += 1;
    const verified = this.#verifier.repair({ ...explanation, id }, snapshot, event);
    return {
      kind: 'explanation.created',
      mediatime: this.#now,
      subject: id,
      data: { explanation: verified },
    };
  }

  #verifyPrediction(draft: Draft, snapshot: MemorySnapshot): Draft {
    if (draft.kind !== 'prediction.created' && draft.kind !== 'prediction.updated') return draft;
    return {
      ...draft,
      data: { prediction: this.#verifier.repairPrediction(draft.data.prediction, snapshot) },
    };
  }

  #restore(state: unknown): void {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) return;
    this.#nextExplanation = parsed.data.nextExplanation;
    this.#cycle.restoreState(parsed.data.desk);
  }
}
