import type { Clock } from '../core/clock.js';
import type { EncodedSink } from '../core/video/encoded-video.js';
import type { ArgumentOptions } from './ffmpeg-arguments.js';
import type { FfmpegSpec } from './source-spec.js';

/** How one source is read; `openSource` fills in what is left out. */
export interface FfmpegSourceOptions extends Omit<ArgumentOptions, 'copyEncoded' | 'inputFormat'> {
  readonly ffmpegPath: string;
  /** `live`: at the source's own pace, pictures without a free buffer are dropped. `lossless`: every picture, as fast as taken. */
  readonly mode: 'live' | 'lossless';
  /** Most frames leased at once. */
  readonly capacity: number;
  /** Play a file again and again. */
  readonly loop: boolean;
  /** Media time of the first picture, s. */
  readonly startS: number;
  /** Retries in a row before a network source or webcam is given up; Infinity never gives up. */
  readonly maxAttempts: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** Delay after the first refused login, ms; doubled up to `refusedRetryMaxMs`. */
  readonly refusedRetryBaseMs: number;
  readonly refusedRetryMaxMs: number;
  /** Takes the video as it is encoded, where it is wanted. */
  readonly encoded?: EncodedSink | undefined;
  /** Waits until there is something to read, before each run. Without it, the source is there or fails. */
  readonly prepare?: ((signal: AbortSignal) => Promise<PreparedRun>) | undefined;
  readonly clock?: Clock;
}

/** What one run of the decoder reads. */
export interface PreparedRun {
  readonly spec: FfmpegSpec;
  /** Aborted when what is read has ended: the run ends, and the next is prepared. */
  readonly ended: AbortSignal;
  /** The first picture came. */
  readonly onLive?: () => void;
  /** The run is over. */
  release(): void;
}
