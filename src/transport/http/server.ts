import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Registry } from 'prom-client';
import { PresageError } from '../../core/errors.js';
import { redact } from '../../core/redact.js';
import { AccessPolicy } from '../access/access-policy.js';
import type { TokenWatch } from '../access/token-watch.js';
import { EventsEndpoint } from '../events/events-endpoint.js';
import type { Hub } from '../events/hub.js';
import type { ServerFeature } from './feature.js';
import { addGate } from './gate.js';
import { errorBody } from './reply.js';
import { registerAsking, type AskStream } from './ask-routes.js';
import { registerLooking, type LookAtStream } from './look-routes.js';
import { registerRoutes, type ServerLog } from './routes.js';
import type { StatusProviders } from './status.js';
import { silentLogger, type TransportLogger } from '../transport-logger.js';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_MAX_CLIENTS = 256;
const DEFAULT_REQUESTS_PER_SECOND = 100;
const HEARTBEAT_MS = 15_000;
/** For the closing handshakes; with the HTTP server's own end, closing stays within 2 s. */
const CLIENT_CLOSE_MS = 1500;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5000;
/** Questions and looks are all that is posted. */
const BODY_LIMIT_BYTES = 4096;

export interface ServerOptions {
  /** Address to bind. Default 127.0.0.1; any other than a loopback address needs a token. */
  host?: string;
  /** 0 takes a free one. */
  port: number;
  /** An admin's; shown by clients as `Authorization: Bearer TOKEN` or `?access_token=TOKEN`. */
  token?: string | undefined;
  /** More tokens, with scopes. */
  tokens?: TokenWatch | undefined;
  /** Origins of web pages, besides the server's own, that may connect. */
  allowedOrigins?: readonly string[];
  /** Fans out to the WebSocket clients. */
  hub: Hub;
  log: ServerLog;
  status: StatusProviders;
  /** Rendered by `/metrics`. */
  registry: Registry;
  /** Answers a question about a stream. Without it nothing can be asked. */
  ask?: AskStream | undefined;
  /** Looks at the recent video of a stream again. Without it nothing can be looked at. */
  look?: LookAtStream | undefined;
  /** Path of the picture of an event, or of a look. */
  picture?: ((streamId: string, eventId: string) => string | undefined) | undefined;
  /** More of the HTTP API. */
  features?: readonly ServerFeature[];
  /** Default: silent. */
  logger?: TransportLogger;
  /** WebSocket clients at once. Default 256. */
  maxClients?: number;
  /** Between pings; a client that has not answered by the next is ended. Default 15 s. */
  heartbeatMs?: number;
  /** Requests that a token, or without one an address, may send a second, and four times that at once. Default 100; 0: no bound. */
  requestsPerSecond?: number;
}

/** Throws `bad_option`: a port out of range, or a host that is not loopback without a token. */
export function createServer(options: ServerOptions): PresageServer {
  return new PresageServer(options);
}

/** HTTP and WebSocket for the clients of one process. */
export class PresageServer implements AsyncDisposable {
  readonly #app: FastifyInstance;
  readonly #events: EventsEndpoint;
  readonly #host: string;
  readonly #port: number;
  readonly #logger: TransportLogger;
  readonly #features: readonly ServerFeature[];
  #closed: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const host = options.host ?? DEFAULT_HOST;
    if (!Number.isInteger(options.port) || options.port < 0 || options.port > 65_535) {
      throw new PresageError(
        'bad_option',
        `port is ${options.port}, expected a whole number from 0 to 65535`,
      );
    }
    const { token, tokens, allowedOrigins, hub, log, status, registry } = options;
    const policy = new AccessPolicy({ host, token, tokens, allowedOrigins });
    this.#logger = options.logger ?? silentLogger;
    // One address of `localhost`, so that there is one server to upgrade on.
    this.#host = host === 'localhost' ? DEFAULT_HOST : host;
    this.#port = options.port;
    this.#events = new EventsEndpoint({
      hub,
      policy,
      hasStream: (id) => status.streams().some((stream) => stream.id === id),
      maxClients: options.maxClients ?? DEFAULT_MAX_CLIENTS,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      logger: this.#logger,
    });
    this.#features = options.features ?? [];
    this.#app = this.#createApp(policy, options.requestsPerSecond ?? DEFAULT_REQUESTS_PER_SECOND);
    registerRoutes(this.#app, { status, registry, hub, log, startedAtMs: performance.now() });
    registerAsking(this.#app, { status, ask: options.ask, picture: options.picture });
    registerLooking(this.#app, { status, look: options.look });
    for (const feature of this.#features) feature.register(this.#app);
  }

  /** Binds and answers. Rejects with `port_in_use`, or `bad_option` for an address that cannot be bound. */
  async listen(): Promise<{ host: string; port: number; url: string }> {
    try {
      await this.#app.listen({ host: this.#host, port: this.#port });
    } catch (thrown) {
      await this.close();
      throw listenError(thrown, this.#host, this.#port);
    }
    const { address, port, family } = this.#app.server.address() as AddressInfo;
    const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    this.#logger.info({ url }, 'listening');
    return { host: address, port, url };
  }

  /** WebSocket clients connected. */
  get clients(): number {
    return this.#events.clients;
  }

  /** Sends clients what waits for them and close 1001, then ends, within 2 s. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#events.close(CLIENT_CLOSE_MS);
    await Promise.all(this.#features.map((feature) => feature.close?.() ?? Promise.resolve()));
    await this.#app.close();
  }

  #createApp(policy: AccessPolicy, requestsPerSecond: number): FastifyInstance {
    const app = fastify({
      logger: false,
      bodyLimit: BODY_LIMIT_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      forceCloseConnections: true,
      http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: REQUEST_TIMEOUT_MS / 2 },
      frameworkErrors: (error, request, reply) => this.#fail(error, request.url, reply as FastifyReply),
    });
    addGate(app, { policy, requestsPerSecond, logger: this.#logger });
    app.setNotFoundHandler((_request, reply) => {
      reply.code(404).send(errorBody('not_found', 'There is nothing at this path'));
    });
    app.setErrorHandler((error, request, reply) => this.#fail(error, request.url, reply));
    app.server.on('upgrade', (request, socket, head) => this.#events.handleUpgrade(request, socket, head));
    return app;
  }

  #fail(thrown: unknown, url: string, reply: FastifyReply): void {
    const status = statusOf(thrown);
    if (status >= 500) {
      const error = redact(thrown instanceof Error ? thrown.message : String(thrown));
      this.#logger.error({ url: redact(url), error }, 'request failed');
    }
    const code = thrown instanceof PresageError ? thrown.code : status >= 500 ? 'internal' : 'bad_request';
    const text = status >= 500 ? 'The request failed here; the log tells why' : 'The request makes no sense';
    reply.code(status).send(errorBody(code, text));
  }
}

function statusOf(thrown: unknown): number {
  const given =
    typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? thrown.statusCode : 500;
  return typeof given === 'number' && given >= 400 ? given : 500;
}

function listenError(thrown: unknown, host: string, port: number): PresageError {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
  if (code === 'EADDRINUSE') {
    return new PresageError('port_in_use', `Port ${port} of ${host} is in use`, {
      cause: thrown,
      hint: `Stop the program that listens there, or choose another port (0 takes a free one).`,
    });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PresageError('bad_option', `Cannot listen on ${host}, port ${port}: ${message}`, {
    cause: thrown,
    hint: 'Choose an address of this machine and a port that you may bind (above 1023).',
  });
}
