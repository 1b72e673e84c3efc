import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { redact } from '../../core/redact.js';
import { isRefusal, outOfScope, queryOf, type AccessPolicy } from '../access/access-policy.js';
import type { Identity } from '../access/identity.js';
import type { Hub } from './hub.js';
import { errorBody, type ReplyCode } from '../http/reply.js';
import type { Subscriber } from './subscriber.js';
import { parseSubscription } from './subscription.js';
import type { TransportLogger } from '../transport-logger.js';

/** Clients have nothing to say; a frame larger than this ends the connection with 1009. */
const MAX_INCOMING_BYTES = 4096;
const EVENTS_PATH = /^\/v1\/streams\/([^/?]+)\/events\/?$/;

export interface EventsEndpointOptions {
  readonly hub: Hub;
  readonly policy: AccessPolicy;
  readonly hasStream: (id: string) => boolean;
  readonly maxClients: number;
  readonly heartbeatMs: number;
  readonly logger: TransportLogger;
}

interface Refused {
  readonly status: number;
  readonly code: ReplyCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The WebSocket `/v1/streams/{id}/events`: admits clients, subscribes them to the hub and notices dead ones. */
export class EventsEndpoint {
  readonly #options: EventsEndpointOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_INCOMING_BYTES,
    perMessageDeflate: false,
  });
  readonly #subscribers = new Map<WebSocket, Subscriber>();
  /** Clients that have answered since the last ping. */
  readonly #answering = new WeakSet<WebSocket>();
  readonly #heartbeat: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  constructor(options: EventsEndpointOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs).unref();
  }

  get clients(): number {
    return this.#server.clients.size;
  }

  /** Listener for `upgrade` of the HTTP server. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that hangs up during the handshake is no one's error.
    socket.on('error', () => socket.destroy());
    const url = request.url ?? '/';
    this.#options.logger.debug({ url: redact(url) }, 'websocket upgrade');
    const id = streamIdOf(url) ?? '';
    const identity = this.#options.policy.identify(request);
    const refusal = isRefusal(identity) ? identity : this.#refusal(identity, id);
    if (refusal !== undefined) refuse(socket, refusal);
    else if (!isRefusal(identity)) {
      this.#server.handleUpgrade(request, socket, head, (client) => {
        endWithToken(client, identity.signal);
        this.#admit(client, id, queryOf(request));
      });
    }
  }

  /** Sends every client what waits for it, then 1001, and ends those that have not left by the deadline. Idempotent. */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  #refusal(identity: Identity, id: string): Refused | undefined {
    const { hasStream, maxClients } = this.#options;
    if (id === '') return { status: 404, code: 'not_found', message: 'There is no WebSocket at this path' };
    if (!identity.may('read', id)) return outOfScope(identity, 'read', id);
    if (!hasStream(id)) return { status: 404, code: 'not_found', message: `There is no stream "${id}"` };
    if (this.#closed !== undefined) {
      return { status: 503, code: 'overloaded', message: 'The server is shutting down' };
    }
    if (this.clients < maxClients) return undefined;
    return { status: 503, code: 'overloaded', message: `${maxClients} clients are connected already` };
  }

  #admit(client: WebSocket, id: string, query: URLSearchParams): void {
    const { hub, logger } = this.#options;
    this.#answering.add(client);
    client.on('pong', () => this.#answering.add(client));
    // ws closes the connection itself (frames too large, bad UTF-8); `close` follows.
    client.on('error', (error) => logger.debug({ stream: id, error: error.message }, 'websocket error'));
    const subscription = parseSubscription(query);
    if ('problem' in subscription) {
      client.close(1008, subscription.problem);
      return;
    }
    const subscriber = hub.attach(id, subscription, client);
    this.#subscribers.set(client, subscriber);
    client.on('close', (code) => {
      this.#subscribers.delete(client);
      hub.detach(subscriber);
      logger.debug({ stream: id, code, sent: subscriber.sent }, 'websocket closed');
    });
  }

  #beat(): void {
    for (const client of this.#server.clients) {
      if (this.#answering.delete(client)) client.ping();
      else client.terminate();
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    clearInterval(this.#heartbeat);
    const clients = [...this.#server.clients];
    for (const client of clients) {
      (this.#subscribers.get(client) ?? client).close(1001, 'the server is shutting down');
    }
    const gone = Promise.all(clients.map(whenClosed));
    const deadline = setTimeout(() => clients.forEach((client) => client.terminate()), timeoutMs);
    await gone;
    clearTimeout(deadline);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A connection lasts no longer than the token that opened it. */
function endWithToken(client: WebSocket, signal: AbortSignal): void {
  const end = (): void => client.close(1008, 'the token was revoked or has expired');
  signal.addEventListener('abort', end, { once: true });
  client.once('close', () => signal.removeEventListener('abort', end));
}

function whenClosed(client: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (client.readyState === client.CLOSED) resolve();
    else client.once('close', () => resolve());
  });
}

function streamIdOf(url: string): string | undefined {
  const encoded = EVENTS_PATH.exec(url.split('?', 1)[0] ?? '')?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // A malformed escape names no stream.
    return undefined;
  }
}

function refuse(socket: Duplex, { status, code, message, headers = {} }: Refused): void {
  const body = JSON.stringify(errorBody(code, message));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      ...(status === 503 ? ['Retry-After: 5'] : []),
      '',
      body,
    ].join('\r\n'),
  );
}
