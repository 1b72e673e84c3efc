import { Counter, Gauge, type Registry } from 'prom-client';
import type { PresageError } from '../../core/errors.js';
import { EncodedRing } from '../../ingest/encoded/encoded-ring.js';
import type { Archive } from '../../transport/archive/archive.js';
import type { ClipStore } from '../../transport/archive/clip-store.js';
import { ClipRoutes } from '../../transport/http/clip-routes.js';
import { ClipMaker } from './clip-maker.js';
import { ClipRecorder } from './clip-recorder.js';

const MB = 1e6;
const NOWHERE = { zones: {}, lines: {} };

/** Options of the original video that is stored for clips. */
export interface ClipOptions {
  /** Original video per stream in memory, s; 0 turns clips off. Default 30. */
  readonly seconds?: number | undefined;
  /** Memory limit of this video per stream, MB; the oldest is discarded. Default 32. */
  readonly mb?: number | undefined;
}

const CLIP_DEFAULTS = { seconds: 30, mb: 32 } as const;

export interface ClipsDeps {
  readonly options?: ClipOptions | undefined;
  readonly archive: Archive;
  /** Stores the video around events; undefined: clips are made from memory only. */
  readonly store: ClipStore | undefined;
  readonly ffmpegPath: string;
  readonly registry: Registry;
  readonly onError: (error: PresageError) => void;
}

/** The original video of one stream. */
export interface StreamClips {
  readonly ring: EncodedRing;
  readonly recorder: ClipRecorder | undefined;
}

/** The original video of all streams of a service: rings in memory, parts around events on disk, clips from both. */
export class Clips {
  readonly routes: ClipRoutes;
  readonly #deps: ClipsDeps;
  readonly #seconds: number;
  readonly #mb: number;
  readonly #maker: ClipMaker;
  readonly #streams = new Map<string, StreamClips>();

  constructor(deps: ClipsDeps) {
    this.#deps = deps;
    this.#seconds = deps.options?.seconds ?? CLIP_DEFAULTS.seconds;
    this.#mb = deps.options?.mb ?? CLIP_DEFAULTS.mb;
    this.#maker = new ClipMaker({
      ffmpegPath: deps.ffmpegPath,
      eventTime: (streamId, eventId) =>
        deps.archive.queries(streamId, NOWHERE).events({ ids: [eventId] })[0]?.event.t,
    });
    this.routes = new ClipRoutes((request) => this.#maker.clip(request));
    this.#register(deps.registry);
  }

  /**
   * Starts to store the video of a stream; a stream that is opened again starts empty. Undefined where clips are off.
   */
  openStream(streamId: string): StreamClips | undefined {
    if (this.#seconds === 0) return undefined;
    const { store, onError } = this.#deps;
    const ring = new EncodedRing({ seconds: this.#seconds, maxBytes: this.#mb * MB });
    const recorder = store && new ClipRecorder({ streamId, ring, store, onError });
    this.#maker.watch(streamId, { ring, recorder });
    this.#streams.set(streamId, { ring, recorder });
    return { ring, recorder };
  }

  #register(registry: Registry): void {
    const streams = this.#streams;
    new Gauge({
      name: 'presage_clip_ring_bytes',
      help: 'Memory that the original video kept for clips takes',
      labelNames: ['stream'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [stream, { ring }] of streams) this.set({ stream }, ring.stats().bytes);
      },
    });
    new Counter({
      name: 'presage_clip_dropped_total',
      help: 'Original video that was not kept, by reason: frames of the ring, parts for the data folder',
      labelNames: ['stream', 'reason'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [stream, { ring, recorder }] of streams) {
          const dropped = { ...ring.stats().dropped, ...recorder?.stats().dropped };
          for (const [reason, count] of Object.entries(dropped)) this.inc({ stream, reason }, count);
        }
      },
    });
    new Counter({
      name: 'presage_clip_evicted_total',
      help: 'Groups of pictures that went from memory, by reason',
      labelNames: ['stream', 'reason'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [stream, { ring }] of streams) {
          for (const [reason, count] of Object.entries(ring.stats().evicted))
            this.inc({ stream, reason }, count);
        }
      },
    });
  }
}
