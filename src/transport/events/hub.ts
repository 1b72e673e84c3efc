import { systemClock, type Clock } from '../../core/clock.js';
import { PresageError } from '../../core/errors.js';
import type { MessageSink, OutgoingMessage } from '../messages/encode.js';
import { Subscriber, type ClientSocket, type LogReader, type QueueBounds } from './subscriber.js';
import type { Subscription } from './subscription.js';

const DEFAULT_BOUNDS: QueueBounds = { messages: 1000, bytes: 8 * 1024 * 1024 };

export interface HubOptions {
  /** Where replays are read from. */
  log: LogReader;
  /** Most that may wait for one client. Default 1000 messages and 8 MiB. */
  bounds?: Partial<QueueBounds>;
  /** Stamps `lagged` messages. Default: the system clock. */
  clock?: Clock;
  /** Told when a replay fails; that client is closed with 1011. Default: only counted. */
  onError?: (error: PresageError) => void;
}

export interface HubStats {
  readonly subscribers: number;
  /** Messages handed to sockets since the start. */
  readonly sent: number;
  /** Messages that slow clients lost since the start. */
  readonly dropped: number;
  readonly errors: number;
}

/**
 * Fans messages out to the subscribers of their stream. A message is serialised once; each subscriber has a bounded
 * queue of its own, so a slow one loses messages and holds up nobody.
 */
export class Hub implements MessageSink {
  readonly #options: HubOptions;
  readonly #bounds: QueueBounds;
  readonly #streams = new Map<string, Set<Subscriber>>();
  #subscribers = 0;
  #sentByGone = 0;
  #dropped = 0;
  #errors = 0;
  #number = 0;

  /** Throws `bad_option` for bounds below 1. */
  constructor(options: HubOptions) {
    this.#options = options;
    this.#bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
    for (const [name, bound] of Object.entries(this.#bounds)) {
      if (!(bound >= 1))
        throw new PresageError('bad_option', `bounds.${name} is ${bound}, expected at least 1`);
    }
  }

  /** Never throws, never waits. */
  deliver(message: OutgoingMessage): void {
    const subscribers = this.#streams.get(message.streamId);
    if (subscribers === undefined) return;
    for (const subscriber of subscribers) subscriber.deliver(message);
  }

  /** Subscribes a socket; call `detach` when it has gone. */
  attach(streamId: string, subscription: Subscription, socket: ClientSocket): Subscriber {
    this.#number += 1;
    const subscriber = new Subscriber({
      streamId,
      subscription,
      socket,
      log: this.#options.log,
      bounds: this.#bounds,
      clock: this.#options.clock ?? systemClock,
      number: this.#number,
      onDropped: (count) => (this.#dropped += count),
      onError: (error) => this.#fail(error),
    });
    const subscribers = this.#streams.get(streamId) ?? new Set();
    this.#streams.set(streamId, subscribers.add(subscriber));
    this.#subscribers += 1;
    subscriber.start();
    return subscriber;
  }

  /** Forgets a subscriber whose socket has gone. Idempotent. */
  detach(subscriber: Subscriber): void {
    const subscribers = this.#streams.get(subscriber.streamId);
    if (!subscribers?.delete(subscriber)) return;
    if (subscribers.size === 0) this.#streams.delete(subscriber.streamId);
    subscriber.detach();
    this.#subscribers -= 1;
    this.#sentByGone += subscriber.sent;
  }

  stats(): HubStats {
    let sent = this.#sentByGone;
    for (const subscribers of this.#streams.values()) {
      for (const subscriber of subscribers) sent += subscriber.sent;
    }
    return { subscribers: this.#subscribers, sent, dropped: this.#dropped, errors: this.#errors };
  }

  #fail(error: PresageError): void {
    this.#errors += 1;
    this.#options.onError?.(error);
  }
}
