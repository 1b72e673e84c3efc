import { systemClock, type Clock } from '../../../core/clock.js';
import type { CauseModel } from '../../../core/learned-models.js';
import type { Explanation, ObservedEvent } from '../../../core/messages.js';
import { CONFIRM_S, TIME_EPSILON } from '../../../core/ontology.js';
import type { Explainer } from '../../../core/reasoner.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import { blendCauses, blendFor, UNFITTED_BLEND, type CauseBlend } from './cause-blend.js';
import { AFTER_S, causeQuery } from './cause-query.js';
import { withUnrated, type Necessity } from './causes.js';
import {
  accountFor,
  RULES_MODEL,
  describeAccount,
  type Account,
  type AccountSource,
} from '../rules/rules-explainer.js';

export interface LearnedExplainerOptions {
  readonly model: CauseModel;
  /** How its probabilities and the rules' become one. Default: both alike. */
  readonly blend?: CauseBlend | undefined;
  /** Measures `by.ms`. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Explains by the chain that rules find, and says which third objects were necessary by the cause head and the rules
 * together. An object that only the cause head holds necessary is told without a path.
 */
export class LearnedExplainer implements Explainer, AccountSource {
  readonly name = 'causes';
  readonly #model: CauseModel;
  readonly #blend: CauseBlend;
  readonly #clock: Clock;

  constructor(options: LearnedExplainerOptions) {
    this.#model = options.model;
    this.#blend = options.blend ?? UNFITTED_BLEND;
    this.#clock = options.clock ?? systemClock;
  }

  async explain(
    event: ObservedEvent,
    snapshot: MemorySnapshot,
    signal?: AbortSignal,
  ): Promise<Explanation | undefined> {
    const startMs = this.#clock.nowMs();
    const account = await this.account(event, snapshot, signal);
    if (account === undefined) return undefined;
    const model = `${RULES_MODEL}+${this.#model.name}`;
    const by = { backend: this.name, model, ms: this.#clock.nowMs() - startMs };
    return describeAccount(account, by);
  }

  async account(
    event: ObservedEvent,
    snapshot: MemorySnapshot,
    signal?: AbortSignal,
  ): Promise<Account | undefined> {
    const account = accountFor(event, snapshot);
    return account && { ...account, causes: await this.#necessities(account, snapshot, signal) };
  }

  async #necessities(
    { event, causes, index }: Account,
    snapshot: MemorySnapshot,
    signal?: AbortSignal,
  ): Promise<readonly Necessity[]> {
    // What is told at once has no motion after it yet, which the cause head reads.
    const asked = CONFIRM_S[event.type] < AFTER_S - TIME_EPSILON ? undefined : causeQuery(event, snapshot);
    const weights = blendFor(this.#blend, event.type);
    if (!asked || !weights) return causes;
    const said = await this.#model.necessary(asked.query, signal);
    const byRules = new Map(causes.map((necessity) => [necessity.object, necessity]));
    const own = new Set(event.participants.map(({ id }) => id));
    const blended = asked.ids.flatMap((object, row): Necessity[] => {
      if (own.has(object) || !index.wasInView(object, -Infinity, event.t, 0)) return [];
      const known = byRules.get(object);
      const probability = blendCauses(weights, said[row] ?? 0, known?.probability);
      return [{ object, probability, path: known?.path ?? [] }];
    });
    return withUnrated(blended, asked.ids, causes);
  }
}
