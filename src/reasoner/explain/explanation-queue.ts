import { PresageError, toPresageError } from '../../core/errors.js';
import type { Explanation, ObservedEvent } from '../../core/messages.js';
import type { Explainer } from '../../core/reasoner.js';
import type { MemorySnapshot } from '../../core/memory.js';

/** One event that waits for a slow explainer. */
export interface QueuedEvent {
  readonly event: ObservedEvent;
  /** Memory when the event became certain. */
  readonly snapshot: MemorySnapshot;
  /** What is said when the slow explainer does not deliver. */
  readonly byRules: Explanation;
}

export interface ExplanationQueueOptions {
  /** Events that may wait, the one under way not counted. Default 8. */
  readonly capacity?: number;
  /** An event older than this when its turn comes is no longer asked about, media seconds. Default 30. */
  readonly staleAfterS?: number;
  /** After this many failures in a row the explainer is left alone. Default 3. */
  readonly restAfterFailures?: number;
  /** For this long, media seconds. Default 30. */
  readonly restS?: number;
}

export interface ExplanationQueueStats {
  readonly waiting: number;
  readonly delivered: number;
  readonly failed: number;
  /** Fell out of the full queue. */
  readonly dropped: number;
  readonly stale: number;
  /** Not asked because the explainer had failed too often. */
  readonly rested: number;
}

/**
 * Feeds a slow explainer one event at a time. Nothing is lost without a word: whatever is dropped, stale or failed comes
 * out as its explanation by rules, with the reason among `verified.problems`.
 */
export class ExplanationQueue {
  readonly #explainer: Explainer;
  readonly #options: Required<ExplanationQueueOptions>;
  readonly #deliver: (explanation: Explanation, queued: QueuedEvent) => void;
  readonly #abort = new AbortController();
  readonly #waiting: QueuedEvent[] = [];
  readonly #counts = { delivered: 0, failed: 0, dropped: 0, stale: 0, rested: 0 };
  #running: Promise<void> | undefined;
  #now = 0;
  #failuresInRow = 0;
  #restUntil = -Infinity;

  /** `deliver` gets each queued event's explanation exactly once, in the order of the queue but for what is dropped. */
  constructor(
    explainer: Explainer,
    deliver: (explanation: Explanation, queued: QueuedEvent) => void,
    options: ExplanationQueueOptions = {},
  ) {
    this.#explainer = explainer;
    this.#deliver = deliver;
    this.#options = { capacity: 8, staleAfterS: 30, restAfterFailures: 3, restS: 30, ...options };
  }

  /** Tells the present media time, s. */
  advance(t: number): void {
    this.#now = t;
  }

  add(queued: QueuedEvent): void {
    this.#waiting.push(queued);
    if (this.#running !== undefined && this.#waiting.length > this.#options.capacity) {
      const oldest = this.#waiting.shift();
      if (oldest !== undefined) this.#giveUp('dropped', oldest, 'too many events wait for it');
    }
    this.#running ??= this.#run();
  }

  /** Resolves when nothing waits and nothing is under way. */
  async settle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  stats(): ExplanationQueueStats {
    return { waiting: this.#waiting.length, ...this.#counts };
  }

  /** Interrupts what is under way; it and what waits come out by rules. */
  async close(): Promise<void> {
    this.#abort.abort(new PresageError('interrupted', 'the stream was closed'));
    await this.settle();
  }

  async #run(): Promise<void> {
    // Deliveries never happen inside `add`.
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      await this.#explain(next);
    this.#running = undefined;
  }

  async #explain(queued: QueuedEvent): Promise<void> {
    if (this.#abort.signal.aborted) this.#giveUp('failed', queued, 'the stream was closed');
    else if (this.#now - queued.event.t > this.#options.staleAfterS) {
      this.#giveUp('stale', queued, 'the event is too long ago');
    } else if (this.#now < this.#restUntil) this.#giveUp('rested', queued, 'it has failed too often');
    else await this.#ask(queued);
  }

  async #ask(queued: QueuedEvent): Promise<void> {
    let explanation: Explanation | undefined;
    try {
      explanation = await this.#explainer.explain(queued.event, queued.snapshot, this.#abort.signal);
    } catch (thrown) {
      this.#countFailure();
      this.#giveUp('failed', queued, toPresageError(thrown, 'backend_failed').message);
      return;
    }
    this.#failuresInRow = 0;
    this.#counts.delivered += 1;
    this.#deliver(explanation ?? queued.byRules, queued);
  }

  #countFailure(): void {
    this.#failuresInRow += 1;
    if (this.#failuresInRow < this.#options.restAfterFailures) return;
    this.#restUntil = this.#now + this.#options.restS;
    this.#failuresInRow = 0;
  }

  #giveUp(reason: 'failed' | 'dropped' | 'stale' | 'rested', queued: QueuedEvent, why: string): void {
    this.#counts[reason] += 1;
    const { byRules } = queued;
    const problems = [
      `by rules, since ${this.#explainer.name} was not used: ${why}`,
      ...byRules.verified.problems,
    ];
    this.#deliver({ ...byRules, verified: { ...byRules.verified, problems } }, queued);
  }
}
