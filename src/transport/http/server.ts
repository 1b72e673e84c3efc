import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Registry } from 'prom-client';
import { PresageError } from '../../core/errors.js';
import { AccessPolicy } from '../access/access-policy.js';
import type { TokenWatch } from '../access/token-watch.js';
import { DocumentsFeature } from '../documents/documents-feature.js';
import { EventsEndpoint } from '../events/events-endpoint.js';
import type { Hub } from '../events/hub.js';
import { BasePath } from './base-path.js';
import type { ServerFeature } from './feature.js';
import { answerFailure, answerInvalid, answerUnknown } from './failures.js';
import { addGate } from './gate.js';
import { Listener, type ListenerOptions, type TlsMaterial } from './listener.js';
import { registerAsking, type AskStream } from './ask-routes.js';
import { registerInspection, type InspectStream } from './inspection-routes.js';
import { describeStream, registerRoutes, type ServerLog } from './routes.js';
import { registerHistory, type HistoryContext } from './history/history-routes.js';
import type { StreamControl } from './streams/stream-control.js';
import { registerStreamControl } from './streams/stream-routes.js';
import type { StatusProviders } from './status.js';
import { silentLogger, type TransportLogger } from '../transport-logger.js';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_MAX_CLIENTS = 1000;
const DEFAULT_REQUESTS_PER_SECOND = 100;
const HEARTBEAT_MS = 15_000;
/** For the closing handshakes; with the HTTP server's own end, closing stays within 2 s. */
const CLIENT_CLOSE_MS = 1500;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5000;
/** Connections for all that is not a WebSocket. */
const SPARE_CONNECTIONS = 512;
/** Questions and looks are all that is posted. */
const BODY_LIMIT_BYTES = 4096;

export interface ServerOptions {
  /** Address to bind. Default 127.0.0.1; any other than a loopback address needs a token. */
  host?: string | undefined;
  /** 0 takes a free one. */
  port: number;
  /** An admin's; shown by clients as `Authorization: Bearer TOKEN` or `?access_token=TOKEN`. */
  token?: string | undefined;
  /** More tokens, with scopes. */
  tokens?: TokenWatch | undefined;
  /** Origins of web pages, besides the server's own, that may connect. */
  allowedOrigins?: readonly string[] | undefined;
  /** Path under which a reverse proxy offers this server, such as `/presage`. Default: none. */
  basePath?: string | undefined;
  /** Addresses and subnets of proxies that may send `X-Forwarded-Prefix`. Default: loopback. */
  trustedProxies?: readonly string[] | undefined;
  /** Fans out to the WebSocket clients. */
  hub: Hub;
  log: ServerLog;
  status: StatusProviders;
  /** Rendered by `/metrics`. */
  registry: Registry;
  /** Answers a question about a stream. Without it nothing can be asked. */
  ask?: AskStream | undefined;
  /** Looks at the recent video of a stream again. Without it nothing can be looked at. */
  inspect?: InspectStream | undefined;
  /** Path of the picture of an event, or of a look. */
  picture?: ((streamId: string, eventId: string) => string | undefined) | undefined;
  /** Makes, changes and ends streams. Without it they are as they are. */
  control?: StreamControl | undefined;
  /** What is kept of a stream, for the lists of what happened. Without it there are none. @throws PresageError `not_found` */
  stored?: HistoryContext['keptOf'] | undefined;
  /** Certificate and key; plain HTTP without them. */
  tls?: TlsMaterial | undefined;
  /** A request that takes longer to arrive is answered with 408. Default 10 s. */
  requestTimeoutMs?: number;
  /** More of the HTTP API. */
  features?: readonly ServerFeature[];
  /** Default: silent. */
  logger?: TransportLogger;
  /** Clients of events at once, by WebSocket or Server-Sent Events. Default 1000. */
  maxClients?: number | undefined;
  /** Between pings; a client that has not answered by the next is ended. Default 15 s. */
  heartbeatMs?: number;
  /** Requests that a token, or without one an address, may send a second, and four times that at once. Default 100; 0: no bound. */
  requestsPerSecond?: number | undefined;
}

/** Throws `bad_option`: a port out of range, or a host that is not loopback without a token. */
export function createServer(options: ServerOptions): PresageServer {
  return new PresageServer(options);
}

/** HTTP and WebSocket for the clients of one process. */
export class PresageServer implements AsyncDisposable {
  readonly #app: FastifyInstance;
  readonly #events: EventsEndpoint;
  readonly #documents = new DocumentsFeature();
  readonly #host: string;
  readonly #port: number;
  readonly #logger: TransportLogger;
  readonly #features: readonly ServerFeature[];
  readonly #bounds: ListenerOptions;
  readonly #basePath: BasePath;
  #listener!: Listener;
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
    hub.setStreams(() => status.streams().map(({ id }) => id));
    this.#events = new EventsEndpoint({
      hub,
      policy,
      hasStream: (id) => status.streams().some((stream) => stream.id === id),
      maxClients: options.maxClients ?? DEFAULT_MAX_CLIENTS,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      logger: this.#logger,
    });
    const maxClients = options.maxClients ?? DEFAULT_MAX_CLIENTS;
    this.#bounds = {
      tls: options.tls,
      maxConnections: maxClients + SPARE_CONNECTIONS,
      requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      keepAliveMs: KEEP_ALIVE_MS,
    };
    this.#features = options.features ?? [];
    const { basePath, trustedProxies } = options;
    this.#basePath = new BasePath({ basePath, trustedProxies });
    this.#app = this.#createApp(policy, options.requestsPerSecond ?? DEFAULT_REQUESTS_PER_SECOND);
    this.#documents.register(this.#app);
    this.#events.register(this.#app);
    registerRoutes(this.#app, { status, registry, hub, log, startedAtMs: performance.now() });
    registerAsking(this.#app, { status, ask: options.ask, picture: options.picture });
    registerInspection(this.#app, { status, inspect: options.inspect });
    const { control, stored: kept } = options;
    registerHistory(this.#app, { keptOf: kept ?? nothingKept });
    if (control) {
      registerStreamControl(this.#app, {
        control,
        describe: (id, basePath) => describeStream({ status, log }, id, basePath),
      });
    }
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
    const url = `${this.#listener.secure ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    this.#logger.info({ url }, 'listening');
    return { host: address, port, url };
  }

  /** Another certificate, for connections from now on. Throws where certificate and key do not belong together. */
  renewTls(tls: TlsMaterial): void {
    this.#listener.renew(tls);
  }

  /** WebSocket clients connected. */
  get clients(): number {
    return this.#events.clients;
  }

  /** Routes that the OpenAPI document does not describe. Tests see to it that there are none. */
  get undescribedRoutes(): readonly string[] {
    return this.#documents.match().undescribed;
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
    const closed = this.#app.close();
    this.#listener.hangUp();
    await closed;
  }

  #createApp(policy: AccessPolicy, requestsPerSecond: number): FastifyInstance {
    const logger = this.#logger;
    const app = fastify({
      logger: false,
      bodyLimit: BODY_LIMIT_BYTES,
      forceCloseConnections: true,
      rewriteUrl: ({ url = '/' }) => this.#basePath.strip(url),
      serverFactory: (handler) => {
        this.#listener = new Listener(this.#bounds, handler);
        return this.#listener.server;
      },
      clientErrorHandler: answerInvalid,
      frameworkErrors: (error, request, reply) =>
        answerFailure(error, request, reply as FastifyReply, logger),
    });
    this.#basePath.register(app);
    addGate(app, { policy, requestsPerSecond, logger });
    answerUnknown(app);
    app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply, logger));
    app.server.on('upgrade', (request, socket, head) => {
      request.url = this.#basePath.strip(request.url ?? '/');
      this.#events.handleUpgrade(request, socket, head);
    });
    return app;
  }
}

function nothingKept(id: string): never {
  throw new PresageError('not_found', `Nothing is kept of "${id}"`);
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
