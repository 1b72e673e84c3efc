import type { Message } from '../core/messages.js';
import { ClientError } from './client-error.js';
import type { HttpClient } from './http.js';
import { retryDelayMs } from './retry-delay.js';
import { dropSocket, findSocket, type SocketConstructor, type SocketLike } from './socket.js';
import type { AgentStatus, From } from './types.js';
import { unite, type Tap, type Wish } from './wish.js';

/** Streams that are added while the agent runs are noticed after this, ms. */
const LIST_EVERY_MS = 3000;

export interface FeedOptions {
  readonly base: URL;
  readonly token: string | undefined;
  readonly http: HttpClient;
  readonly socket: SocketConstructor | undefined;
  readonly from: From;
  readonly onStatus: (status: AgentStatus) => void;
}

/** Messages of streams for the taps of one place to begin at: connected, resumed by sequence, each message once. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #taps = new Set<Tap>();
  readonly #streams = new Map<string, StreamFeed>();
  #socket: SocketConstructor | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #listed = false;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    options.onStatus({ state: 'connecting' });
    void this.#list();
  }

  get idle(): boolean {
    return this.#taps.size === 0;
  }

  /** Begins to deliver to a tap; returns what stops it. */
  add(tap: Tap): () => void {
    this.#taps.add(tap);
    queueMicrotask(() => this.#refresh());
    return () => {
      this.#taps.delete(tap);
      queueMicrotask(() => this.#refresh());
    };
  }

  /** Ends all taps. Idempotent. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const stream of this.#streams.values()) stream.close();
    for (const tap of [...this.#taps]) {
      if (error) tap.fail(error);
      else tap.complete();
    }
    this.#taps.clear();
  }

  #refresh(): void {
    if (this.#closed) return;
    const wish = unite([...this.#taps]);
    for (const stream of this.#streams.values()) stream.want(wish);
  }

  async #list(): Promise<void> {
    try {
      this.#socket ??= await findSocket(this.#options.socket);
      const streams = await this.#options.http.streams();
      if (this.#closed) return;
      this.#failures = 0;
      for (const { id, lastSequence } of streams) this.#meet(id, Number(lastSequence ?? 0));
      const there = new Set(streams.map(({ id }) => id));
      for (const [id, stream] of this.#streams) if (!there.has(id)) stream.rest();
      this.#listed = true;
      this.#refresh();
      this.#options.onStatus({ state: 'open' });
    } catch (thrown) {
      if (!this.#fail(thrown)) return;
    }
    if (this.#closed) return;
    const delayMs = this.#failures === 0 ? LIST_EVERY_MS : retryDelayMs(this.#failures);
    this.#timer = setTimeout(() => void this.#list(), delayMs);
  }

  /** False when nothing can come of trying again. */
  #fail(thrown: unknown): boolean {
    if (this.#closed) return false;
    const error = thrown instanceof Error ? thrown : new ClientError('internal', String(thrown));
    if (thrown instanceof ClientError && !thrown.retryable) {
      this.#options.onStatus({ state: 'closed', reason: error.message, error });
      this.close(error);
      return false;
    }
    this.#failures += 1;
    const delayMs = retryDelayMs(this.#failures);
    const { message: reason } = error;
    this.#options.onStatus({ state: 'reconnecting', reason, attempt: this.#failures, delayMs });
    return true;
  }

  #meet(id: string, last: number): void {
    const known = this.#streams.get(id);
    if (known) {
      known.wake();
      return;
    }
    const { from } = this.#options;
    // A stream that comes later is wanted from its beginning: it was not there to be waited for.
    const next =
      typeof from === 'object' ? (from[id] ?? 1) : from === 'oldest' || this.#listed ? 1 : last + 1;
    const { base, token } = this.#options;
    const stream = new StreamFeed({
      ...{ id, base, token, next },
      Socket: this.#socket as SocketConstructor,
      deliver: (message) => {
        for (const tap of [...this.#taps]) tap.deliver(message, id);
      },
      lost: () => {
        clearTimeout(this.#timer);
        if (!this.#fail(new ClientError('unreachable', 'The connection was lost', { retryable: true })))
          return;
        this.#timer = setTimeout(() => void this.#list(), retryDelayMs(this.#failures));
      },
    });
    this.#streams.set(id, stream);
  }
}

interface StreamFeedOptions {
  readonly id: string;
  readonly base: URL;
  readonly token: string | undefined;
  readonly next: number;
  readonly Socket: SocketConstructor;
  readonly deliver: (message: Message) => void;
  readonly lost: () => void;
}

/** The connection to one stream. */
class StreamFeed {
  readonly #options: StreamFeedOptions;
  #next: number;
  #wish: Wish = { streams: undefined, kinds: [] };
  #socket: SocketLike | undefined;
  #query = '';

  constructor(options: StreamFeedOptions) {
    this.#options = options;
    this.#next = options.next;
  }

  want(wish: Wish): void {
    this.#wish = wish;
    this.wake();
  }

  /** Connects where it is not and something is wanted; connects anew where something else is wanted. */
  wake(): void {
    const { streams, kinds, objectsRate } = this.#wish;
    const { id } = this.#options;
    if (kinds?.length === 0 || !(streams?.includes(id) ?? true)) {
      this.rest();
      return;
    }
    const query = new URLSearchParams();
    if (kinds) query.set('types', kinds.join(','));
    if (objectsRate !== undefined) query.set('objects_rate', String(objectsRate));
    if (this.#socket !== undefined && this.#query === query.toString()) return;
    this.rest();
    this.#query = query.toString();
    this.#connect(query);
  }

  rest(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) dropSocket(socket);
  }

  close(): void {
    this.rest();
  }

  #connect(query: URLSearchParams): void {
    const { id, base, token, Socket, lost } = this.#options;
    const path = `${base.pathname.replace(/\/+$/, '')}/v1/streams/${encodeURIComponent(id)}/events`;
    const url = new URL(path, base);
    url.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
    for (const [name, value] of query) url.searchParams.set(name, value);
    url.searchParams.set('from', String(this.#next));
    if (token !== undefined) url.searchParams.set('access_token', token);
    const socket = new Socket(url.href);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      if (this.#socket === socket) this.#take(JSON.parse(String(data)) as Message);
    });
    // `close` follows.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      lost();
    });
  }

  #take(message: Message): void {
    if (message.sequence !== undefined) {
      const sequence = Number(message.sequence);
      if (sequence < this.#next) return;
      this.#next = sequence + 1;
    }
    this.#options.deliver(message);
  }
}
