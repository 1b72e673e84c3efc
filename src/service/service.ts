import type { PresageError } from '../core/errors.js';
import type { Perception } from '../core/percept.js';
import type { Source } from '../core/source.js';
import { findFfmpeg, type Ffmpeg } from '../ingest/ffmpeg-binary.js';
import type { EncodedRing } from '../ingest/encoded/encoded-ring.js';
import { openSource } from '../ingest/open-source.js';
import { parseSource } from '../ingest/source-spec.js';
import { ContactClassifier, type ContactModel } from '../memory/events/contact/contact-classifier.js';
import { loadJsonModel } from '../model/runtime/json-model.js';
import { openPerception, type DetectorPerception } from '../model/perception/perception.js';
import { Archive } from '../transport/archive/archive.js';
import { EvidenceStore } from '../transport/archive/evidence-store.js';
import { DurableLog } from '../transport/log/durable-log.js';
import { Hub } from '../transport/events/hub.js';
import type { StatusProviders } from '../transport/http/status.js';
import { registerTransportMetrics } from '../transport/metrics.js';
import { Clips } from './clips/clips.js';
import { continuationOf } from './continuation.js';
import { ServiceAsker } from './ask/service-asker.js';
import { EvidenceRecorder } from './evidence/evidence-recorder.js';
import { StreamPictures } from './dashboard/stream-pictures.js';
import { watchingFeatures } from './dashboard/watching-features.js';
import { createLogger } from './logger.js';
import { Metrics } from './metrics.js';
import type { Settings } from '../cli/options/option-table.js';
import { Outputs } from './outputs/outputs.js';
import { ReasonerModels } from './reasoner-models.js';
import { ServiceServer } from './server/service-server.js';
import { StreamSession } from './stream-session.js';
import type { StreamPlan } from './streams/stream-plan.js';
import { openOrFail } from './streams/plan-sources.js';
import { storedStreamOf } from './streams/stored-stream.js';
import { StreamRegistry } from './streams/stream-registry.js';
import { SharedVideo } from './recent-video/shared-video.js';
import { LiveVideo } from './webrtc/live-video.js';
import { version } from './version.js';

/** Live streams with their server, log and shared perception: what `watch` and `serve` run. */
export class Service implements AsyncDisposable {
  readonly url: string;
  readonly perception: Perception;
  readonly ffmpeg: Ffmpeg;
  readonly #streams: StreamRegistry;
  readonly #server: ServiceServer;
  readonly #reasonerModels: ReasonerModels;
  readonly #log: DurableLog;
  readonly #outputs: Outputs;
  readonly #video: SharedVideo;
  readonly #live: LiveVideo;
  #closed: Promise<void> | undefined;

  private constructor(parts: ServiceDeps, streams: StreamRegistry, server: ServiceServer, url: string) {
    this.url = url;
    this.perception = parts.perception;
    this.ffmpeg = parts.ffmpeg;
    this.#reasonerModels = parts.reasonerModels;
    this.#log = parts.log;
    this.#outputs = parts.outputs;
    this.#video = parts.video;
    this.#live = parts.live;
    this.#streams = streams;
    this.#server = server;
  }

  /**
   * Opens everything and listens. Whatever was opened is closed again when something fails.
   *
   * @param signal stops between the slow steps
   * @param keepStreams streams that the API made before are there again, and those that it makes now will be
   * @throws PresageError, or the signal's reason
   */
  static async open(
    settings: Settings,
    plans: readonly StreamPlan[],
    signal: AbortSignal,
    { keepStreams = false }: { readonly keepStreams?: boolean } = {},
  ): Promise<Service> {
    const logger = createLogger(settings.logLevel);
    const ffmpeg = await findFfmpeg({ path: settings.ffmpeg });
    signal.throwIfAborted();
    const onError = (error: PresageError): void => logger.error(error);
    const retention = retentionOf(settings);
    const log = await DurableLog.open({ folder: settings.data, retention, onError });
    const hub = new Hub({ log, onError });
    const metrics = new Metrics();
    const { registry } = metrics;
    registerTransportMetrics(registry, { hub, log });
    let parts!: ServiceDeps;
    const streams = new StreamRegistry({ open: (plan) => openSession(parts, plan), store: log, onError });
    const status = statusOf(streams, () => parts);
    let perception!: DetectorPerception;
    let reasonerModels!: ReasonerModels;
    const archive = new Archive(log, retention.maxAgeMs);
    const evidence = await openEvidence(log, settings, onError);
    const clips = await openClips({ log, archive, settings, ffmpeg, metrics }, onError);
    const asker = new ServiceAsker(log, archive, settings);
    let server: ServiceServer | undefined;
    let video: SharedVideo | undefined;
    let live: LiveVideo | undefined;
    let outputs: Outputs | undefined;
    try {
      live = await LiveVideo.open(settings, onError);
      server = new ServiceServer({
        ...{ settings, streams, ffmpeg, keepStreams, onError, hub, log, status, logger, registry },
        stored: (id) => storedStreamOf({ streams, archive, log }, id),
        ask: (id, question) => asker.ask(id, question),
        inspect: (id, request, signal) => asker.inspect(id, request, signal),
        picture: (id, eventId) => evidence?.find(id, eventId),
        features: [clips.routes, ...watchingFeatures(streams, ffmpeg, registry), ...live.features(streams)],
      });
      video = await SharedVideo.open(settings);
      perception = await openSharedPerception(settings);
      signal.throwIfAborted();
      const contacts = await openContactModel(settings);
      reasonerModels = await ReasonerModels.open(settings);
      if (reasonerModels.problem) logger.warn(reasonerModels.problem);
      outputs = new Outputs({ settings, log, onError, env: process.env, metrics, streams });
      parts = {
        ...{ settings, perception, video, contacts, reasonerModels, log, hub, archive },
        ...{ evidence, clips, metrics, logger, ffmpeg, live, outputs },
      };
      server.manager.addAll(plans, onError);
      outputs.start();
      asker.attach((id) => streams.find(id));
      return new Service(parts, streams, server, await server.listen());
    } catch (error) {
      await closeEach([streams, live, video, reasonerModels, perception, server, outputs, log]);
      throw error;
    }
  }

  /**
   * Runs all streams until each that is there now has ended or `close`. One that fails does not end the others.
   * @returns what streams failed with
   */
  run(): Promise<PresageError[]> {
    return this.#streams.run();
  }

  /** Routes that the OpenAPI document does not describe. Tests see to it that there are none. */
  get undescribedRoutes(): readonly string[] {
    return this.#server.undescribedRoutes;
  }

  get streamIds(): string[] {
    return this.#streams.plans().map(({ id }) => id);
  }

  /** Streams, then server, then model, then log. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#streams.close();
    await this.#server.close();
    await this.#live.close();
    await this.#outputs.close();
    await this.#video.close();
    await this.#reasonerModels.close();
    await this.perception.close();
    await this.#log.close();
  }
}

/** In this order; what was not opened yet is undefined. */
async function closeEach(opened: readonly ({ close(): Promise<unknown> } | undefined)[]): Promise<void> {
  for (const part of opened) await part?.close();
}

/** What `/healthz` tells beside the detector. */
/** @param parts of the service, once they are there: nobody asks before */
function statusOf(streams: StreamRegistry, parts: () => ServiceDeps): StatusProviders {
  const details = ({ reasonerModels, outputs }: ServiceDeps): Readonly<Record<string, string>> => ({
    ...reasonerModels.details(),
    ...outputs.details(),
  });
  return {
    service: () => ({ version, perception: parts().perception.info, details: details(parts()) }),
    streams: () => streams.status(),
  };
}

interface ServiceDeps {
  readonly settings: Settings;
  readonly perception: DetectorPerception;
  readonly video: SharedVideo;
  readonly live: LiveVideo;
  readonly contacts: ContactModel | undefined;
  readonly reasonerModels: ReasonerModels;
  readonly log: DurableLog;
  readonly hub: Hub;
  readonly archive: Archive;
  readonly evidence: EvidenceStore | undefined;
  readonly clips: Clips;
  readonly metrics: Metrics;
  readonly logger: ReturnType<typeof createLogger>;
  readonly ffmpeg: Ffmpeg;
  readonly outputs: Outputs;
}

/** What tells contacts of things; undefined where the models folder has no such file. @throws PresageError */
export async function openContactModel(settings: Settings): Promise<ContactModel | undefined> {
  const document = await loadJsonModel('contacts', settings.models);
  return document === undefined ? undefined : ContactClassifier.parse(document);
}

const MB = 1e6;
const DAY_MS = 86_400_000;

function retentionOf({ keepDays, keepMb }: Settings): { maxAgeMs: number; maxBytes: number } {
  return { maxAgeMs: keepDays * DAY_MS, maxBytes: keepMb * MB };
}

/** The store of pictures, tidied after a crash; undefined when none are wanted. */
async function openEvidence(
  log: DurableLog,
  settings: Settings,
  onError: (error: PresageError) => void,
): Promise<EvidenceStore | undefined> {
  if (settings.evidenceMb === 0) return undefined;
  const { maxAgeMs } = retentionOf(settings);
  const maxBytes = settings.evidenceMb * MB;
  const store = new EvidenceStore(log, { folder: settings.data, maxAgeMs, maxBytes, onError });
  await store.tidy();
  return store;
}

/** The original video of the streams. */
function openClips(
  parts: Pick<ServiceDeps, 'log' | 'archive' | 'settings' | 'ffmpeg' | 'metrics'>,
  onError: (error: PresageError) => void,
): Promise<Clips> {
  const { log, archive, settings, ffmpeg, metrics } = parts;
  const { maxAgeMs } = retentionOf(settings);
  const { registry } = metrics;
  return Clips.open({ log, archive, settings, ffmpegPath: ffmpeg.path, maxAgeMs, registry, onError });
}

/** The detector as the settings want it; one for all streams of the process. */
export function openSharedPerception(settings: Settings): Promise<DetectorPerception> {
  return openPerception({
    ...(settings.models === undefined ? {} : { modelsDir: settings.models }),
    ...(settings.canvas === undefined ? {} : { longSidePx: settings.canvas }),
    ...(settings.labels === undefined ? {} : { labels: settings.labels }),
    device: settings.device,
    workers: settings.workers,
    masks: settings.masks,
    segmenter: settings.segmenter,
    sam: {
      ...(settings.samEncoder === undefined ? {} : { encoder: settings.samEncoder }),
      ...(settings.samDecoder === undefined ? {} : { decoder: settings.samDecoder }),
    },
    samEveryS: settings.samEvery,
    samGrid: settings.samGrid,
  });
}

/** The stream's source, or one that fails with what was wrong with it. */
function openStreamSource(
  { ffmpeg, live, settings }: ServiceDeps,
  plan: StreamPlan,
  encoded: EncodedRing | undefined,
  startS: number,
): Source {
  return openOrFail(plan, () =>
    openSource(parseSource(plan.source), {
      ffmpeg,
      openPublished: live.sourceOf(plan.id, encoded),
      mode: 'live',
      rtspTransport: plan.rtspTransport ?? settings.rtspTransport,
      stallMs: settings.stall * 1000,
      loop: plan.loop ?? false,
      startS,
      encoded,
    }),
  );
}

function openSession(parts: ServiceDeps, plan: StreamPlan): StreamSession {
  const {
    settings,
    perception,
    video,
    contacts,
    reasonerModels,
    log,
    hub,
    archive,
    evidence,
    metrics,
    live,
    logger,
  } = parts;
  const onError = (error: PresageError): void => logger.error(error);
  const continuation = continuationOf(log, plan.id, Date.now());
  const recent = video.openVideo({ looks: true, pictures: evidence !== undefined });
  const { thread } = video;
  const recorder =
    evidence &&
    recent &&
    new EvidenceRecorder({ streamId: plan.id, store: evidence, video: recent, thread, onError });
  const looks =
    recent &&
    video.openInspector(recent, perception, recorder && ((t, jpeg) => recorder.keepInspection(t, jpeg)));
  if (recent) metrics.watchVideo(plan.id, () => recent.stats());
  if (recorder) metrics.watchEvidence(plan.id, () => recorder.stats());
  const encoded = parts.clips.openStream(plan.id);
  const opened = openStreamSource(parts, plan, encoded?.ring, continuation?.startS ?? 0);
  return new StreamSession({
    id: plan.id,
    source: live.taps.wrap(plan.id, opened),
    perception,
    contacts,
    reasonerModels,
    places: plan.places,
    settings,
    mode: 'live',
    publisher: { streamId: plan.id, log, sinks: [hub, parts.outputs] },
    keep: { store: log, archive, evidence: recorder, clips: encoded?.recorder },
    continuation,
    onError,
    video: recent,
    pictures: new StreamPictures({ video: recent, thread }),
    inspector: looks,
    metrics,
    onDraft: plan.onDraft,
  });
}
