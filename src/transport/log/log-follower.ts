import { toPresageError, type PresageError } from '../../core/errors.js';
import type { StateStore } from '../../core/state.js';
import type { MessageSink, OutgoingMessage } from '../messages/encode.js';
import type { LogEntry, LogRange } from './log-types.js';

/** Messages read at a time. */
const PAGE = 100;
/** Before the log is read again after it could not be read, ms. */
const RETRY_MS = 1000;
/** Where positions are kept in the state of the log: under no stream's name. */
const NO_STREAM = '';

/** The part of the durable log that a follower reads. */
export interface FollowedLog extends Pick<StateStore, 'load' | 'save'> {
  read(streamId: string, fromSequence: number, limit: number): readonly LogEntry[];
  range(streamId: string): LogRange;
  streamIds(): readonly string[];
}

export interface LogFollowerOptions {
  /** Name under which the position is kept; the same after a restart. */
  readonly name: string;
  readonly log: FollowedLog;
  /** What is given to `send`; the rest is passed over. */
  readonly wants: (streamId: string, entry: LogEntry) => boolean;
  /** Done with a message when it resolves. May take as long as it likes. Rejects only when `signal` aborts. */
  readonly send: (streamId: string, entry: LogEntry, signal: AbortSignal) => Promise<void>;
  /** Farther behind than this, the oldest messages of a stream are skipped, and counted. Default: as far as the log goes. */
  readonly maxBehind?: number;
  readonly onError: (error: PresageError) => void;
}

export interface LogFollowerStats {
  readonly sent: number;
  /** Messages skipped because they were not kept any more, or too many waited. */
  readonly lost: number;
  /** Durable messages not looked at yet, of all streams. */
  readonly behind: number;
}

/**
 * Goes through the durable log of all streams, message after message, and gives each that is wanted to one receiver: in order
 * within a stream, the next only when the receiver is done with the one before. Its position is kept in the log itself and
 * committed after the message is done with, so a crash can repeat a message and lose none. A follower that is new begins with
 * what comes; a stream that is new is followed from its first message.
 */
export class LogFollower implements MessageSink, AsyncDisposable {
  readonly #options: LogFollowerOptions;
  readonly #next = new Map<string, number>();
  readonly #abort = new AbortController();
  #wake: (() => void) | undefined;
  #awake = true;
  #running: Promise<void> | undefined;
  #sent = 0;
  #lost = 0;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
    const { log } = options;
    const saved = log.load(NO_STREAM, this.#key) as Record<string, number> | undefined;
    if (saved) for (const [id, next] of Object.entries(saved)) this.#next.set(id, next);
    else for (const id of log.streamIds()) this.#next.set(id, log.range(id).last + 1);
    this.#save();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** A message is in the log. Never throws, never waits. */
  deliver({ sequence }: OutgoingMessage): void {
    if (sequence === undefined) return;
    this.#awake = true;
    this.#wake?.();
  }

  stats(): LogFollowerStats {
    const { log } = this.#options;
    let behind = 0;
    for (const id of log.streamIds()) behind += Math.max(0, log.range(id).last + 1 - this.#nextOf(id));
    return { sent: this.#sent, lost: this.#lost, behind };
  }

  /** Stops, whatever is under way; it is sent again after a restart. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#wake?.();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#awake = false;
      try {
        let more = false;
        for (const id of this.#options.log.streamIds()) more = (await this.#advance(id)) || more;
        if (!more) await this.#news();
      } catch (thrown) {
        if (this.#isStopped()) return;
        this.#options.onError(toPresageError(thrown));
        await this.#pause(RETRY_MS);
      }
    }
  }

  /** One page of a stream, so that streams take turns. True when there may be more. */
  async #advance(id: string): Promise<boolean> {
    const { log, wants, send } = this.#options;
    const { signal } = this.#abort;
    this.#skipLost(id);
    const page = log.read(id, this.#nextOf(id), PAGE);
    for (const entry of page) {
      if (wants(id, entry)) {
        await send(id, entry, signal);
        if (this.#isStopped()) return false;
        this.#sent += 1;
        this.#next.set(id, entry.sequence + 1);
        this.#save();
      } else {
        this.#next.set(id, entry.sequence + 1);
      }
    }
    if (page.length > 0) this.#save();
    return page.length === PAGE;
  }

  /** What retention took before it was sent, and what is too old for this receiver. */
  #skipLost(id: string): void {
    const { log, maxBehind = Infinity } = this.#options;
    const { first, last } = log.range(id);
    const next = this.#nextOf(id);
    const from = Math.max(next, first, last + 1 - maxBehind);
    if (from === next || last < first) return;
    this.#lost += from - next;
    this.#next.set(id, from);
  }

  #nextOf(id: string): number {
    return this.#next.get(id) ?? 1;
  }

  #isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  get #key(): string {
    return `follower/${this.#options.name}`;
  }

  #save(): void {
    this.#options.log.save(NO_STREAM, this.#key, Object.fromEntries(this.#next));
  }

  #news(): Promise<void> {
    if (this.#awake || this.#abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#abort;
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    });
  }
}
