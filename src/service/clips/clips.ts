import { Counter, Gauge, type Registry } from 'prom-client';
import type { PresageError } from '../../core/errors.js';
import { EncodedRing } from '../../ingest/encoded/encoded-ring.js';
import type { Archive } from '../../transport/archive/archive.js';
import { ClipStore } from '../../transport/archive/clip-store.js';
import { ClipRoutes } from '../../transport/http/clip-routes.js';
import type { DurableLog } from '../../transport/log/durable-log.js';
import type { Settings } from '../../cli/options/option-table.js';
import { ClipMaker } from './clip-maker.js';
import { ClipRecorder } from './clip-recorder.js';

const MB = 1e6;
const NOWHERE = { zones: {}, lines: {} };

export interface ClipsOptions {
  readonly log: DurableLog;
  readonly archive: Archive;
  readonly settings: Settings;
  readonly ffmpegPath: string;
  /** Age at which what is kept goes, ms. */
  readonly maxAgeMs: number;
  readonly registry: Registry;
  readonly onError: (error: PresageError) => void;
}

/** What one stream keeps of its original video. */
export interface StreamClips {
  readonly ring: EncodedRing;
  readonly recorder: ClipRecorder | undefined;
}

/** The original video of all streams of a service: rings in memory, parts around events on disk, clips from both. */
export class Clips {
  readonly routes: ClipRoutes;
  readonly #options: ClipsOptions;
  readonly #store: ClipStore | undefined;
  readonly #maker: ClipMaker;
  readonly #streams = new Map<string, StreamClips>();

  private constructor(options: ClipsOptions, store: ClipStore | undefined) {
    this.#options = options;
    this.#store = store;
    this.#maker = new ClipMaker({
      ffmpegPath: options.ffmpegPath,
      eventTime: (streamId, eventId) =>
        options.archive.queries(streamId, NOWHERE).events({ ids: [eventId] })[0]?.event.t,
    });
    this.routes = new ClipRoutes((request) => this.#maker.clip(request));
    this.#register(options.registry);
  }

  static async open(options: ClipsOptions): Promise<Clips> {
    const { log, settings, maxAgeMs, onError } = options;
    const { clipSeconds, clipsMb, data: folder } = settings;
    if (clipSeconds === 0 || clipsMb === 0) return new Clips(options, undefined);
    const store = new ClipStore(log, { folder, maxAgeMs, maxBytes: clipsMb * MB, onError });
    await store.tidy();
    return new Clips(options, store);
  }

  /** Begins to keep the video of a stream; undefined where none is wanted. A stream that comes again begins anew. */
  openStream(streamId: string): StreamClips | undefined {
    const { settings, onError } = this.#options;
    if (settings.clipSeconds === 0) return undefined;
    const ring = new EncodedRing({ seconds: settings.clipSeconds, maxBytes: settings.clipMb * MB });
    const recorder = this.#store && new ClipRecorder({ streamId, ring, store: this.#store, onError });
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
