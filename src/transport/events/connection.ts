import { ownValue } from '../../core/own-value.js';
import type { Clock } from '../../core/clock.js';
import type { ServerOp } from '../../core/control.js';
import { PresageError, toPresageError } from '../../core/errors.js';
import type { OutgoingMessage } from '../messages/encode.js';
import type { Channel } from './channel.js';
import { Feed, type FeedOwner } from './feed.js';
import { filterOf, type Filter } from './filter.js';
import type { Outlet } from './delivery/outlet.js';
import { SendQueue, type QueueBounds, type SendCounts } from './delivery/send-queue.js';
import type { From, Subscription, SubscriptionChange } from './subscription.js';

/** Durable messages read at a time during a replay. */
const PAGE = 200;
/** Subscriptions of one connection. */
const MAX_SUBSCRIPTIONS = 64;

/** What a connection needs of the hub that it belongs to. */
export interface ConnectionHub {
  /** The channel of a stream, made where there is none. */
  channel(streamId: string): Channel;
  /** The channel has lost a feed. */
  release(channel: Channel): void;
  /** Ids of the streams that are there now. */
  streams(): readonly string[];
  /** Whether the connection wants streams that are yet to come. */
  setEverywhere(connection: Connection, wanted: boolean): void;
  onLag(connection: Connection): void;
  onError(error: PresageError): void;
}

export interface ConnectionOptions {
  readonly hub: ConnectionHub;
  readonly outlet: Outlet;
  /** Asked for every stream, whenever it would begin. */
  readonly mayRead: (streamId: string) => boolean;
  readonly bounds: QueueBounds;
  readonly clock: Clock;
  readonly number: number;
  readonly counts: SendCounts;
}

interface Held {
  streams: readonly string[] | undefined;
  filter: Filter;
  from: From;
  readonly feeds: Map<string, Feed>;
}

/**
 * One client with its subscriptions. A message that several of them want is sent once. Replays are read page after page, as
 * fast as the client takes them.
 */
export class Connection implements FeedOwner {
  readonly #options: ConnectionOptions;
  readonly #queue: SendQueue;
  readonly #held = new Map<string, Held>();
  #newest: OutgoingMessage | undefined;
  #replayScheduled = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { outlet, bounds, clock, number, counts, hub } = options;
    const onLag = (): void => hub.onLag(this);
    const nextOf = (streamId: string): number => hub.channel(streamId).next;
    this.#queue = new SendQueue({ outlet, bounds, clock, number, counts, onLag, nextOf });
  }

  get state(): 'replaying' | 'live' | 'lagging' | 'closed' {
    if (this.#closed) return 'closed';
    if (this.#queue.laggingSinceMs !== undefined) return 'lagging';
    return this.#replaying() === undefined ? 'live' : 'replaying';
  }

  /** Since when messages are lost because the client does not read; undefined while none are. */
  get laggingSinceMs(): number | undefined {
    return this.#queue.laggingSinceMs;
  }

  get subscriptions(): number {
    return this.#held.size;
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  /**
   * Begins a subscription.
   *
   * @param accepted told, before anything is sent, with which sequence each of its streams begins
   * @throws PresageError `conflict`, `overloaded`, `not_found`, `forbidden`
   */
  subscribe(subscription: Subscription, accepted?: (next: Record<string, number>) => void): void {
    const { id, streams, fields, from } = subscription;
    if (this.#held.has(id)) throw new PresageError('conflict', `There is a subscription "${id}" already`);
    if (this.#held.size >= MAX_SUBSCRIPTIONS) {
      throw new PresageError('overloaded', `${MAX_SUBSCRIPTIONS} subscriptions are the most of a connection`);
    }
    this.#assertReadable(streams);
    const held: Held = { streams, filter: filterOf(fields), from, feeds: new Map() };
    this.#held.set(id, held);
    for (const streamId of streams ?? this.#readable()) this.#open(held, this.#options.hub.channel(streamId));
    this.#tellEverywhere();
    accepted?.(Object.fromEntries([...held.feeds].map(([streamId, feed]) => [streamId, feed.next])));
    this.#replay();
  }

  /**
   * Changes what a subscription lets through. Streams that stay go on where they are, new ones begin with what comes next.
   * @throws PresageError `not_found`, `forbidden`
   */
  update({ id, streams, fields }: SubscriptionChange, accepted?: () => void): void {
    const held = this.#find(id);
    this.#assertReadable(streams);
    held.streams = streams;
    held.filter = filterOf(fields);
    held.from = 'latest';
    const wanted = new Set(streams ?? this.#readable());
    for (const [streamId, feed] of held.feeds) {
      if (wanted.has(streamId) || streams === undefined) feed.refilter(held.filter);
      else this.#end(held, streamId, feed);
    }
    for (const streamId of wanted) this.#open(held, this.#options.hub.channel(streamId));
    this.#tellEverywhere();
    accepted?.();
    this.#replay();
  }

  /** @throws PresageError `not_found` */
  unsubscribe(id: string): void {
    const held = this.#find(id);
    for (const [streamId, feed] of held.feeds) this.#end(held, streamId, feed);
    this.#held.delete(id);
    this.#tellEverywhere();
  }

  /** A stream has begun: subscriptions to all streams take it in. */
  begin(channel: Channel): void {
    if (this.#closed || !this.#options.mayRead(channel.streamId)) return;
    for (const held of this.#held.values()) if (held.streams === undefined) this.#open(held, channel);
    this.#replay();
  }

  offer(message: OutgoingMessage): void {
    if (this.#closed || this.#newest === message) return;
    this.#newest = message;
    this.#queue.offer(message, this.#position(message));
  }

  /** Tells a client that it is still there, unless it has enough to read. */
  sendHeartbeat(at: string): void {
    if (this.#queue.length === 0) this.send({ op: 'heartbeat', at });
  }

  wake(): void {
    this.#scheduleReplay();
  }

  /** Sends a control reply, after what waits. A client that asks and does not read is ended with 1013. */
  send(op: ServerOp): void {
    const bytes = this.#options.outlet.controlFrame(op);
    if (this.#closed || bytes === undefined) return;
    if (!this.#queue.pushControl(bytes)) this.closeSlow();
    else this.#pump();
  }

  /** The socket takes more. */
  drained(): void {
    this.#pump();
  }

  /** Sends what is queued, whatever the socket holds, then closes. Idempotent. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#queue.flush();
    this.#closed = true;
    this.#options.outlet.close(code, reason);
  }

  /** Ends a client that does not read: it is told what it missed, in case it reads again, and 1013. */
  closeSlow(): void {
    this.#queue.abandon();
    this.close(1013, 'reads too slowly; connect again, with from');
  }

  /** The socket has gone: drop everything. */
  detach(): void {
    this.#closed = true;
    for (const id of [...this.#held.keys()]) this.unsubscribe(id);
    this.#queue.clear();
  }

  /** Lets the hub know whether a stream that begins is of interest here. */
  #tellEverywhere(): void {
    const everywhere = [...this.#held.values()].some(({ streams }) => streams === undefined);
    this.#options.hub.setEverywhere(this, everywhere);
  }

  #find(id: string): Held {
    const held = this.#held.get(id);
    if (held === undefined) throw new PresageError('not_found', `There is no subscription "${id}"`);
    return held;
  }

  #readable(): readonly string[] {
    return this.#options.hub.streams().filter((id) => this.#options.mayRead(id));
  }

  #assertReadable(streams: readonly string[] | undefined): void {
    for (const id of streams ?? []) {
      // Whether a stream is there is nobody's business who may not read it.
      if (!this.#options.mayRead(id))
        throw new PresageError('forbidden', `The token does not cover stream "${id}"`);
      if (!this.#options.hub.streams().includes(id)) {
        throw new PresageError('not_found', `There is no stream "${id}"`);
      }
    }
  }

  #open(held: Held, channel: Channel): void {
    if (held.feeds.has(channel.streamId)) return;
    const from =
      typeof held.from === 'object' ? (ownValue(held.from, channel.streamId) ?? 'latest') : held.from;
    const start =
      from === 'latest' ? channel.next : from === 'oldest' ? channel.window.range().first : Math.max(1, from);
    held.feeds.set(channel.streamId, new Feed(channel, held.filter, start, this));
  }

  #end(held: Held, streamId: string, feed: Feed): void {
    held.feeds.delete(streamId);
    feed.end();
    this.#options.hub.release(feed.channel);
  }

  *#feeds(): Generator<Feed> {
    for (const held of this.#held.values()) yield* held.feeds.values();
  }

  #replaying(): Feed | undefined {
    for (const feed of this.#feeds()) if (!feed.live) return feed;
    return undefined;
  }

  #pump(): void {
    if (!this.#closed && this.#queue.pump()) this.#scheduleReplay();
  }

  #scheduleReplay(): void {
    if (this.#replayScheduled || this.#closed || this.#replaying() === undefined) return;
    this.#replayScheduled = true;
    setImmediate(() => {
      this.#replayScheduled = false;
      this.#replay();
    });
  }

  /** Queues a page of each feed that is behind; those with nothing more to read go live. */
  #replay(): void {
    if (this.#closed) return;
    try {
      for (const feed of this.#feeds()) {
        if (feed.live) continue;
        if (this.#queue.length > 0 || this.#queue.blocked) return;
        this.#readPage(feed);
        this.#queue.pump();
      }
    } catch (thrown) {
      this.#options.hub.onError(toPresageError(thrown, 'storage_failed'));
      this.close(1011, 'the durable log cannot be read');
      return;
    }
    this.#pump();
  }

  #readPage(feed: Feed): void {
    const { bounds } = this.#options;
    const { streamId, window } = feed.channel;
    const { first, last } = window.range();
    // Half of what may wait, so that going live right after a page leaves room for what comes then.
    const limit = Math.max(1, Math.min(PAGE, bounds.messages >> 1));
    if (feed.next < first) {
      this.#queue.noteExpired(streamId, feed.next, first, 0);
      feed.readUpTo(first);
    }
    for (const message of feed.next > last ? [] : window.read(feed.next, limit)) {
      const sequence = message.sequence ?? 0;
      const wanted = feed.channel.passes(feed.filter, message) && !this.#sentBy(feed, message);
      feed.readUpTo(sequence + 1);
      if (wanted) this.#queue.push(message, this.#position(message));
    }
    if (feed.next > last && this.#queue.bytes <= bounds.bytes / 2) feed.goLive();
  }

  /** Whether another subscription to the same stream has had it. */
  #sentBy(mine: Feed, message: OutgoingMessage): boolean {
    if (this.#held.size === 1) return false;
    for (const feed of this.#feeds()) {
      if (feed !== mine && feed.channel === mine.channel && feed.covers(message)) return true;
    }
    return false;
  }

  #position(message: OutgoingMessage): Buffer | undefined {
    const { outlet } = this.#options;
    if (outlet.position === undefined || message.sequence === undefined) return undefined;
    return outlet.position(message, () => this.#positions());
  }

  /** The last sequence that each stream is done with. */
  #positions(): Map<string, number> {
    const positions = new Map<string, number>();
    for (const feed of this.#feeds()) positions.set(feed.channel.streamId, feed.next - 1);
    return positions;
  }
}
