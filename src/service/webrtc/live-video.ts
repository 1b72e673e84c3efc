import { PresageError } from '../../core/errors.js';
import type { EncodedSink } from '../../core/video/encoded-video.js';
import type { LiveVideoEngine } from '../../core/video/live-video.js';
import type { Source } from '../../core/source.js';
import type { ServerFeature } from '../../transport/http/feature.js';
import { LiveVideoFeature } from '../../transport/whip/live-video-feature.js';
import { streamIdSchema } from '../../transport/http/streams/stream-schemas.js';
import { PUBLISHED } from '../streams/api-sources.js';
import type { StreamRegistry } from '../streams/stream-registry.js';
import { createLiveVideoEngine, type EngineDeps, type WebrtcOptions } from './create-live-video-engine.js';
import { FrameListeners } from './frame-listeners.js';

/** WebRTC of a service: the engine, its routes, and the sources of published streams. */
export class LiveVideo implements AsyncDisposable {
  readonly listeners: FrameListeners;
  readonly #engine: LiveVideoEngine | undefined;

  private constructor(engine: LiveVideoEngine | undefined, listeners: FrameListeners) {
    this.#engine = engine;
    this.listeners = listeners;
  }

  /** @throws PresageError when the configured engine cannot be opened */
  static async open(options: WebrtcOptions, deps: Omit<EngineDeps, 'frames'>): Promise<LiveVideo> {
    const listeners = new FrameListeners();
    return new LiveVideo(await createLiveVideoEngine(options, { ...deps, frames: listeners }), listeners);
  }

  /** Routes of WHIP and WHEP for the streams of a registry; none where WebRTC is off. */
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

/** @returns a function that adds the stream if it does not exist. @throws PresageError `bad_request`, `conflict` */
function admitPublisher(streams: StreamRegistry, id: string): () => void {
  const plan = streams.planOf(id);
  if (plan && plan.source !== PUBLISHED) {
    throw new PresageError('conflict', `The source of the stream "${id}" is not a WebRTC publisher`);
  }
  if (!streamIdSchema.safeParse(id).success) {
    throw new PresageError(
      'bad_request',
      'The name of the stream is not a name of letters, digits, - and _ (64 at most)',
    );
  }
  return () => {
    // Two publishers may connect at the same time.
    if (!streams.find(id))
      streams.add({ id, source: PUBLISHED, origin: 'api', places: { zones: {}, lines: {} } });
  };
}
