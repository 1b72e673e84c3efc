import { PresageError, toPresageError } from '../../core/errors.js';
import type { StreamStatus } from '../../transport/http/status.js';
import type { StreamSession } from '../stream-session.js';
import type { StreamPlan } from './stream-plan.js';

/** Streams at once; each holds a decoder and its own memory. */
const MAX_STREAMS = 64;

export interface StreamRegistryOptions {
  /** Makes the session of a plan, not yet running. @throws PresageError */
  readonly open: (plan: StreamPlan) => StreamSession;
  readonly onError: (error: PresageError) => void;
}

interface Entry {
  readonly plan: StreamPlan;
  readonly session: StreamSession;
  /** Set once it runs; never rejects. */
  outcome: Promise<PresageError | undefined> | undefined;
}

/** The streams of a service, by id. They can come and go while it runs. */
export class StreamRegistry implements AsyncDisposable {
  readonly #options: StreamRegistryOptions;
  readonly #entries = new Map<string, Entry>();
  #running = false;
  #closed: Promise<void> | undefined;

  constructor(options: StreamRegistryOptions) {
    this.#options = options;
  }

  /**
   * Adds a stream; it runs from now on, or from `run` on.
   * @throws PresageError `conflict` where the id is taken, `overloaded` when there are too many, or why it cannot be opened
   */
  add(plan: StreamPlan): StreamSession {
    if (this.#closed) throw new PresageError('interrupted', 'The service is shutting down');
    if (this.#entries.has(plan.id)) {
      throw new PresageError('conflict', `There is a stream "${plan.id}" already`);
    }
    if (this.#entries.size >= MAX_STREAMS) {
      throw new PresageError('overloaded', `There are ${MAX_STREAMS} streams already`);
    }
    const entry: Entry = { plan, session: this.#options.open(plan), outcome: undefined };
    this.#entries.set(plan.id, entry);
    if (this.#running) void this.#start(entry);
    return entry.session;
  }

  /** Ends a stream and forgets it; what it told stays in the log. False where there is none. */
  async remove(id: string): Promise<boolean> {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    await entry.session.close();
    return true;
  }

  find(id: string): StreamSession | undefined {
    return this.#entries.get(id)?.session;
  }

  planOf(id: string): StreamPlan | undefined {
    return this.#entries.get(id)?.plan;
  }

  status(): StreamStatus[] {
    return [...this.#entries.values()].map(({ session }) => session.status());
  }

  /**
   * Runs all streams until each that is there now has ended. One that fails does not end the others.
   * @throws PresageError of the stream that failed, when there is only one
   */
  async run(): Promise<void> {
    this.#running = true;
    const outcomes = await Promise.all([...this.#entries.values()].map((entry) => this.#start(entry)));
    if (outcomes.length === 1 && outcomes[0]) throw outcomes[0];
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
    await Promise.all([...this.#entries.values()].map(({ session }) => session.close()));
  }

  #start(entry: Entry): Promise<PresageError | undefined> {
    entry.outcome ??= entry.session.run().then(
      () => undefined,
      (thrown: unknown) => {
        const error = toPresageError(thrown);
        this.#options.onError(error);
        return error;
      },
    );
    return entry.outcome;
  }
}
