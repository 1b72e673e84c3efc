import type { PresageError } from '../../core/errors.js';
import type { Ffmpeg } from '../../ingest/ffmpeg-binary.js';
import { TokenFolder } from '../../transport/access/token-folder.js';
import { TokenWatch } from '../../transport/access/token-watch.js';
import { createServer, type PresageServer, type ServerOptions } from '../../transport/http/server.js';
import type { Settings } from '../../cli/options/option-table.js';
import { checkSource } from '../streams/plan-sources.js';
import { StreamFile } from '../streams/stream-file.js';
import { StreamManager } from '../streams/stream-manager.js';
import type { StreamRegistry } from '../streams/stream-registry.js';
import { readTls, renewTls, tlsPaths } from './tls-files.js';

export interface ServiceServerOptions extends Pick<
  ServerOptions,
  'hub' | 'log' | 'status' | 'registry' | 'logger' | 'ask' | 'inspect' | 'picture' | 'stored' | 'features'
> {
  readonly settings: Settings;
  readonly streams: StreamRegistry;
  readonly ffmpeg: Ffmpeg;
  /** Streams that the API made before are there again, and those that it makes now will be. */
  readonly keepStreams: boolean;
  readonly onError: (error: PresageError) => void;
}

/** The server of a service with what stands behind its doors: tokens, certificate, and who may change streams. */
export class ServiceServer implements AsyncDisposable {
  readonly manager: StreamManager;
  readonly #server: PresageServer;
  readonly #tokens: TokenWatch;
  readonly #renewal: Disposable | undefined;

  /** @throws PresageError `bad_option`, `storage_failed` */
  constructor({ settings, streams, ffmpeg, keepStreams, onError, ...parts }: ServiceServerOptions) {
    const { host, port, token, allowedOrigins, maxClients, requestRate, apiFiles, data } = settings;
    const { basePath, trustedProxies } = settings;
    const files = tlsPaths(settings);
    const tls = files && readTls(files);
    this.manager = new StreamManager({
      streams,
      file: keepStreams ? new StreamFile(data) : undefined,
      apiFiles,
      check: (plan) => checkSource(plan, ffmpeg),
    });
    this.#tokens = new TokenWatch({ folder: new TokenFolder(data), onError });
    try {
      this.#server = createServer({
        ...parts,
        ...{ host, port, token, allowedOrigins, maxClients, tls, basePath, trustedProxies },
        tokens: this.#tokens,
        maxClients,
        requestsPerSecond: requestRate,
        control: this.manager,
      });
    } catch (thrown) {
      this.#tokens[Symbol.dispose]();
      throw thrown;
    }
    this.#renewal = files && renewTls(files, this.#server, onError);
  }

  /** @throws PresageError `port_in_use`, `bad_option` */
  async listen(): Promise<string> {
    return (await this.#server.listen()).url;
  }

  /** Routes that the OpenAPI document does not describe. */
  get undescribedRoutes(): readonly string[] {
    return this.#server.undescribedRoutes;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#renewal?.[Symbol.dispose]();
    await this.#server.close();
    this.#tokens[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
