import { PresageError, toPresageError } from '../../core/errors.js';
import { sourceName } from '../../ingest/source-spec.js';
import type { StateStore } from '../../core/state.js';
import type { StreamStatus } from '../../transport/http/status.js';
import { PLACES_KEY } from '../session/continuation.js';
import type { StreamSession } from '../session/stream-session.js';
import type { StreamPlan } from './stream-plan.js';

/** What of a plan can become another one. */
export type PlanChange = Partial<Pick<StreamPlan, 'source' | 'rtspTransport' | 'places' | 'loop' | 'paused'>>;

export interface StreamSlotOptions {
  /** Makes the session of a plan, not yet running. @throws PresageError */
  readonly open: (plan: StreamPlan) => StreamSession;
  /** Told what a session fails with. */
  readonly onError: (error: PresageError) => void;
  /** Keeps the zones and lines of a stream that has no session. */
  readonly store: Pick<StateStore, 'save'>;
}

/** One stream of a service over the sessions that carry it out: a pause, or another source, ends one and begins the next. */
export class StreamSlot implements AsyncDisposable {
  readonly #options: StreamSlotOptions;
  #plan: StreamPlan;
  #session: StreamSession | undefined;
  #running = false;
  #closed = false;
  /** One change after the other. */
  #work: Promise<void> = Promise.resolve();
  readonly #ended: Promise<PresageError | undefined>;
  #end!: (error: PresageError | undefined) => void;

  /** @throws PresageError why it cannot be opened */
  constructor(plan: StreamPlan, options: StreamSlotOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
    if (plan.paused !== true) this.#session = options.open(plan);
  }

  get plan(): StreamPlan {
    return this.#plan;
  }

  /** Undefined while the stream is paused. */
  get session(): StreamSession | undefined {
    return this.#session;
  }

  /** Resolves when the stream has ended, with its error if it failed. */
  get ended(): Promise<PresageError | undefined> {
    return this.#ended;
  }

  status(): StreamStatus {
    const { id, source, origin, paused = false } = this.#plan;
    const status = this.#session?.status() ?? {
      id,
      source: sourceName(source),
      state: 'ended',
      reason: 'paused',
    };
    return { ...status, origin, paused };
  }

  /** Runs it from now on. Resolves when the stream has ended by itself or was removed, with what it failed with. */
  run(): Promise<PresageError | undefined> {
    if (!this.#running) {
      this.#running = true;
      this.#begin();
    }
    return this.#ended;
  }

  /** Resolves when it is done. @throws PresageError why it cannot be opened; the stream is then paused */
  change(change: PlanChange): Promise<void> {
    const done = this.#work.then(() => this.#change(change));
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** Idempotent. @param reason told with its last state */
  async close(reason?: string): Promise<void> {
    this.#closed = true;
    await this.#work;
    await this.#session?.close(reason);
    this.#end(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #change(change: PlanChange): Promise<void> {
    if (this.#closed) throw new PresageError('not_found', `There is no stream "${this.#plan.id}"`);
    const before = this.#plan;
    const plan = { ...before, ...change };
    const anew =
      plan.source !== before.source ||
      plan.rtspTransport !== before.rtspTransport ||
      plan.loop !== before.loop;
    this.#plan = plan;
    if (plan.paused === true) await this.#stop('paused');
    else if (anew || this.#session === undefined) {
      await this.#stop('its source was changed');
      this.#reopen(plan);
      return;
    }
    if (change.places === undefined) return;
    if (this.#session) this.#session.changePlaces(plan.places);
    else this.#options.store.save(plan.id, PLACES_KEY, plan.places);
  }

  #reopen(plan: StreamPlan): void {
    try {
      this.#session = this.#options.open(plan);
    } catch (thrown) {
      this.#plan = { ...plan, paused: true };
      throw thrown;
    }
    this.#begin();
  }

  async #stop(reason: string): Promise<void> {
    const session = this.#session;
    // From now on its end is not the stream's.
    this.#session = undefined;
    await session?.close(reason);
  }

  #begin(): void {
    const session = this.#session;
    if (!this.#running || session === undefined) return;
    void session.run().then(
      () => this.#finish(session, undefined),
      (thrown: unknown) => {
        const error = toPresageError(thrown);
        this.#options.onError(error);
        this.#finish(session, error);
      },
    );
  }

  #finish(session: StreamSession, error: PresageError | undefined): void {
    if (this.#session === session) this.#end(error);
  }
}
