import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer, type WebSocket } from 'ws';
import { CBOR_PROTOCOL, JSON_PROTOCOL } from '../../core/control.js';
import { redact } from '../../core/redact.js';
import { queryOf, type AccessPolicy } from '../access/access-policy.js';
import { errorBody, type ReplyCode } from '../http/reply.js';
import type { TransportLogger } from '../transport-logger.js';
import type { Connection } from './connection.js';
import { ControlDesk } from './control-desk.js';
import { EventStreams } from './event-streams.js';
import { decodeCbor } from './frames.js';
import { Heartbeat } from './heartbeat.js';
import type { Hub } from './hub.js';
import { parseQuery } from './subscription.js';
import { WebSocketOutlet } from './websocket-outlet.js';

/** A frame of a client larger than this ends the connection with 1009. */
const MAX_INCOMING_BYTES = 16 * 1024;
const EVENTS_PATH = /^\/v1\/(?:streams\/([^/?]+)\/)?events\/?$/;

export interface EventsEndpointOptions {
  readonly hub: Hub;
  readonly policy: AccessPolicy;
  /** Whether who sent the request may read the stream. */
  readonly mayRead: (request: IncomingMessage, streamId: string) => boolean;
  readonly hasStream: (id: string) => boolean;
  readonly maxClients: number;
  readonly heartbeatMs: number;
  readonly logger: TransportLogger;
}

/** Why a client is not taken in. */
export interface Refused {
  readonly status: number;
  readonly code: ReplyCode;
  readonly message: string;
}

/** The WebSockets `/v1/events` and `/v1/streams/{id}/events`: admits clients, connects them to the hub and notices dead ones. */
export class EventsEndpoint {
  readonly #options: EventsEndpointOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_INCOMING_BYTES,
    // Measured and left off: docs/adr/0022-one-frame-for-all.md. Frames that are shared must not be compressed by `ws`.
    perMessageDeflate: false,
    handleProtocols: (offered) => [JSON_PROTOCOL, CBOR_PROTOCOL].find((name) => offered.has(name)) ?? false,
  });
  readonly #connections = new Map<WebSocket, Connection>();
  /** Clients that have answered since the last ping. */
  readonly #answering = new WeakSet<WebSocket>();
  readonly #pings: NodeJS.Timeout;
  readonly #streams: EventStreams;
  #closed: Promise<void> | undefined;

  constructor(options: EventsEndpointOptions) {
    this.#options = options;
    this.#streams = new EventStreams({ ...options, full: () => this.#full() });
    this.#pings = setInterval(() => this.#ping(), options.heartbeatMs).unref();
  }

  get clients(): number {
    return this.#server.clients.size + this.#streams.clients;
  }

  /** Adds the routes of Server-Sent Events. */
  register(app: FastifyInstance): void {
    this.#streams.register(app);
  }

  /** Listener for `upgrade` of the HTTP server. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that hangs up during the handshake is no one's error.
    socket.on('error', () => socket.destroy());
    const url = request.url ?? '/';
    this.#options.logger.debug({ url: redact(url) }, 'websocket upgrade');
    const path = eventsPath(url);
    const refusal = this.#refusal(request, path);
    if (refusal !== undefined || path === undefined) refuse(socket, refusal ?? NOTHING_HERE);
    else
      this.#server.handleUpgrade(request, socket, head, (client) =>
        this.#admit(client, socket, request, path.streamId),
      );
  }

  /** Sends every client what waits for it, then 1001, and ends those that have not left by the deadline. Idempotent. */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  #refusal(request: IncomingMessage, path: EventsPath | undefined): Refused | undefined {
    const { policy, hasStream, mayRead } = this.#options;
    const denied = policy.refusal(request);
    if (denied !== undefined) return { ...denied, code: 'unauthorized' };
    if (path === undefined) return NOTHING_HERE;
    const { streamId: id } = path;
    if (id !== undefined && !mayRead(request, id)) {
      return { status: 403, code: 'forbidden', message: `The token does not cover stream "${id}"` };
    }
    if (id !== undefined && !hasStream(id)) {
      return { status: 404, code: 'not_found', message: `There is no stream "${id}"` };
    }
    const full = this.#full();
    return full === undefined ? undefined : { status: 503, code: 'overloaded', message: full };
  }

  #full(): string | undefined {
    const { maxClients } = this.#options;
    if (this.#closed !== undefined) return 'The server is shutting down';
    return this.clients < maxClients ? undefined : `${maxClients} clients are connected already`;
  }

  #admit(client: WebSocket, socket: Duplex, request: IncomingMessage, streamId: string | undefined): void {
    const { hub, logger, mayRead } = this.#options;
    this.#answering.add(client);
    client.on('pong', () => this.#answering.add(client));
    // ws closes the connection itself (frames too large, bad UTF-8); `close` follows.
    client.on('error', (error) =>
      logger.debug({ stream: streamId, error: error.message }, 'websocket error'),
    );
    const asked = parseQuery(queryOf(request), streamId);
    if ('problem' in asked) {
      client.close(1008, asked.problem);
      return;
    }
    const binary = client.protocol === CBOR_PROTOCOL;
    const outlet = new WebSocketOutlet(client, socket, binary ? 'cbor' : 'json');
    const connection = hub.connect(outlet, (id) => mayRead(request, id));
    this.#connections.set(client, connection);
    const heartbeat = new Heartbeat((at) => connection.beat(at));
    const desk = new ControlDesk({
      connection,
      streamId,
      decode: binary ? decodeCbor : (data) => JSON.parse(data.toString()) as unknown,
      setHeartbeat: (seconds) => heartbeat.set(seconds),
      now: () => new Date(),
    });
    socket.on('drain', () => connection.drained());
    client.on('message', (data) => desk.receive(data as Buffer));
    client.on('close', (code) => {
      heartbeat.set(0);
      this.#connections.delete(client);
      hub.disconnect(connection);
      logger.debug({ stream: streamId, code }, 'websocket closed');
    });
    heartbeat.set(asked.heartbeatS);
    if (asked.subscription !== undefined) connection.subscribe(asked.subscription);
  }

  #ping(): void {
    for (const client of this.#server.clients) {
      if (this.#answering.delete(client)) client.ping();
      else client.terminate();
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    clearInterval(this.#pings);
    this.#streams.close();
    const clients = [...this.#server.clients];
    for (const client of clients) {
      (this.#connections.get(client) ?? client).close(1001, 'the server is shutting down');
    }
    const gone = Promise.all(clients.map(whenClosed));
    const deadline = setTimeout(() => clients.forEach((client) => client.terminate()), timeoutMs);
    await gone;
    clearTimeout(deadline);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

const NOTHING_HERE: Refused = {
  status: 404,
  code: 'not_found',
  message: 'There is no WebSocket at this path',
};

function whenClosed(client: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (client.readyState === client.CLOSED) resolve();
    else client.once('close', () => resolve());
  });
}

interface EventsPath {
  /** Undefined: all streams. */
  readonly streamId: string | undefined;
}

function eventsPath(url: string): EventsPath | undefined {
  const found = EVENTS_PATH.exec(url.split('?', 1)[0] ?? '');
  if (found === null) return undefined;
  const [, encoded] = found;
  if (encoded === undefined) return { streamId: undefined };
  try {
    return { streamId: decodeURIComponent(encoded) };
  } catch {
    // A malformed escape names no stream.
    return undefined;
  }
}

function refuse(socket: Duplex, { status, code, message }: Refused): void {
  const body = JSON.stringify(errorBody(code, message));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
      ...(status === 503 ? ['Retry-After: 5'] : []),
      '',
      body,
    ].join('\r\n'),
  );
}
