import type { Message } from '../core/messages.js';
import { ClientError } from './client-error.js';
import { dropSocket, type SocketConstructor, type SocketLike } from './socket.js';

/** Messages as JSON; the client asks for no other form, since every runtime parses it without help. */
const SUBPROTOCOL = 'presage.v1+json';
/** For the opening handshake, ms. */
const OPEN_MS = 10_000;
/** A connection that is silent for so many heartbeats is dead. */
const MISSED_HEARTBEATS = 2.5;

/** What the service says besides messages. */
export type Reply =
  | {
      readonly op: 'subscribed';
      readonly id: string;
      readonly streams: readonly string[];
      readonly next: Readonly<Record<string, number>>;
    }
  | { readonly op: 'updated' | 'unsubscribed'; readonly id: string }
  | { readonly op: 'pong' | 'heartbeat'; readonly at: string }
  | { readonly op: 'error'; readonly code: string; readonly message: string; readonly id?: string };

export interface LinkOptions {
  readonly base: URL;
  readonly token: string | undefined;
  readonly Socket: SocketConstructor;
  /** Seconds between the service's signs of life. */
  readonly heartbeatS: number;
  readonly onOpen: () => void;
  readonly onMessage: (message: Message) => void;
  readonly onReply: (reply: Reply) => void;
  /** Told once, however it ended; not after `close`. */
  readonly onLost: (error: ClientError) => void;
}

/** One connection to `/v1/events`, dropped when it falls silent. */
export class Link {
  readonly #options: LinkOptions;
  readonly #socket: SocketLike;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { Socket, heartbeatS, onOpen } = options;
    this.#socket = new Socket(addressOf(options), [SUBPROTOCOL]);
    this.#watch(OPEN_MS, 'The connection could not be opened in time');
    this.#socket.addEventListener('open', () => {
      if (this.#ended) return;
      this.#alive();
      onOpen();
    });
    this.#socket.addEventListener('message', ({ data }) => this.#receive(data, heartbeatS));
    // `close` follows, and says more.
    this.#socket.addEventListener('error', () => undefined);
    this.#socket.addEventListener('close', ({ code, reason }) => {
      const said = reason === '' ? `code ${code}` : `${reason} (${code})`;
      this.#lose(new ClientError('unreachable', `The connection was lost: ${said}`, { retryable: true }));
    });
  }

  send(op: object): void {
    if (!this.#ended) this.#socket.send(JSON.stringify(op));
  }

  /** Idempotent. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#watchdog);
    dropSocket(this.#socket);
  }

  #receive(data: unknown, heartbeatS: number): void {
    if (this.#ended) return;
    this.#alive(heartbeatS);
    let value: Message | Reply;
    try {
      value = JSON.parse(String(data)) as Message | Reply;
    } catch (cause) {
      this.#lose(new ClientError('protocol_error', 'What came is no JSON', { cause, retryable: true }));
      return;
    }
    if ('op' in value) this.#options.onReply(value);
    else this.#options.onMessage(value);
  }

  #alive(heartbeatS = this.#options.heartbeatS): void {
    const limitS = heartbeatS * MISSED_HEARTBEATS;
    this.#watch(limitS * 1000, `The service was silent for ${limitS} s`);
  }

  #watch(limitMs: number, problem: string): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#lose(new ClientError('unreachable', problem, { retryable: true }));
    }, limitMs);
  }

  #lose(error: ClientError): void {
    if (this.#ended) return;
    this.close();
    this.#options.onLost(error);
  }
}

function addressOf({ base, token, heartbeatS }: LinkOptions): string {
  const url = new URL(`${base.pathname.replace(/\/+$/, '')}/v1/events`, base);
  url.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('heartbeat', String(heartbeatS));
  // Browsers can set no headers here.
  if (token !== undefined) url.searchParams.set('access_token', token);
  return url.href;
}
