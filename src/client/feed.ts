import type { Message } from '../core/messages.js';
import { ClientError, type ClientErrorCode } from './client-error.js';
import type { HttpClient, StreamInfo } from './http.js';
import { Link, type Reply } from './link.js';
import { Positions } from './positions.js';
import { retryDelayMs } from './retry-delay.js';
import { findSocket, type SocketConstructor } from './socket.js';
import type { AgentStatus, From, Lag } from './types.js';
import { streamOf, mergeInterests, type Listener, type Interest } from './interest.js';

/** The one subscription of a connection. */
const ID = 'feed';
/** A stream that was there and is not is asked for again after this, ms. */
const ABSENT_MS = 2000;

export interface FeedOptions {
  readonly base: URL;
  readonly token: string | undefined;
  readonly http: HttpClient;
  readonly socket: SocketConstructor | undefined;
  readonly heartbeatS: number;
  readonly from: From;
  readonly onStatus: (status: AgentStatus) => void;
  readonly onLag: (lag: Lag) => void;
}

/**
 * The messages of one connection for all who tap it, across as many sockets as it takes: one subscription that serves all of them,
 * resumed by sequence. What was lost since the client was slow is fetched again from the log of the service.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #taps = new Set<Listener>();
  readonly #positions: Positions;
  #socket: SocketConstructor | undefined;
  #link: Link | undefined;
  /** What the link was asked for last; undefined: nothing. */
  #asked: string | undefined;
  #askedStreams: string | undefined;
  #present: ReadonlySet<string> = new Set();
  #open = false;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #refreshing = false;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#positions = new Positions(options.from);
    options.onStatus({ state: 'connecting' });
    void this.#connect();
  }

  /** Begins to deliver to a tap; returns what stops it. Taps that are added together begin together. */
  add(tap: Listener): () => void {
    this.#taps.add(tap);
    this.#refresh();
    return () => {
      if (this.#taps.delete(tap)) this.#refresh();
    };
  }

  /** Ends all taps. Idempotent. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#link?.close();
    for (const tap of [...this.#taps]) {
      if (error) tap.fail(error);
      else tap.complete();
    }
    this.#taps.clear();
  }

  /** Looks first whether there is a service that lets us in: a WebSocket that fails does not say why in a browser. */
  async #connect(): Promise<void> {
    try {
      this.#socket ??= await findSocket(this.#options.socket);
      const streams = await this.#options.http.streams();
      if (this.#closed) return;
      this.#meet(streams);
      this.#openLink(this.#socket);
    } catch (thrown) {
      this.#fail(thrown instanceof Error ? thrown : new ClientError('internal', String(thrown)));
    }
  }

  #meet(streams: readonly StreamInfo[]): void {
    this.#present = new Set(streams.map(({ id }) => id));
    for (const { id, lastSequence } of streams)
      this.#positions.meet(id, lastSequence === null ? undefined : Number(lastSequence));
  }

  #openLink(Socket: SocketConstructor): void {
    const { base, token, heartbeatS } = this.#options;
    this.#asked = undefined;
    const link = new Link({
      ...{ base, token, Socket, heartbeatS },
      onOpen: () => {
        this.#ask();
        // With nothing to ask for, an open connection is all there is.
        if (this.#asked === undefined) this.#isOpen();
      },
      onMessage: (message) => this.#take(message),
      onReply: (reply) => this.#hear(reply),
      onLost: (error) => this.#fail(error),
    });
    this.#link = link;
    this.#open = true;
  }

  #isOpen(): void {
    this.#failures = 0;
    this.#options.onStatus({ state: 'open' });
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.#link?.close();
    this.#link = undefined;
    this.#open = false;
    if (error instanceof ClientError && !error.retryable) {
      this.#options.onStatus({ state: 'closed', reason: error.message, error });
      this.close(error);
      return;
    }
    this.#failures += 1;
    const asked = error instanceof ClientError ? (error.retryAfterS ?? 0) * 1000 : 0;
    const delayMs = Math.max(retryDelayMs(this.#failures), asked);
    const attempt = this.#failures;
    this.#options.onStatus({ state: 'reconnecting', reason: error.message, attempt, delayMs });
    this.#later(() => void this.#connect(), delayMs);
  }

  #later(action: () => void, delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, delayMs);
  }

  /** Soon, so that taps which come together make one request. */
  #refresh(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    queueMicrotask(() => {
      this.#refreshing = false;
      if (!this.#closed && this.#open) this.#ask();
    });
  }

  /** Asks the link for what the taps wish, where that is something else than what it was asked for. */
  #ask(): void {
    const link = this.#link;
    if (link === undefined) return;
    if (this.#taps.size === 0) {
      if (this.#asked !== undefined) link.send({ op: 'unsubscribe', id: ID });
      this.#asked = undefined;
      // Whoever taps it next begins with what comes then.
      this.#positions.forget();
      return;
    }
    const fields = this.#fields(mergeInterests([...this.#taps]));
    if (fields === undefined) return;
    const asked = JSON.stringify(fields);
    if (asked === this.#asked) return;
    if (this.#asked !== undefined && this.#askedStreams === fields.streams?.join()) {
      link.send({ op: 'update', id: ID, ...fields });
    } else {
      // Other streams: a new subscription tells where they begin, and the others go on where they are.
      if (this.#asked !== undefined) link.send({ op: 'unsubscribe', id: ID });
      link.send({ op: 'subscribe', id: ID, ...fields, from: this.#positions.from(fields.streams) });
    }
    this.#asked = asked;
    this.#askedStreams = fields.streams?.join();
  }

  /** Streams that are not there cannot be asked for: those that were there are awaited, others are an error. */
  #fields(wish: Interest): SubscriptionFields | undefined {
    const { streams, kinds, labels, zones, minProbability, objectsRate } = wish;
    const present = streams?.filter((id) => this.#present.has(id));
    if (streams !== undefined && present?.length !== streams.length) {
      this.#awaitAbsent();
      if (present?.length === 0) return undefined;
    }
    return {
      ...(present && { streams: present }),
      ...(kinds && { types: kinds }),
      ...(labels && { labels }),
      ...(zones && { zones }),
      ...(minProbability !== undefined && { minProbability }),
      ...(objectsRate !== undefined && { objectsRate }),
    };
  }

  #awaitAbsent(): void {
    for (const tap of [...this.#taps]) {
      const unknown = tap.interest.streams?.find(
        (id) => !this.#present.has(id) && !this.#positions.knows(id),
      );
      if (unknown === undefined) continue;
      this.#taps.delete(tap);
      tap.fail(new ClientError('not_found', `There is no stream "${unknown}"`));
    }
    if (this.#taps.size === 0) return;
    this.#later(() => {
      const look = async (): Promise<void> => {
        const streams = await this.#options.http.streams();
        this.#present = new Set(streams.map(({ id }) => id));
        if (this.#open) this.#ask();
      };
      look().catch((thrown: unknown) =>
        this.#fail(thrown instanceof Error ? thrown : new ClientError('internal', String(thrown))),
      );
    }, ABSENT_MS);
  }

  #hear(reply: Reply): void {
    switch (reply.op) {
      case 'subscribed':
        this.#positions.begin(reply.next);
        this.#isOpen();
        break;
      case 'error':
        this.#hearError(reply);
        break;
      default:
      // Signs of life.
    }
  }

  #hearError({ code, message }: Extract<Reply, { op: 'error' }>): void {
    // A stream has gone between our look and the request: look again.
    const retryable = code === 'not_found' || code === 'overloaded' || code === 'conflict';
    this.#fail(new ClientError(code as ClientErrorCode, message, { retryable }));
  }

  #take(message: Message): void {
    const stream = streamOf(message);
    if (message.type === 'presage.lagged.v1') {
      const { dropped, fromSequence, toSequence } = message.data;
      this.#lagged(stream, dropped, Number(fromSequence), Number(toSequence));
      return;
    }
    const { sequence, time } = message;
    if (sequence !== undefined && !this.#positions.take(stream, Number(sequence), time)) return;
    for (const tap of [...this.#taps]) tap.deliver(message, stream);
  }

  /** What is still kept is fetched again; the rest is told. */
  #lagged(stream: string, dropped: number, from: number, to: number): void {
    if (to >= from && this.#positions.retryFrom(stream, from)) {
      this.#fail(new ClientError('unreachable', 'Messages were lost on the way', { retryable: true }));
      return;
    }
    const durable = to >= from ? { fromSequence: from, toSequence: to } : {};
    this.#options.onLag({ stream, dropped, ...durable, where: 'service' });
    if (to >= from) this.#positions.skipTo(stream, to + 1);
  }
}

interface SubscriptionFields {
  readonly streams?: readonly string[];
  readonly types?: readonly string[];
  readonly labels?: readonly string[];
  readonly zones?: readonly string[];
  readonly minProbability?: number;
  readonly objectsRate?: number;
}
