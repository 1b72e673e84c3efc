import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';

/** What TLS needs, as PEM. */
export interface TlsMaterial {
  /** The certificate, followed by those that lead to a known authority. */
  readonly cert: string;
  readonly key: string;
}

export interface ListenerOptions {
  /** Plain HTTP without it. */
  readonly tls?: TlsMaterial | undefined;
  /** Most connections at once; more are hung up. */
  readonly maxConnections: number;
  /** A request that takes longer to arrive is answered with 408, ms. */
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
}

const MIN_TLS = 'TLSv1.2';

/** The HTTP server under the API, with bounds for those who send slowly, much, or too often. */
export class Listener {
  readonly server: Server;
  readonly secure: boolean;
  readonly #sockets = new Set<Socket>();

  constructor(options: ListenerOptions, handler: RequestListener) {
    const { tls, maxConnections, requestTimeoutMs, keepAliveMs } = options;
    const bounds = {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.max(requestTimeoutMs / 4, 50),
    };
    this.secure = tls !== undefined;
    this.server =
      tls === undefined
        ? createHttpServer(bounds, handler)
        : createHttpsServer(
            { ...bounds, ...tls, minVersion: MIN_TLS, handshakeTimeout: requestTimeoutMs },
            handler,
          );
    this.server.maxConnections = maxConnections;
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Ends every connection at once; those in the middle of a handshake, too, which closing would wait for. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Another certificate, for connections from now on. Throws where certificate and key do not belong together. */
  renew(tls: TlsMaterial): void {
    if ('setSecureContext' in this.server) {
      const server = this.server as Server & { setSecureContext(options: object): void };
      server.setSecureContext({ ...tls, minVersion: MIN_TLS });
    }
  }
}
