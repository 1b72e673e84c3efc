import type { PresageError } from '../core/errors.js';
import type { Source } from '../core/source.js';
import type { Ffmpeg } from '../ingest/ffmpeg-binary.js';
import { openSource } from '../ingest/open-source.js';
import { parseSource } from '../ingest/source-spec.js';
import type { MessageSink } from '../transport/messages/encode.js';
import type { Clips, StreamClips } from './clips/clips.js';
import { StreamPictures } from './dashboard/stream-pictures.js';
import { EvidenceRecorder } from './evidence/evidence-recorder.js';
import type { Metrics } from './metrics.js';
import type { RecentVideo } from './recent-video/recent-video.js';
import { continuationOf } from './session/continuation.js';
import type { DraftSink } from './session/draft-sink.js';
import { StreamSession, type StageOptions } from './session/stream-session.js';
import type { SharedModels } from './shared-models.js';
import type { Storage } from './storage.js';
import { openOrFail } from './streams/plan-sources.js';
import { SOURCE_DEFAULTS, type SourceOptions, type StreamPlan } from './streams/stream-plan.js';
import type { LiveVideo } from './webrtc/live-video.js';

export interface StreamFactoryDeps {
  readonly storage: Storage;
  readonly models: SharedModels;
  readonly clips: Clips;
  readonly live: LiveVideo;
  readonly metrics: Metrics;
  readonly ffmpeg: Ffmpeg;
  readonly stages?: StageOptions | undefined;
  readonly sources?: SourceOptions | undefined;
  /** Receive the messages of all streams. */
  readonly messageSinks: readonly MessageSink[];
  readonly onError: (error: PresageError) => void;
}

/** Opens the sessions of the streams of a service from the parts that all streams share. */
export class StreamFactory {
  readonly #deps: StreamFactoryDeps;

  constructor(deps: StreamFactoryDeps) {
    this.#deps = deps;
  }

  /**
   * A session that is not yet running. It continues the state that an earlier session of the stream saved.
   * @throws PresageError why the source of a stream of the command cannot be opened, or `storage_failed`
   */
  open(plan: StreamPlan): StreamSession {
    const { storage, models, clips, live, metrics, onError } = this.#deps;
    const { id } = plan;
    const continuation = continuationOf(storage.log, id, Date.now());
    const video = models.video.openVideo({
      inspections: models.stills ? 'recent' : 'none',
      pictures: storage.evidence !== undefined || models.reasoner.sendsImages,
    });
    const pictures = new StreamPictures({ video, thread: models.video.thread });
    const evidence = this.#openEvidence(id, video);
    const encoded = clips.openStream(id);
    const source = live.listeners.wrap(id, this.#openSource(plan, encoded, continuation?.startS ?? 0));
    const session = new StreamSession({
      id,
      source,
      perception: models.perception,
      contacts: models.contacts,
      reasoner: models.reasoner,
      places: plan.places,
      stages: this.#deps.stages,
      mode: 'live',
      publisher: { streamId: id, log: storage.log, sinks: this.#deps.messageSinks },
      keep: { store: storage.log, archive: storage.archive },
      continuation,
      onError,
      view: pictures,
      inspector: video && models.openInspector(video, evidence),
      keyframes: models.keyframesOf(video),
      observer: metrics.observer(id),
      sinks: [
        // The recent video is first: the others take their pictures from it.
        ...(video ? [video] : []),
        pictures,
        metrics.sink(id),
        ...(evidence ? [evidence] : []),
        ...(encoded?.recorder ? [clipSink(encoded.recorder)] : []),
        ...(plan.sink ? [plan.sink] : []),
      ],
    });
    this.#watch(session, video, evidence);
    return session;
  }

  #openEvidence(streamId: string, video: RecentVideo | undefined): EvidenceRecorder | undefined {
    const { storage, models, onError } = this.#deps;
    if (storage.evidence === undefined || video === undefined) return undefined;
    const { thread } = models.video;
    return new EvidenceRecorder({ streamId, store: storage.evidence, video, thread, onError });
  }

  #openSource(plan: StreamPlan, encoded: StreamClips | undefined, startS: number): Source {
    const { ffmpeg, live, sources } = this.#deps;
    return openOrFail(plan, () => {
      if (plan.open) return plan.open(startS);
      return openSource(parseSource(plan.source), {
        ffmpeg,
        openPublished: live.sourceOf(plan.id, encoded?.ring),
        mode: 'live',
        rtspTransport: plan.rtspTransport ?? sources?.rtspTransport ?? SOURCE_DEFAULTS.rtspTransport,
        stallMs: (sources?.stallS ?? SOURCE_DEFAULTS.stallS) * 1000,
        loop: plan.loop ?? false,
        startS,
        encoded: encoded?.ring,
      });
    });
  }

  #watch(session: StreamSession, video?: RecentVideo, evidence?: EvidenceRecorder): void {
    const { metrics } = this.#deps;
    const { id } = session;
    if (video) metrics.watchVideo(id, () => video.stats());
    if (evidence) metrics.watchEvidence(id, () => evidence.stats());
    if (session.forecastStats()) metrics.watchForecasts(id, () => session.forecastStats());
  }
}

/** The end of the stream also frees the memory of the recorder's video. */
function clipSink(recorder: NonNullable<StreamClips['recorder']>): DraftSink {
  return { add: (draft) => recorder.add(draft), settle: () => recorder.close() };
}
