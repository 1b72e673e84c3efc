import { PresageError } from '../../core/errors.js';
import type { EncodedSink } from '../../core/video/encoded-video.js';
import type { LiveVideoEngine } from '../../core/video/live-video.js';
import type { Source } from '../../core/source.js';
import type { ServerFeature } from '../../transport/http/feature.js';
import { LiveVideoFeature } from '../../transport/whip/live-video-feature.js';
import { OPTIONS, type Settings } from '../../cli/options/option-table.js';
import type { StreamRegistry } from '../streams/stream-registry.js';
import { createLiveVideoEngine } from './create-live-video-engine.js';
import { FrameListeners } from './frame-listeners.js';

/** Source of a stream that is published by WHIP. */
const PUBLISHED = 'webrtc:';

/** WebRTC of a service: its engine, its routes, and what joins both to the streams. */
export class LiveVideo implements AsyncDisposable {
  readonly taps: FrameListeners;
  readonly #engine: LiveVideoEngine | undefined;

  private constructor(engine: LiveVideoEngine | undefined, taps: FrameListeners) {
    this.#engine = engine;
    this.taps = taps;
  }

  /** @throws PresageError when the engine of the settings cannot be opened */
  static async open(settings: Settings, onError: (error: PresageError) => void): Promise<LiveVideo> {
    const taps = new FrameListeners();
    return new LiveVideo(await createLiveVideoEngine(settings, { frames: taps, onError }), taps);
  }

  /** WHIP and WHEP for the streams of a registry; none where WebRTC is off. */
  features(streams: StreamRegistry): ServerFeature[] {
    const engine = this.#engine;
    if (!engine) return [];
    return [
      new LiveVideoFeature({
        engine,
        hasStream: (id) => streams.find(id) !== undefined,
        admitPublisher: (id) => admitPublisher(streams, id),
      }),
    ];
  }

  /** Opens the source of a published stream; undefined where WebRTC is off. */
  sourceOf(streamId: string, encoded: EncodedSink | undefined): ((startS: number) => Source) | undefined {
    const engine = this.#engine;
    return engine && ((startS) => engine.openPublished(streamId, { startS, encoded }));
  }

  async close(): Promise<void> {
    await this.#engine?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @returns what makes the stream where there is none. @throws PresageError `bad_request`, `conflict` */
function admitPublisher(streams: StreamRegistry, id: string): () => void {
  const plan = streams.planOf(id);
  if (plan && plan.source !== PUBLISHED) {
    throw new PresageError('conflict', `The stream "${id}" has another source than a publisher`);
  }
  if (!OPTIONS.id.schema.safeParse(id).success) {
    throw new PresageError('bad_request', `The name of the stream is not ${OPTIONS.id.expected}`);
  }
  return () => {
    // Two publishers may have come at once.
    if (!streams.find(id))
      streams.add({ id, source: PUBLISHED, origin: 'api', places: { zones: {}, lines: {} } });
  };
}
