import { toPresageError, type PresageError } from '../../core/errors.js';
import type { Clock } from '../../core/clock.js';
import { formatSequence } from '../../core/messages.js';
import type { LogEntry, LogRange } from '../log/log-types.js';
import { encodeMessage, OutgoingMessage } from '../messages/encode.js';
import type { Subscription } from './subscription.js';

/** Durable messages read at a time during a replay. */
const PAGE = 200;
/** Bytes handed to the socket before waiting for it. */
const SOCKET_HIGH_WATER = 256 * 1024;
/** Slack when thinning by media time, so that frames at exactly the rate all pass, s. */
const RATE_SLACK_S = 1e-3;

/** The part of a `ws` WebSocket that a subscriber uses. */
export interface ClientSocket {
  readonly bufferedAmount: number;
  send(data: Buffer, options: { binary: boolean }, done: (error?: Error | null) => void): void;
  close(code: number, reason: string): void;
}

/** The part of the durable log that a subscriber reads. */
export interface LogReader {
  read(streamId: string, fromSequence: number, limit: number): readonly LogEntry[];
  range(streamId: string): LogRange;
}

/** Most that may wait for one client, in the queue and in its socket. */
export interface QueueBounds {
  /** Default 1000. */
  readonly messages: number;
  /** Default 8 MiB. */
  readonly bytes: number;
}

export interface SubscriberOptions {
  readonly streamId: string;
  readonly subscription: Subscription;
  readonly socket: ClientSocket;
  readonly log: LogReader;
  readonly bounds: QueueBounds;
  readonly clock: Clock;
  /** Unique among the subscribers of this process: it goes into the ids of `lagged` messages. */
  readonly number: number;
  /** Counts messages dropped for this client. */
  readonly onDropped: (count: number) => void;
  readonly onError: (error: PresageError) => void;
}

interface Lag {
  dropped: number;
  from: number;
  to: number;
  mediatime: number;
}

/**
 * One client's view of one stream. It is either replaying, reading page after page from the log as fast as its socket
 * takes them, or live. `#next` is the durable sequence it needs next: whatever lies before it was sent (or filtered),
 * so replay and live meet without a gap or a double. A live client whose queue is full loses messages until the
 * queue has drained, and is then told by one `lagged`.
 */
export class Subscriber {
  readonly streamId: string;
  readonly #options: SubscriberOptions;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #next: number;
  #live = false;
  #replayScheduled = false;
  #lag: Lag | undefined;
  #lagCount = 0;
  #lastObjectsAt = -Infinity;
  #lastMediatime = 0;
  #closed = false;
  #sent = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.streamId = options.streamId;
    const { from } = options.subscription;
    const { first, last } = options.log.range(this.streamId);
    this.#next = from === 'oldest' ? first : from === 'latest' ? last + 1 : Math.max(1, from);
  }

  /** Messages handed to the socket. */
  get sent(): number {
    return this.#sent;
  }

  get state(): 'replaying' | 'live' | 'lagging' | 'closed' {
    if (this.#closed) return 'closed';
    return this.#lag !== undefined ? 'lagging' : this.#live ? 'live' : 'replaying';
  }

  /** Begins the replay, or goes live at once where there is nothing to replay. */
  start(): void {
    this.#replay();
  }

  /** A live message of the stream. Returns at once, whatever the client does. */
  deliver(message: OutgoingMessage): void {
    if (this.#closed) return;
    const { sequence } = message;
    if (sequence !== undefined) {
      if (sequence < this.#next) return;
      // A gap cannot come from a sound publisher; should it, the log has what is missing.
      if (this.#live && sequence > this.#next) this.#fallBack();
      if (!this.#live) return;
      this.#next = sequence + 1;
    } else if (!this.#live) {
      return;
    }
    this.#lastMediatime = message.mediatime;
    if (this.#wants(message)) this.#enqueueLive(message);
  }

  /** Sends what is queued, whatever the socket holds, then closes. Idempotent. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    for (const item of this.#queue.splice(0)) this.#send(item);
    this.#tellLag();
    this.#closed = true;
    this.#options.socket.close(code, reason);
  }

  /** The socket has gone: drop everything. */
  detach(): void {
    this.#closed = true;
    this.#queue = [];
  }

  #fallBack(): void {
    this.#live = false;
    this.#scheduleReplay();
  }

  #wants(message: OutgoingMessage): boolean {
    const { kinds, objectsHz } = this.#options.subscription;
    if (kinds !== undefined && !kinds.has(message.kind)) return false;
    if (message.kind !== 'objects.updated') return true;
    if (objectsHz === 0) return false;
    const since = message.mediatime - this.#lastObjectsAt;
    // A stream that starts anew may begin at an earlier media time.
    if (since >= 0 && since < 1 / objectsHz - RATE_SLACK_S) return false;
    this.#lastObjectsAt = message.mediatime;
    return true;
  }

  #enqueueLive(message: OutgoingMessage): void {
    const { bounds, socket } = this.#options;
    const bytes = this.#queuedBytes + socket.bufferedAmount + message.bytes.length;
    if (this.#lag !== undefined || this.#queue.length >= bounds.messages || bytes > bounds.bytes) {
      this.#drop(message);
      return;
    }
    this.#push(message.bytes);
    this.#pump();
  }

  #drop({ sequence, mediatime }: OutgoingMessage): void {
    // Until a durable message is lost the range is empty: it ends before it begins.
    this.#lag ??= { dropped: 0, from: sequence ?? this.#next, to: (sequence ?? this.#next) - 1, mediatime };
    const lag = this.#lag;
    if (sequence !== undefined) {
      if (lag.to < lag.from) lag.from = sequence;
      lag.to = sequence;
    }
    lag.dropped += 1;
    lag.mediatime = mediatime;
    this.#options.onDropped(1);
  }

  #push(bytes: Buffer): void {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  /** Hands the queue to the socket as far as that takes it; an empty queue ends a lag and lets a replay go on. */
  #pump(): void {
    if (this.#closed) return;
    let count = 0;
    while (count < this.#queue.length && this.#options.socket.bufferedAmount < SOCKET_HIGH_WATER) {
      this.#send(this.#queue[count++] as Buffer);
    }
    this.#queue.splice(0, count);
    if (this.#queue.length > 0) return;
    this.#tellLag();
    if (!this.#live) this.#scheduleReplay();
  }

  #send(bytes: Buffer): void {
    this.#queuedBytes -= bytes.length;
    this.#sent += 1;
    // An error here means that the socket is closing, which its own `close` event reports.
    this.#options.socket.send(bytes, { binary: false }, () => this.#pump());
  }

  #scheduleReplay(): void {
    if (this.#replayScheduled || this.#closed) return;
    this.#replayScheduled = true;
    setImmediate(() => {
      this.#replayScheduled = false;
      this.#replay();
    });
  }

  /** Queues one page, or goes live when the log holds nothing more. */
  #replay(): void {
    if (this.#closed || this.#live || this.#queue.length > 0) return;
    if (this.#options.socket.bufferedAmount >= SOCKET_HIGH_WATER) return;
    try {
      const { log, bounds } = this.#options;
      // Half of what may wait, so that going live right after a page leaves room for what comes then.
      const limit = Math.max(1, Math.min(PAGE, bounds.messages >> 1));
      const entries = log.read(this.streamId, this.#next, limit);
      const { first, last } = log.range(this.streamId);
      this.#noteExpired(entries[0]?.sequence ?? first);
      for (const entry of entries) this.#pushEntry(entry);
      this.#live = this.#next > last && this.#queuedBytes <= bounds.bytes / 2;
    } catch (thrown) {
      this.#options.onError(toPresageError(thrown, 'storage_failed'));
      this.close(1011, 'the durable log cannot be read');
      return;
    }
    this.#pump();
  }

  #pushEntry(entry: LogEntry): void {
    this.#next = entry.sequence + 1;
    this.#lastMediatime = entry.mediatime;
    const { kinds } = this.#options.subscription;
    if (kinds === undefined || kinds.has(entry.kind)) this.#push(Buffer.from(entry.json));
  }

  /** What was asked for and is no longer kept is told like anything else that was missed. */
  #noteExpired(available: number): void {
    if (available <= this.#next) return;
    const dropped = available - this.#next;
    this.#lag = { dropped, from: this.#next, to: available - 1, mediatime: this.#lastMediatime };
    this.#next = available;
    this.#tellLag();
  }

  #tellLag(): void {
    const lag = this.#lag;
    if (lag === undefined) return;
    this.#lag = undefined;
    const { streamId, clock, number } = this.#options;
    this.#lagCount += 1;
    const json = encodeMessage(
      {
        kind: 'lagged',
        mediatime: lag.mediatime,
        data: {
          dropped: lag.dropped,
          fromSequence: formatSequence(lag.from),
          toSequence: formatSequence(lag.to),
        },
      },
      {
        streamId,
        id: `${streamId}:~lagged-${number}.${this.#lagCount}`,
        time: clock.wall().toISOString(),
        sequence: undefined,
      },
      'wall',
    );
    const bytes = Buffer.from(json);
    this.#queuedBytes += bytes.length;
    this.#send(bytes);
  }
}
