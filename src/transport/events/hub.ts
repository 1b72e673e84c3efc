import { systemClock, type Clock } from '../../core/clock.js';
import { PresageError } from '../../core/errors.js';
import type { MessageSink, OutgoingMessage } from '../messages/encode.js';
import { Channel } from './channel.js';
import { Connection, type ConnectionHub } from './connection.js';
import type { LogReader } from './log-window.js';
import type { Outlet } from './delivery/outlet.js';
import type { QueueBounds } from './delivery/send-queue.js';

const DEFAULT_BOUNDS: QueueBounds = { messages: 1000, bytes: 8 * 1024 * 1024 };
/** A client that has lost messages and has not caught up after this is ended with 1013. */
const DEFAULT_SLOW_MS = 10_000;

export interface HubOptions {
  /** Where replays are read from. */
  log: LogReader;
  /** Ids of the streams that are there now. Default: those that have told something. */
  streams?: () => readonly string[];
  /** Most that may wait for one client. Default 1000 messages and 8 MiB. */
  bounds?: Partial<QueueBounds>;
  /** How long a client may be behind before it is ended with 1013. Default 10 s. */
  slowMs?: number;
  /** Stamps `lagged` messages. Default: the system clock. */
  clock?: Clock;
  /** Told when a replay fails; that client is closed with 1011. Default: only counted. */
  onError?: (error: PresageError) => void;
}

export interface HubStats {
  /** Clients connected. */
  readonly subscribers: number;
  /** Messages handed to sockets since the start. */
  readonly sent: number;
  /** Messages that slow clients lost since the start. */
  readonly dropped: number;
  /** Clients ended because they read too slowly. */
  readonly slow: number;
  readonly errors: number;
}

/**
 * Fans messages out to the clients of their stream. A message is serialised once for each format, and a filter is evaluated
 * once for all who have it; each client has a bounded queue of its own, so a slow one loses messages and holds up nobody.
 */
export class Hub implements MessageSink {
  readonly #options: HubOptions;
  readonly #bounds: QueueBounds;
  readonly #clock: Clock;
  readonly #slowMs: number;
  readonly #channels = new Map<string, Channel>();
  readonly #connections = new Set<Connection>();
  readonly #lagging = new Set<Connection>();
  /** Those who want every stream, also one that is yet to come. */
  readonly #everywhere = new Set<Connection>();
  readonly #counts = { sent: 0, dropped: 0 };
  readonly #connectionHub: ConnectionHub;
  #sweep: NodeJS.Timeout | undefined;
  #streams: () => readonly string[];
  #slow = 0;
  #errors = 0;
  #number = 0;

  /** Throws `bad_option` for bounds below 1. */
  constructor(options: HubOptions) {
    this.#options = options;
    this.#bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
    this.#clock = options.clock ?? systemClock;
    this.#slowMs = options.slowMs ?? DEFAULT_SLOW_MS;
    this.#streams = options.streams ?? (() => [...this.#channels.keys()]);
    for (const [name, bound] of Object.entries(this.#bounds)) {
      if (!(bound >= 1))
        throw new PresageError('bad_option', `bounds.${name} is ${bound}, expected at least 1`);
    }
    this.#connectionHub = {
      channel: (streamId) => this.#channel(streamId),
      release: (channel) => this.#release(channel),
      streams: () => this.#streams(),
      setEverywhere: (connection, wanted) => {
        if (wanted) this.#everywhere.add(connection);
        else this.#everywhere.delete(connection);
      },
      onLag: (connection) => this.#watch(connection),
      onError: (error) => this.#fail(error),
    };
  }

  /** Tells which streams are there, where the options could not. */
  setStreams(streams: () => readonly string[]): void {
    this.#streams = streams;
  }

  /** Never throws, never waits. */
  deliver(message: OutgoingMessage): void {
    const { streamId } = message;
    let channel = this.#channels.get(streamId);
    if (channel === undefined && this.#everywhere.size > 0) channel = this.#begin(message);
    channel?.deliver(message);
  }

  /** Takes a client in; call `disconnect` when it has gone. */
  connect(outlet: Outlet, mayRead: (streamId: string) => boolean = () => true): Connection {
    this.#number += 1;
    const connection = new Connection({
      hub: this.#connectionHub,
      outlet,
      mayRead,
      bounds: this.#bounds,
      clock: this.#clock,
      number: this.#number,
      counts: this.#counts,
    });
    this.#connections.add(connection);
    return connection;
  }

  /** Forgets a client whose socket has gone. Idempotent. */
  disconnect(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    connection.detach();
    this.#lagging.delete(connection);
    this.#everywhere.delete(connection);
  }

  stats(): HubStats {
    const { sent, dropped } = this.#counts;
    return {
      subscribers: this.#connections.size,
      sent,
      dropped,
      slow: this.#slow,
      errors: this.#errors,
    };
  }

  /** A stream that nobody listened to: those who want all streams do from this message on. */
  #begin(message: OutgoingMessage): Channel {
    const channel = this.#channel(message.streamId, message.sequence);
    for (const connection of this.#everywhere) connection.begin(channel);
    this.#release(channel);
    return channel;
  }

  #channel(streamId: string, next?: number): Channel {
    let channel = this.#channels.get(streamId);
    if (channel === undefined) {
      const { log } = this.#options;
      channel = new Channel(streamId, log, next ?? log.range(streamId).last + 1);
      this.#channels.set(streamId, channel);
    }
    return channel;
  }

  #release(channel: Channel): void {
    if (channel.empty) this.#channels.delete(channel.streamId);
  }

  #watch(connection: Connection): void {
    this.#lagging.add(connection);
    this.#sweep ??= setInterval(() => this.#endSlow(), this.#slowMs / 10).unref();
  }

  #endSlow(): void {
    const nowMs = this.#clock.nowMs();
    for (const connection of this.#lagging) {
      const since = connection.laggingSinceMs;
      if (since !== undefined && nowMs - since < this.#slowMs) continue;
      this.#lagging.delete(connection);
      if (since === undefined) continue;
      this.#slow += 1;
      connection.closeSlow();
    }
    if (this.#lagging.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #fail(error: PresageError): void {
    this.#errors += 1;
    this.#options.onError?.(error);
  }
}
