import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { PresageError } from '../core/errors.js';
import { ResourceStack } from '../core/resource-stack.js';
import { findFfmpeg, type Ffmpeg } from '../ingest/ffmpeg-binary.js';
import { Hub } from '../transport/events/hub.js';
import type { StatusProviders } from '../transport/http/status.js';
import { registerTransportMetrics } from '../transport/metrics.js';
import { ServiceAsker } from './ask/service-asker.js';
import { Clips } from './clips/clips.js';
import { watchingFeatures } from './dashboard/watching-features.js';
import { createLogger } from './logger.js';
import { Metrics } from './metrics.js';
import { Outputs } from './outputs/outputs.js';
import {
  checkListenOptions,
  LISTEN_DEFAULTS,
  ServiceServer,
  type ServiceServerDeps,
} from './server/service-server.js';
import type { ServiceOptions } from './service-options.js';
import { SharedModels } from './shared-models.js';
import { Storage } from './storage.js';
import { StreamFactory } from './stream-factory.js';
import { checkSource } from './streams/plan-sources.js';
import { storedStreamOf } from './streams/stored-stream.js';
import { StreamFile } from './streams/stream-file.js';
import { StreamManager } from './streams/stream-manager.js';
import { SOURCE_DEFAULTS, type StreamPlan } from './streams/stream-plan.js';
import { StreamRegistry } from './streams/stream-registry.js';
import { LiveVideo } from './webrtc/live-video.js';
import { version } from './version.js';

/** Parts of a service for its callers. */
interface ServiceParts {
  readonly streams: StreamRegistry;
  readonly asker: ServiceAsker;
  readonly storage: Storage;
  readonly models: SharedModels;
  readonly ffmpeg: Ffmpeg;
}

/** Live streams with their storage, models and outputs, and an HTTP server where one is configured. */
export class Service implements AsyncDisposable {
  readonly streams: StreamRegistry;
  readonly asker: ServiceAsker;
  readonly storage: Storage;
  readonly models: SharedModels;
  readonly ffmpeg: Ffmpeg;
  /** Address of the HTTP server; undefined without one. */
  readonly url: string | undefined;
  readonly #resources: ResourceStack;
  readonly #server: ServiceServer | undefined;

  private constructor(resources: ResourceStack, parts: ServiceParts, server?: ServiceServer, url?: string) {
    this.streams = parts.streams;
    this.asker = parts.asker;
    this.storage = parts.storage;
    this.models = parts.models;
    this.ffmpeg = parts.ffmpeg;
    this.url = url;
    this.#resources = resources;
    this.#server = server;
  }

  /**
   * Opens storage, models, streams and server. On failure, everything opened so far is closed.
   *
   * @param plans streams to add
   * @param signal aborts between two opening steps
   * @throws PresageError, or the signal's reason
   */
  static async open(
    options: ServiceOptions,
    plans: readonly StreamPlan[] = [],
    signal?: AbortSignal,
  ): Promise<Service> {
    if (options.listen) checkListenOptions(options.listen, options.data);
    options.onStep?.(`opening the data folder ${options.data}`);
    const resources = new ResourceStack();
    try {
      return await Service.#open(resources, options, plans, signal);
    } catch (error) {
      await resources.close();
      throw error;
    }
  }

  static async #open(
    resources: ResourceStack,
    options: ServiceOptions,
    plans: readonly StreamPlan[],
    signal: AbortSignal | undefined,
  ): Promise<Service> {
    const { data: folder, listen, sinks = [], keep, stages, sources } = options;
    const { logger, onError } = openLogger(options);
    const ffmpeg = await findFfmpeg({ path: options.ffmpeg });
    signal?.throwIfAborted();
    const metrics = new Metrics();
    const { registry } = metrics;
    const storage = resources.use(await Storage.open({ folder, keep, onError }));
    const { log, archive } = storage;
    const hub = new Hub({ log, onError });
    registerTransportMetrics(registry, { hub, log });
    const sending = { options: options.outputs, env: process.env, folder, log, registry, onError };
    const outputs = resources.use(new Outputs(sending));
    const live = resources.use(await openLiveVideo(options, ffmpeg, onError));
    const models = resources.use(await SharedModels.open(options.models, signal, options.onStep));
    if (models.problem) logger.warn(models.problem);
    const clips = openClips(options, storage, ffmpeg, registry, onError);
    const messageSinks = [hub, outputs, ...sinks];
    const deps = { storage, models, clips, live, metrics, ffmpeg, stages, sources, messageSinks, onError };
    const factory = new StreamFactory(deps);
    const streams = new StreamRegistry({ open: (plan) => factory.open(plan), store: log, onError });
    const manager = new StreamManager({
      streams,
      file: options.keepStreams === true ? new StreamFile(folder) : undefined,
      apiFiles: listen?.apiFiles,
      check: (plan) => checkSource(plan, ffmpeg),
    });
    const asker = new ServiceAsker({ log, archive, streams, openai: options.models?.reasoner?.openai });
    const server =
      listen &&
      resources.use(
        new ServiceServer({
          options: listen,
          folder,
          hub,
          log,
          logger,
          registry,
          status: statusOf(streams, models, outputs, storage),
          control: manager,
          ...storedDataRoutes(streams, storage, asker),
          features: [
            clips.routes,
            ...watchingFeatures((id) => streams.find(id)?.view, ffmpeg, registry),
            ...live.features(streams),
          ],
          onError,
        }),
      );
    // Registered after the server: streams end before it, so that clients receive the last messages.
    resources.use(streams);
    manager.addAll(plans, onError);
    outputs.start(() => streams.plans().map(({ id, places }) => ({ id, zones: places.zones })));
    const url = await server?.listen();
    return new Service(resources, { streams, asker, storage, models, ffmpeg }, server, url);
  }

  /**
   * Runs all streams until each that is present now has ended, or until `close`. A failed stream does not end the others.
   * @returns the errors of the failed streams
   */
  run(): Promise<PresageError[]> {
    return this.streams.run();
  }

  /** Routes that the OpenAPI document does not describe. Tests require that there are none. */
  get undescribedRoutes(): readonly string[] {
    return this.#server?.undescribedRoutes ?? [];
  }

  get streamIds(): string[] {
    return this.streams.plans().map(({ id }) => id);
  }

  /** Ends the streams, then closes everything else in reverse order of opening. Idempotent. */
  close(): Promise<void> {
    return this.#resources.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function openLogger({ logLevel, onError }: ServiceOptions): {
  logger: Logger;
  onError: (error: PresageError) => void;
} {
  const logger = createLogger(logLevel ?? 'silent');
  const report = (error: PresageError): void => {
    logger.error(error);
    onError?.(error);
  };
  return { logger, onError: report };
}

function openLiveVideo(
  { listen, webrtc = { engine: 'off' }, sources }: ServiceOptions,
  ffmpeg: Ffmpeg,
  onError: (error: PresageError) => void,
): Promise<LiveVideo> {
  const host = listen?.host ?? LISTEN_DEFAULTS.host;
  const stallMs = (sources?.stallS ?? SOURCE_DEFAULTS.stallS) * 1000;
  // WebRTC is negotiated over HTTP.
  return LiveVideo.open(listen ? webrtc : { engine: 'off' }, { ffmpeg, host, stallMs, onError });
}

function openClips(
  options: ServiceOptions,
  { archive, clips: store }: Storage,
  ffmpeg: Ffmpeg,
  registry: Registry,
  onError: (error: PresageError) => void,
): Clips {
  // Without a server there is no request for a clip.
  const clips = options.listen ? options.clips : { seconds: 0 };
  return new Clips({ options: clips, archive, store, ffmpegPath: ffmpeg.path, registry, onError });
}

/** Providers of the routes that answer from stored data. */
function storedDataRoutes(
  streams: StreamRegistry,
  { archive, log, evidence }: Storage,
  asker: ServiceAsker,
): Pick<ServiceServerDeps, 'stored' | 'ask' | 'inspect' | 'picture'> {
  return {
    stored: (id) => storedStreamOf({ streams, archive, log }, id),
    ask: (id, question) => asker.ask(id, question),
    inspect: (id, request, signal) => asker.inspect(id, request, signal),
    picture: (id, eventId) => evidence?.find(id, eventId),
  };
}

/** Providers of `/healthz` and `/v1/streams`. */
function statusOf(
  streams: StreamRegistry,
  models: SharedModels,
  outputs: Outputs,
  { log }: Storage,
): StatusProviders {
  return {
    service: () => ({
      version,
      perception: models.perception.info,
      details: { ...models.reasoner.details(), ...outputs.details() },
    }),
    streams: () => streams.status(),
    storageFailure: () => log.failure,
  };
}
