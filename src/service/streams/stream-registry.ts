import { PresageError } from '../../core/errors.js';
import type { StreamStatus } from '../../transport/http/status.js';
import type { StreamSession } from '../session/stream-session.js';
import type { StreamPlan } from './stream-plan.js';
import { StreamSlot, type PlanChange, type StreamSlotOptions } from './stream-slot.js';

/** Streams at once; each holds a decoder and its own memory. */
const MAX_STREAMS = 64;

/** The streams of a service, by id. They can come and go while it runs. */
export class StreamRegistry implements AsyncDisposable {
  readonly #options: StreamSlotOptions;
  readonly #slots = new Map<string, StreamSlot>();
  #running = false;
  #closed: Promise<void> | undefined;

  constructor(options: StreamSlotOptions) {
    this.#options = options;
  }

  /**
   * Adds a stream; it runs from now on, or from `run` on.
   * @throws PresageError `conflict` where the id is taken, `overloaded` when there are too many, or why it cannot be opened
   */
  add(plan: StreamPlan): void {
    if (this.#closed) throw new PresageError('interrupted', 'The service is shutting down');
    if (this.#slots.has(plan.id)) {
      throw new PresageError('conflict', `There is a stream "${plan.id}" already`);
    }
    if (this.#slots.size >= MAX_STREAMS) {
      throw new PresageError('overloaded', `There are ${MAX_STREAMS} streams already`);
    }
    const slot = new StreamSlot(plan, this.#options);
    this.#slots.set(plan.id, slot);
    if (this.#running) void slot.run();
  }

  /** Ends a stream and forgets it; what it told stays in the log. False where there is none. */
  async remove(id: string): Promise<boolean> {
    const slot = this.#slots.get(id);
    if (!slot) return false;
    this.#slots.delete(id);
    await slot.close('removed');
    return true;
  }

  /** Resolves when it is done. @throws PresageError `not_found`, or why the source cannot be opened */
  async change(id: string, change: PlanChange): Promise<void> {
    const slot = this.#slots.get(id);
    if (!slot) throw new PresageError('not_found', `There is no stream "${id}"`);
    await slot.change(change);
  }

  /** Resolves when the stream has ended, with its error if it failed; at once where there is no such stream. */
  ended(id: string): Promise<PresageError | undefined> {
    return this.#slots.get(id)?.ended ?? Promise.resolve(undefined);
  }

  find(id: string): StreamSession | undefined {
    return this.#slots.get(id)?.session;
  }

  planOf(id: string): StreamPlan | undefined {
    return this.#slots.get(id)?.plan;
  }

  plans(): StreamPlan[] {
    return [...this.#slots.values()].map(({ plan }) => plan);
  }

  status(): StreamStatus[] {
    return [...this.#slots.values()].map((slot) => slot.status());
  }

  /**
   * Runs all streams until each that is there now has ended by itself. One that fails does not end the others.
   * @returns what streams failed with
   */
  async run(): Promise<PresageError[]> {
    this.#running = true;
    const outcomes = await Promise.all([...this.#slots.values()].map((slot) => slot.run()));
    return outcomes.filter((outcome) => outcome !== undefined);
  }

  /** Ends all streams. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
  }
}
