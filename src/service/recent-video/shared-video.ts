import type { StillPerception, VideoInspector } from '../../core/inspection.js';
import type { Settings } from '../../cli/options/option-table.js';
import { InspectionQueue, type InspectionQueueStats } from './inspection-queue.js';
import { PictureThread } from './picture-thread.js';
import { RecentVideo } from './recent-video.js';
import { RecentVideoInspector, type RecentVideoInspectorOptions } from './video-inspector.js';

/** Of video that is not looked at again, this much is kept: an event is told about a second after it happened. */
const PICTURES_S = 4;
const MB = 1e6;

type VideoSettings = Pick<Settings, 'videoSeconds' | 'videoFps' | 'videoMb'>;

/** What all streams of a process share to keep recent video and to look at it again. Closed after the streams. */
export class SharedVideo implements AsyncDisposable {
  readonly thread: PictureThread;
  readonly #settings: VideoSettings;
  readonly #queue = new InspectionQueue();

  private constructor(settings: VideoSettings, thread: PictureThread) {
    this.#settings = settings;
    this.thread = thread;
  }

  /** @throws PresageError `worker_crashed` */
  static async open(settings: VideoSettings): Promise<SharedVideo> {
    return new SharedVideo(settings, await PictureThread.open());
  }

  /**
   * The recent video of one stream; undefined where nobody uses it.
   * @param uses what it is for
   */
  openVideo(uses: { readonly looks: boolean; readonly pictures: boolean }): RecentVideo | undefined {
    const { videoSeconds, videoFps, videoMb } = this.#settings;
    const looked = uses.looks ? videoSeconds : 0;
    const seconds = uses.pictures ? Math.max(looked, PICTURES_S) : looked;
    if (seconds === 0) return undefined;
    return new RecentVideo({ thread: this.thread, seconds, fps: videoFps, maxBytes: videoMb * MB });
  }

  /** Looks at it; undefined where the settings want none. */
  openInspector(
    video: RecentVideo,
    stills: StillPerception,
    keep?: RecentVideoInspectorOptions['keep'],
  ): VideoInspector | undefined {
    if (this.#settings.videoSeconds === 0) return undefined;
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
