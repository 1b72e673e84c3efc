import type { StillPerception, VideoLooks } from '../../core/inspection.js';
import type { Settings } from '../../cli/options/option-table.js';
import { LookDesk, type LookDeskStats } from './inspection-queue.js';
import { PictureThread } from './picture-thread.js';
import { RecentVideo } from './recent-video.js';
import { VideoLooker, type VideoLookerOptions } from './video-inspector.js';

/** Of video that is not looked at again, this much is kept: an event is told about a second after it happened. */
const PICTURES_S = 4;
const MB = 1e6;

type VideoSettings = Pick<Settings, 'videoSeconds' | 'videoFps' | 'videoMb'>;

/** What all streams of a process share to keep recent video and to look at it again. Closed after the streams. */
export class VideoDesk implements AsyncDisposable {
  readonly thread: PictureThread;
  readonly #settings: VideoSettings;
  readonly #desk = new LookDesk();

  private constructor(settings: VideoSettings, thread: PictureThread) {
    this.#settings = settings;
    this.thread = thread;
  }

  /** @throws PresageError `worker_crashed` */
  static async open(settings: VideoSettings): Promise<VideoDesk> {
    return new VideoDesk(settings, await PictureThread.open());
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
  openLooks(
    video: RecentVideo,
    stills: StillPerception,
    keep?: VideoLookerOptions['keep'],
  ): VideoLooks | undefined {
    if (this.#settings.videoSeconds === 0) return undefined;
    return new VideoLooker({ video, stills, keep, thread: this.thread, desk: this.#desk });
  }

  stats(): LookDeskStats {
    return this.#desk.stats();
  }

  close(): Promise<void> {
    return this.thread.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
