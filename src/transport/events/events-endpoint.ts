import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer, type WebSocket } from 'ws';
import { CBOR_PROTOCOL, JSON_PROTOCOL } from '../../core/control.js';
import type { ErrorCode, PresageError } from '../../core/errors.js';
import { guarded } from '../../core/guarded.js';
import { redact } from '../../core/text/redact.js';
import { isRefusal, outOfScope, queryOf, type AccessPolicy } from '../access/access-policy.js';
import type { Identity } from '../access/identity.js';
import { errorBody, type ReplyCode } from '../http/reply.js';
import type { TransportLogger } from '../transport-logger.js';
import type { Connection } from './connection.js';
import { ControlHandler } from './control-handler.js';
import { EventStreams } from './event-streams.js';
import { decodeCbor } from './delivery/frames.js';
import { Heartbeat } from './delivery/heartbeat.js';
import type { Hub } from './hub.js';
import { parseQuery } from './subscription.js';
import { closeReason, WebSocketOutlet } from './delivery/websocket-outlet.js';

/** A frame of a client larger than this ends the connection with 1009. */
const MAX_INCOMING_BYTES = 16 * 1024;
const EVENTS_PATH = /^\/v1\/(?:streams\/([^/?]+)\/)?events\/?$/;

export interface EventsEndpointOptions {
  readonly hub: Hub;
  readonly policy: AccessPolicy;
  readonly hasStream: (id: string) => boolean;
  readonly maxClients: number;
  readonly heartbeatMs: number;
  readonly logger: TransportLogger;
}

/** Why a client is not taken in. */
interface Refused {
  readonly status: number;
  readonly code: ReplyCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The WebSockets `/v1/events` and `/v1/streams/{id}/events`: admits clients, connects them to the hub and notices dead ones. */
export class EventsEndpoint {
  readonly #options: EventsEndpointOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_INCOMING_BYTES,
    // Measured and left off: docs/adr/0022-shared-websocket-frames.md. Frames that are shared must not be compressed by `ws`.
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

  /** Listener for `upgrade` of the HTTP server. Never throws: an exception would end the process. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that hangs up during the handshake is no one's error.
    socket.on('error', () => socket.destroy());
    const upgrade = guarded(
      () => this.#upgrade(request, socket, head),
      (error) => {
        this.#options.logger.error({ error: redact(error.message) }, 'websocket upgrade failed');
        socket.destroy();
      },
    );
    upgrade();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = request.url ?? '/';
    this.#options.logger.debug({ url: redact(url) }, 'websocket upgrade');
    const path = eventsPath(url);
    const identity = this.#options.policy.identify(request);
    const refusal = isRefusal(identity) ? identity : this.#refusal(identity, path);
    if (refusal !== undefined) refuse(socket, refusal);
    else if (!isRefusal(identity) && path !== undefined) {
      this.#server.handleUpgrade(request, socket, head, (client) => {
        endWithToken(client, identity.signal);
        const admit = guarded(
          () => this.#admit({ client, socket, identity, streamId: path.streamId }, queryOf(request)),
          (error) => this.#end(client, error),
        );
        admit();
      });
    }
  }

  /** Sends every client what waits for it, then 1001, and ends those that have not left by the deadline. Idempotent. */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  #refusal(identity: Identity, path: EventsPath | undefined): Refused | undefined {
    if (path === undefined) return NOTHING_HERE;
    const { streamId: id } = path;
    if (!identity.may('read', id)) return outOfScope(identity, 'read', id);
    if (id !== undefined && !this.#options.hasStream(id)) {
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

  #admit({ client, socket, identity, streamId }: Admitted, query: URLSearchParams): void {
    const { hub, logger } = this.#options;
    this.#answering.add(client);
    client.on('pong', () => this.#answering.add(client));
    // ws closes the connection itself (frames too large, bad UTF-8); `close` follows.
    client.on('error', (error) =>
      logger.debug({ stream: streamId, error: error.message }, 'websocket error'),
    );
    const asked = parseQuery(query, streamId);
    if ('problem' in asked) {
      client.close(1008, closeReason(asked.problem));
      return;
    }
    const binary = client.protocol === CBOR_PROTOCOL;
    const outlet = new WebSocketOutlet(client, socket, binary ? 'cbor' : 'json');
    const connection = hub.connect(outlet, (id) => identity.may('read', id));
    this.#connections.set(client, connection);
    const heartbeat = new Heartbeat(
      guarded(
        (at: string) => connection.sendHeartbeat(at),
        (error) => this.#end(client, error),
      ),
    );
    const desk = new ControlHandler({
      connection,
      streamId,
      decode: binary ? decodeCbor : (data) => JSON.parse(data.toString()) as unknown,
      setHeartbeat: (seconds) => heartbeat.set(seconds),
      now: () => new Date(),
    });
    const fail = (error: PresageError): void => this.#end(client, error);
    socket.on(
      'drain',
      guarded(() => connection.drained(), fail),
    );
    client.on(
      'message',
      guarded((data: Buffer) => desk.receive(data), fail),
    );
    const leave = (code: number): void => {
      heartbeat.set(0);
      this.#connections.delete(client);
      hub.disconnect(connection);
      logger.debug({ stream: streamId, code }, 'websocket closed');
    };
    client.on('close', guarded(leave, fail));
    heartbeat.set(asked.heartbeatS);
    if (asked.subscription !== undefined) connection.subscribe(asked.subscription);
  }

  /** Closes one client: 1008 for a request that is refused, 1011 for a fault of the service. */
  #end(client: WebSocket, error: PresageError): void {
    const refused = REFUSALS.has(error.code);
    if (!refused) this.#options.logger.error({ error: redact(error.message) }, 'websocket failed');
    const [code, reason] = refused
      ? ([1008, error.message] as const)
      : ([1011, 'the request failed; see the log of the service'] as const);
    // The reason is cut to what a close frame can hold; a socket that is past closing is dropped.
    guarded(
      () => (this.#connections.get(client) ?? client).close(code, closeReason(reason)),
      () => client.terminate(),
    )();
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

/** Codes of errors that a request causes, not the service. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'bad_request',
  'conflict',
  'forbidden',
  'not_found',
  'overloaded',
]);

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

/** A connection lasts no longer than the token that opened it. */
function endWithToken(client: WebSocket, signal: AbortSignal): void {
  const end = (): void => client.close(1008, 'the token was revoked or has expired');
  signal.addEventListener('abort', end, { once: true });
  client.once('close', () => signal.removeEventListener('abort', end));
}

interface Admitted {
  readonly client: WebSocket;
  /** The one under the client. */
  readonly socket: Duplex;
  readonly identity: Identity;
  readonly streamId: string | undefined;
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
