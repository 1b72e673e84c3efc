import type { StillPerception, VideoInspector } from '../../core/inspection.js';
import { InspectionQueue, type InspectionQueueStats } from './inspection-queue.js';
import { PictureThread } from './picture-thread.js';
import { RecentVideo, VIDEO_DEFAULTS } from './recent-video.js';
import { RecentVideoInspector, type RecentVideoInspectorOptions } from './video-inspector.js';

/** Video stored for pictures of events only, s: an event is published about a second after it happened. */
const PICTURES_S = 4;
const MB = 1e6;

/** Options of the recent video that each stream stores for inspections and pictures. */
export interface SharedVideoOptions {
  /** Recent video per stream, media seconds; 0 turns inspections off. Default 20. */
  readonly seconds?: number | undefined;
  /** Pictures stored per media second. Default 5. */
  readonly fps?: number | undefined;
  /** Memory limit per stream, MB; the oldest pictures are discarded. Default 32. */
  readonly mb?: number | undefined;
}

/** Worker and queue shared by all streams of a process to store and inspect recent video. Closed after the streams. */
export class SharedVideo implements AsyncDisposable {
  readonly thread: PictureThread;
  readonly #seconds: number;
  readonly #fps: number;
  readonly #maxBytes: number;
  readonly #queue = new InspectionQueue();

  private constructor({ seconds, fps, mb }: SharedVideoOptions, thread: PictureThread) {
    this.#seconds = seconds ?? VIDEO_DEFAULTS.seconds;
    this.#fps = fps ?? VIDEO_DEFAULTS.fps;
    this.#maxBytes = mb === undefined ? VIDEO_DEFAULTS.maxBytes : mb * MB;
    this.thread = thread;
  }

  /** @throws PresageError `worker_crashed` */
  static async open(options: SharedVideoOptions = {}): Promise<SharedVideo> {
    return new SharedVideo(options, await PictureThread.open());
  }

  /**
   * The recent video of one stream; undefined where it has no use.
   * @param uses `inspections`: length as configured, or all of the recording; `pictures`: pictures of events
   */
  openVideo(uses: VideoUses): RecentVideo | undefined {
    const inspected =
      this.#seconds === 0 ? 0 : { none: 0, recent: this.#seconds, all: Infinity }[uses.inspections];
    const seconds = uses.pictures ? Math.max(inspected, PICTURES_S) : inspected;
    if (seconds === 0) return undefined;
    return new RecentVideo({ thread: this.thread, seconds, fps: this.#fps, maxBytes: this.#maxBytes });
  }

  /** Inspects the video of a stream; undefined where inspections are off. */
  openInspector(
    video: RecentVideo,
    stills: StillPerception,
    keep?: RecentVideoInspectorOptions['keep'],
  ): VideoInspector | undefined {
    if (this.#seconds === 0) return undefined;
    return new RecentVideoInspector({ video, stills, keep, thread: this.thread, queue: this.#queue });
  }

  stats(): InspectionQueueStats {
    return this.#queue.stats();
  }

  close(): Promise<void> {
    return this.thread.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Uses of the recent video of a stream. */
export interface VideoUses {
  readonly inspections: 'none' | 'recent' | 'all';
  readonly pictures: boolean;
}
