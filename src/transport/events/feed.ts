import type { OutgoingMessage } from '../messages/encode.js';
import type { Channel } from './channel.js';
import type { Filter } from './filter.js';

/** Earlier filters that a feed remembers; a client that changes its mind more often may see a message again. */
const MAX_SPANS = 32;

/** Durable messages from `from` up to `to` (not included) went through this filter. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly filter: Filter;
}

/** Who owns a feed. */
export interface FeedOwner {
  /** A live message for the client. */
  offer(message: OutgoingMessage): void;
  /** A feed has something to replay. */
  wake(): void;
}

/**
 * One stream within one subscription. It is either replaying, page after page from the log, or live. `next` is the durable
 * sequence it needs next: whatever lies before it was sent or filtered, so replay and live meet without a gap or a double.
 */
export class Feed {
  readonly channel: Channel;
  readonly #owner: FeedOwner;
  #filter: Filter;
  #live = false;
  /** Where the present filter began to count. */
  #start: number;
  #next: number;
  #spans: Span[] = [];

  constructor(channel: Channel, filter: Filter, start: number, owner: FeedOwner) {
    this.channel = channel;
    this.#owner = owner;
    this.#filter = filter;
    this.#start = start;
    this.#next = start;
    channel.add(this);
  }

  get filter(): Filter {
    return this.#filter;
  }

  get live(): boolean {
    return this.#live;
  }

  /** While live the channel counts for all; one that waits for a sequence to come stays there. */
  get next(): number {
    return this.#live ? Math.max(this.#next, this.channel.next) : this.#next;
  }

  offer(message: OutgoingMessage): void {
    this.#owner.offer(message);
  }

  /** What was read from the log up to here is queued. */
  readUpTo(next: number): void {
    this.#next = next;
  }

  goLive(): void {
    this.#live = true;
    this.channel.join(this, this.#next);
  }

  /** Something is missing that the log has: goes back to it. */
  fallBack(): void {
    if (!this.#live) return;
    this.#next = this.next;
    this.#live = false;
    this.channel.leave(this);
    this.#owner.wake();
  }

  /** The log has begun anew with this sequence. */
  restart(sequence: number): void {
    this.fallBack();
    this.#next = sequence;
    this.#start = sequence;
    this.#spans = [];
    this.#owner.wake();
  }

  /** What comes from now on goes through another filter. */
  refilter(filter: Filter): void {
    const to = this.next;
    if (to > this.#start) this.#spans.push({ from: this.#start, to, filter: this.#filter });
    this.#spans = this.#spans.slice(-MAX_SPANS);
    if (this.#live) this.channel.leave(this);
    this.#filter = filter;
    this.#start = to;
    this.#next = to;
    if (this.#live) this.channel.join(this, to);
  }

  /** Whether this feed has sent the message, or let it go for being slow. */
  covers(message: OutgoingMessage): boolean {
    const sequence = message.sequence ?? 0;
    const within = ({ from, to, filter }: Span): boolean =>
      sequence >= from && sequence < to && this.channel.passes(filter, message);
    return within({ from: this.#start, to: this.next, filter: this.#filter }) || this.#spans.some(within);
  }

  end(): void {
    this.#live = false;
    this.channel.remove(this);
  }
}
