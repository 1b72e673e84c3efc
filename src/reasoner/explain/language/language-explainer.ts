import { systemClock, type Clock } from '../../../core/clock.js';
import { PresageError } from '../../../core/errors.js';
import type { LanguageModel, LanguageRequest } from '../../../core/learned-models.js';
import type { Explanation, ObservedEvent } from '../../../core/messages.js';
import type { Explainer } from '../../../core/reasoner.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import { MIN_REPORTED, withUnrated, type Necessity } from '../causes/causes.js';
import { EventGraph, type Link } from '../rules/event-graph.js';
import { remarksOn, describeAccount, type Account, type AccountSource } from '../rules/rules-explainer.js';
import { salienceOf } from '../rules/salience.js';
import { logit, sigmoid } from '../../stats/online-logistic.js';
import { Verifier } from '../verify/verifier.js';
import { ChainGrammar } from './chain-grammar.js';
import { digitMeans } from '../../language/digits.js';
import { MomentPrompt, type PromptView } from '../../language/moment-prompt.js';

export interface LanguageExplainerOptions {
  readonly model: LanguageModel;
  /** Finds candidates and their probabilities without the language model. */
  readonly base: AccountSource;
  /**
   * Weight of the language model's logit of P(necessary), 0–1; that of the base has the rest. 1: the language model alone
   * says what was necessary.
   */
  readonly causeWeight: number;
  /** A chain that the language model holds less likely than this gives way to that of the base, 0–1. 0: never. */
  readonly minConfidence: number;
  readonly view: PromptView;
  /** The longest that an explanation may take, ms. Default: any time. */
  readonly limitMs?: number | undefined;
  /** Measures `by.ms`. Default: the system's clock. */
  readonly clock?: Clock;
}

/** Taken for P(necessary) where the base doesn't tell an object: below what is told. */
const UNTOLD = MIN_REPORTED / 3;

/**
 * Explains with the language model: which chain of earlier events, out of all that memory allows, and which objects were
 * necessary, pooled with what the base says. It chooses only; wording, times and boxes come from memory. What does not
 * verify is repaired once, else it rejects.
 */
export class LanguageExplainer implements Explainer {
  readonly name = 'fused';
  readonly #options: LanguageExplainerOptions;
  readonly #clock: Clock;

  constructor(options: LanguageExplainerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Rejects with PresageError (`backend_failed` when it takes too long or does not verify), or the signal's reason. */
  async explain(
    event: ObservedEvent,
    snapshot: MemorySnapshot,
    signal?: AbortSignal,
  ): Promise<Explanation | undefined> {
    const startMs = this.#clock.nowMs();
    using limit = new TimeLimit(this.#options.limitMs, signal);
    const base = await this.#options.base.account(event, snapshot, limit.signal);
    if (base === undefined) return undefined;
    const moment = new MomentPrompt(snapshot, this.#options.view, event);
    const { links, holds } = await this.#chain(moment, base, limit.signal);
    const causes = await this.#causes(moment, base, links, limit.signal);
    const tellsMore = links.some(({ rule }) => rule.relation !== 'enables') || causes.length > 0;
    if (!tellsMore && salienceOf(event) === 'when_known') return undefined;
    const remarks = remarksOn(base.index, event, links);
    const by = { backend: this.name, model: this.#options.model.name, ms: this.#clock.nowMs() - startMs };
    return verified(describeAccount({ ...base, links, causes, remarks }, by, holds), snapshot, event);
  }

  async #chain(
    moment: MomentPrompt,
    { event, index, links: byBase }: Account,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly links: readonly Link[]; readonly holds?: number }> {
    const chains = new ChainGrammar(new EventGraph(index), event, moment.numbers);
    if (!chains.isOpen) return { links: [] };
    const request = moment.request(`chain ${moment.numbers.get(event.id) ?? ''}`);
    const { text, logProbability } = await this.#options.model.complete(request, chains.grammar, signal);
    const links = chains.linksOf(text);
    if (links === undefined || !(logProbability <= 1e-6))
      throw new PresageError('backend_failed', 'the language model said what its grammar does not allow');
    const holds = Math.exp(Math.min(logProbability, 0));
    return holds < this.#options.minConfidence ? { links: byBase } : { links, holds };
  }

  async #causes(
    moment: MomentPrompt,
    base: Account,
    links: readonly Link[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Necessity[]> {
    const { event, index } = base;
    const asked = moment.needs.filter(({ object }) => index.wasInView(object, -Infinity, event.t, 0));
    if (asked.length === 0) return base.causes;
    const request: LanguageRequest = moment.request(`why ${moment.numbers.get(event.id) ?? ''}`);
    const texts = asked.map(({ text }) => text);
    const said = digitMeans(await this.#options.model.scoreDigits(request, texts, signal), texts.length);
    const told = new Map(base.causes.map((necessity) => [necessity.object, necessity]));
    const pooled = asked.map(({ object }, i): Necessity => {
      const known = told.get(object);
      const probability = this.#pooled(said[i] ?? UNTOLD, known?.probability ?? UNTOLD);
      return { object, probability, path: known?.path ?? pathFrom(object, links) };
    });
    const objects = asked.map(({ object }) => object);
    return withUnrated(pooled, objects, base.causes);
  }

  #pooled(language: number, base: number): number {
    const { causeWeight } = this.#options;
    return sigmoid(causeWeight * logit(language) + (1 - causeWeight) * logit(base));
  }
}

/** The links by which an object acts along a chain; none where the chain does not name it. */
function pathFrom(object: string, links: readonly Link[]): readonly Link[] {
  const first = links.findIndex(
    ({ cause, via }) => via !== object && cause.participants.some(({ id }) => id === object),
  );
  return first < 0 ? [] : links.slice(first);
}

/** Repaired once where it does not verify. @throws PresageError `backend_failed` when that does not help */
function verified(explanation: Explanation, snapshot: MemorySnapshot, event: ObservedEvent): Explanation {
  const verifier = new Verifier();
  const { ok } = verifier.verifyExplanation(explanation, snapshot, event);
  if (ok) return explanation;
  const repaired = verifier.repair(explanation, snapshot, event);
  if (repaired.verified.ok) return repaired;
  const [problem = 'it does not verify'] = repaired.verified.problems;
  throw new PresageError('backend_failed', `the language model's explanation does not verify: ${problem}`);
}

/** A signal that aborts with the caller's, or when the time is over. */
class TimeLimit implements Disposable {
  readonly signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number | undefined, outer: AbortSignal | undefined) {
    if (limitMs === undefined) {
      this.signal = outer;
      return;
    }
    const controller = new AbortController();
    const error = new PresageError('backend_failed', `the language model took longer than ${limitMs} ms`, {
      retryable: true,
    });
    this.#timer = setTimeout(() => controller.abort(error), limitMs);
    this.signal = outer ? AbortSignal.any([outer, controller.signal]) : controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
