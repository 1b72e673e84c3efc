import type { Clock } from '../../../core/clock.js';
import { formatSequence } from '../../../core/messages.js';
import { encodeMessage, OutgoingMessage } from '../../messages/encode.js';
import type { Outlet } from './outlet.js';

/** Bytes handed to the socket before waiting for it. */
const SOCKET_HIGH_WATER = 256 * 1024;

/** Control replies that may wait beyond the messages. */
const ROOM_FOR_CONTROL = 256;

/** Most that may wait for one client, in the queue and in its socket. */
export interface QueueBounds {
  /** Default 1000. */
  readonly messages: number;
  /** Default 8 MiB. */
  readonly bytes: number;
}

/** What happened to all clients of a hub together. */
export interface SendCounts {
  sent: number;
  dropped: number;
}

export interface SendQueueOptions {
  readonly outlet: Outlet;
  readonly bounds: QueueBounds;
  readonly clock: Clock;
  /** Unique among the clients of this process: it goes into the ids of `lagged` messages. */
  readonly number: number;
  readonly counts: SendCounts;
  /** The first message was lost since the queue was last empty. */
  readonly onLag: () => void;
  /** The durable sequence of a stream that comes next. */
  readonly nextOf: (streamId: string) => number;
}

interface Item {
  /** Bytes for this client alone that go before. */
  readonly before: Buffer | undefined;
  readonly bytes: Buffer;
  /** Undefined for control replies. */
  readonly message: OutgoingMessage | undefined;
}

interface Lag {
  dropped: number;
  from: number;
  to: number;
  mediatime: number;
}

/**
 * What waits for one client. A queue that is full loses messages until it has drained, and the client is then told by one
 * `lagged` for each stream what it missed.
 */
export class SendQueue {
  readonly #options: SendQueueOptions;
  #items: Item[] = [];
  #bytes = 0;
  readonly #lags = new Map<string, Lag>();
  /** Since when messages are lost, ms of the clock; undefined while none are. */
  #laggingSinceMs: number | undefined;
  #lagCount = 0;

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get laggingSinceMs(): number | undefined {
    return this.#laggingSinceMs;
  }

  /** The socket holds so much that nothing is handed to it now. */
  get blocked(): boolean {
    return this.#options.outlet.bufferedAmount >= SOCKET_HIGH_WATER;
  }

  /** A live message: sent, queued or lost. */
  offer(message: OutgoingMessage, before?: Buffer): void {
    const { outlet, bounds } = this.#options;
    const bytes = outlet.frame(message);
    const buffered = outlet.bufferedAmount;
    if (this.#items.length === 0 && this.#laggingSinceMs === undefined && buffered < SOCKET_HIGH_WATER) {
      this.#hand(bytes, before);
      return;
    }
    const full =
      this.#items.length >= bounds.messages || this.#bytes + buffered + bytes.length > bounds.bytes;
    if (full || this.#laggingSinceMs !== undefined) this.#lose(message);
    else this.push(message, before);
  }

  /** Queues a message whatever the bounds are: for pages of a replay, which come only when nothing waits. */
  push(message: OutgoingMessage, before?: Buffer): void {
    this.#add({ before, bytes: this.#options.outlet.frame(message), message });
  }

  /** Queues a control reply; false when there is no room. */
  pushControl(bytes: Buffer): boolean {
    if (this.#items.length >= this.#options.bounds.messages + ROOM_FOR_CONTROL) return false;
    this.#add({ before: undefined, bytes, message: undefined });
    return true;
  }

  /** Hands the queue to the socket as far as that takes it. True when nothing waits any more. */
  pump(): boolean {
    let count = 0;
    while (count < this.#items.length && !this.blocked) this.#take(this.#items[count++] as Item);
    this.#items.splice(0, count);
    if (this.#items.length > 0) return false;
    this.reportLags();
    return true;
  }

  /** Hands over everything, whatever the socket holds. */
  flush(): void {
    for (const item of this.#items.splice(0)) this.#take(item);
    this.reportLags();
  }

  /** Loses everything that waits, as if there had been no room for it. */
  abandon(): void {
    const lost = this.#items.splice(0);
    this.#bytes = 0;
    // What waits is older than what was lost already.
    for (const { message } of lost.reverse()) if (message) this.#lose(message);
  }

  /** What was asked for and is no longer kept is told like anything else that was missed. */
  noteExpired(streamId: string, from: number, available: number, mediatime: number): void {
    this.#lags.set(streamId, { dropped: available - from, from, to: available - 1, mediatime });
    this.reportLags();
  }

  reportLags(): void {
    this.#laggingSinceMs = undefined;
    if (this.#lags.size === 0) return;
    const lags = [...this.#lags];
    this.#lags.clear();
    for (const [streamId, lag] of lags) this.#hand(this.#options.outlet.frame(this.#lagged(streamId, lag)));
  }

  clear(): void {
    this.#items = [];
    this.#bytes = 0;
    this.#lags.clear();
    this.#laggingSinceMs = undefined;
  }

  #add(item: Item): void {
    this.#items.push(item);
    this.#bytes += item.bytes.length + (item.before?.length ?? 0);
  }

  #take({ before, bytes }: Item): void {
    this.#bytes -= bytes.length + (before?.length ?? 0);
    this.#hand(bytes, before);
  }

  #hand(bytes: Buffer, before?: Buffer): void {
    const { counts, outlet } = this.#options;
    counts.sent += 1;
    if (before !== undefined) outlet.write(before);
    outlet.write(bytes);
  }

  #lose({ streamId, sequence, mediatime }: OutgoingMessage): void {
    const { counts, clock, onLag } = this.#options;
    let lag = this.#lags.get(streamId);
    // Until a durable message is lost the range is empty: it ends before it begins.
    if (lag === undefined) {
      const from = sequence ?? this.#options.nextOf(streamId);
      lag = { dropped: 0, from, to: from - 1, mediatime };
      this.#lags.set(streamId, lag);
    }
    if (sequence !== undefined) {
      const none = lag.to < lag.from;
      lag.from = none ? sequence : Math.min(lag.from, sequence);
      lag.to = none ? sequence : Math.max(lag.to, sequence);
    }
    lag.dropped += 1;
    lag.mediatime = Math.max(lag.mediatime, mediatime);
    counts.dropped += 1;
    if (this.#laggingSinceMs !== undefined) return;
    this.#laggingSinceMs = clock.nowMs();
    onLag();
  }

  #lagged(streamId: string, { dropped, from, to, mediatime }: Lag): OutgoingMessage {
    const { clock, number } = this.#options;
    this.#lagCount += 1;
    const json = encodeMessage(
      {
        kind: 'lagged',
        mediatime,
        data: { dropped, fromSequence: formatSequence(from), toSequence: formatSequence(to) },
      },
      {
        streamId,
        id: `${streamId}:~lagged-${number}.${this.#lagCount}`,
        time: clock.wall().toISOString(),
        sequence: undefined,
      },
      'wall',
    );
    return new OutgoingMessage(streamId, 'lagged', undefined, mediatime, json);
  }
}
