import type { PresageError } from '../../core/errors.js';
import { ResourceStack } from '../../core/resource-stack.js';
import { AccessPolicy } from '../../transport/access/access-policy.js';
import { TokenFolder } from '../../transport/access/token-folder.js';
import { TokenWatch } from '../../transport/access/token-watch.js';
import { createServer, type PresageServer, type ServerOptions } from '../../transport/http/server.js';
import { readTls, renewTls, tlsPaths } from './tls-files.js';

/** Options of the HTTP server of a service. */
export interface ListenOptions {
  /** 0: any free port. Default 7878. */
  readonly port?: number | undefined;
  /** Address to bind. An address other than loopback requires a token. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Token with all scopes, at least 16 characters. Tokens of the data folder are valid in any case. */
  readonly token?: string | undefined;
  /** Origins of web pages that may connect, besides those of the service. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Path under which a reverse proxy offers the service, such as `/presage`. Default: the root. */
  readonly basePath?: string | undefined;
  /** Addresses and subnets of proxies whose prefix headers are trusted. Default: loopback. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Limit of event clients at once. Default 1000. */
  readonly maxClients?: number | undefined;
  /** Limit of HTTP requests per second of one token or address; 0: no limit. Default 100. */
  readonly requestsPerSecond?: number | undefined;
  /** Folder of video files that streams created by the API may use. Default: no files. */
  readonly apiFiles?: string | undefined;
  /** Certificate chain (PEM) for HTTPS; requires `tlsKey`. Read again when the file changes. */
  readonly tlsCert?: string | undefined;
  /** Private key (PEM, without passphrase); requires `tlsCert`. */
  readonly tlsKey?: string | undefined;
}

export const LISTEN_DEFAULTS = { host: '127.0.0.1', port: 7878 } as const;

export interface ServiceServerDeps extends Omit<ServerOptions, keyof ListenOptions | 'tokens' | 'tls'> {
  readonly options: ListenOptions;
  /** The data folder, which holds the tokens. */
  readonly folder: string;
  readonly onError: (error: PresageError) => void;
}

/**
 * Checks address, token and certificate without opening anything, so that a wrong option is reported before models load.
 * @throws PresageError `bad_option`
 */
export function checkListenOptions(options: ListenOptions, folder: string): void {
  const { host = LISTEN_DEFAULTS.host, token, allowedOrigins } = options;
  const files = tlsPaths(options);
  if (files) readTls(files);
  const names = new TokenFolder(folder).names();
  // Tokens of the data folder also permit other addresses than loopback.
  if (names.length === 0) new AccessPolicy({ host, token, allowedOrigins });
}

/** The HTTP server of a service, its access tokens and the renewal of its certificate. */
export class ServiceServer implements AsyncDisposable {
  readonly #server: PresageServer;
  readonly #resources = new ResourceStack();

  /** @throws PresageError `bad_option`, `storage_failed` */
  constructor({ options, folder, onError, ...deps }: ServiceServerDeps) {
    const { tlsCert, tlsKey, ...rest } = options;
    const files = tlsPaths({ tlsCert, tlsKey });
    const tls = files && readTls(files);
    const tokens = new TokenWatch({ folder: new TokenFolder(folder), onError });
    try {
      this.#server = createServer({
        ...deps,
        ...rest,
        port: options.port ?? LISTEN_DEFAULTS.port,
        tls,
        tokens,
      });
    } catch (thrown) {
      tokens[Symbol.dispose]();
      throw thrown;
    }
    this.#resources.use(tokens);
    this.#resources.use(this.#server);
    if (files) this.#resources.use(renewTls(files, this.#server, onError));
  }

  /** @returns the address. @throws PresageError `port_in_use`, `bad_option` */
  async listen(): Promise<string> {
    return (await this.#server.listen()).url;
  }

  /** Routes that the OpenAPI document does not describe. */
  get undescribedRoutes(): readonly string[] {
    return this.#server.undescribedRoutes;
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#resources.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
