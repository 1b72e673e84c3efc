import { systemClock, type Clock } from '../../core/clock.js';
import { PresageError } from '../../core/errors.js';
import { DURABLE_KINDS, type Draft, type MessageKind } from '../../core/messages.js';
import type { LogAppend } from '../log/log-types.js';
import { refsOf } from '../archive/refs.js';
import { encodeMessage, OutgoingMessage, type MessageSink, type Stamp } from './encode.js';

const STREAM_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What a publisher needs of the durable log. */
export interface PublisherLog {
  append(streamId: string, message: LogAppend): number;
  beginRun(streamId: string): number;
  flush(): void;
}

export interface PublisherOptions {
  /** Letters, digits, `.`, `_` and `-`, at most 64. */
  streamId: string;
  /** Numbers and keeps the durable messages. Without it they are counted from 1 in memory (`analyze`). */
  log?: PublisherLog;
  /** Receive every message once; durable ones after their commit. Not closed by the publisher. */
  sinks?: readonly MessageSink[];
  /** Default `wall`. */
  stamp?: Stamp | undefined;
  /** Gives `time`. Default: the system clock. */
  clock?: Clock;
  /** Kinds that carry a sequence. Default: those of the specification; add `forecast.updated` to keep forecasts. */
  durableKinds?: ReadonlySet<MessageKind>;
}

export interface PublisherStats {
  readonly published: number;
  readonly durable: number;
  /** Given a sequence, not yet durable. */
  readonly pending: number;
}

/** Throws `bad_option` unless the id can stand in a path, a message id and a file name. */
function assertStreamId(streamId: string): void {
  if (STREAM_ID.test(streamId)) return;
  throw new PresageError('bad_option', `"${streamId}" cannot be the id of a stream`, {
    hint: 'Use letters, digits, dots, hyphens and underscores, beginning with a letter or digit, at most 64.',
  });
}

/**
 * Turns the drafts of one stream into messages: envelope, sequence, rounding, one serialisation for all receivers.
 *
 * With a log, a durable message reaches the sinks after its commit, in order of sequence; messages that are not durable
 * go at once and may overtake it by up to one commit interval. Without a log all go at once, in the order of publishing.
 */
export class Publisher implements AsyncDisposable {
  readonly streamId: string;
  readonly #log: PublisherLog | undefined;
  readonly #sinks: readonly MessageSink[];
  readonly #stamp: Stamp;
  readonly #clock: Clock;
  readonly #durableKinds: ReadonlySet<MessageKind>;
  readonly #liveIdPrefix: string;
  /** Of the newest durable message, committed or not. */
  #sequence = 0;
  #live = 0;
  #published = 0;
  #durable = 0;
  #pending = 0;
  #closed = false;

  /** Throws `bad_option` for a bad id, `storage_failed` when the log can't be written. */
  constructor(options: PublisherOptions) {
    assertStreamId(options.streamId);
    this.streamId = options.streamId;
    this.#log = options.log;
    this.#sinks = options.sinks ?? [];
    this.#stamp = options.stamp ?? 'wall';
    this.#clock = options.clock ?? systemClock;
    this.#durableKinds = options.durableKinds ?? DURABLE_KINDS;
    // `cam1:~17`; with a log `cam1:~3.17`, where 3 is the run, so that a restart gives no id twice.
    const run = this.#log?.beginRun(this.streamId);
    this.#liveIdPrefix = `${this.streamId}:~${run === undefined ? '' : `${run}.`}`;
  }

  /** Throws `storage_failed` when the log is full and refuses, `internal` for numbers that are not finite. */
  publish(draft: Draft): void {
    if (this.#closed) throw new PresageError('internal', `The publisher of ${this.streamId} is closed`);
    if (!this.#durableKinds.has(draft.kind)) {
      this.#emit(draft.kind, undefined, draft.mediatime, this.#encode(draft, undefined));
    } else if (this.#log === undefined) {
      const sequence = this.#sequence + 1;
      const json = this.#encode(draft, sequence);
      this.#sequence = sequence;
      this.#emit(draft.kind, sequence, draft.mediatime, json);
    } else {
      this.#append(this.#log, draft);
    }
  }

  publishAll(drafts: Iterable<Draft>): void {
    for (const draft of drafts) this.publish(draft);
  }

  /** Resolves when every sink can take more; `analyze` waits for it. Rejects with the sink's PresageError. */
  async drained(): Promise<void> {
    for (const sink of this.#sinks) await sink.drained?.();
  }

  /** Sequence of the newest durable message of this run, committed or not; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  stats(): PublisherStats {
    return { published: this.#published, durable: this.#durable, pending: this.#pending };
  }

  /** Commits what is pending, so that the sinks have everything. Idempotent; log and sinks stay open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#log?.flush();
    await this.drained();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #append(log: PublisherLog, draft: Draft): void {
    const { kind, mediatime } = draft;
    this.#pending += 1;
    try {
      this.#sequence = log.append(this.streamId, {
        kind,
        mediatime,
        refs: refsOf(draft),
        render: (sequence) => this.#encode(draft, sequence),
        onDurable: ({ sequence, json }) => {
          this.#pending -= 1;
          this.#emit(kind, sequence, mediatime, json);
        },
      });
    } catch (error) {
      this.#pending -= 1;
      throw error;
    }
  }

  #encode(draft: Draft, sequence: number | undefined): string {
    const id =
      sequence === undefined ? `${this.#liveIdPrefix}${(this.#live += 1)}` : `${this.streamId}:${sequence}`;
    const time = this.#stamp === 'none' ? undefined : this.#clock.wall().toISOString();
    return encodeMessage(draft, { streamId: this.streamId, id, time, sequence }, this.#stamp);
  }

  #emit(kind: MessageKind, sequence: number | undefined, mediatime: number, json: string): void {
    this.#published += 1;
    if (sequence !== undefined) this.#durable += 1;
    const message = new OutgoingMessage(this.streamId, kind, sequence, mediatime, json);
    for (const sink of this.#sinks) sink.deliver(message);
  }
}
