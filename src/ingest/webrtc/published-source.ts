import { Observable, ReplaySubject, type Subscriber } from 'rxjs';
import { systemClock, type Clock } from '../../core/clock.js';
import { PresageError } from '../../core/errors.js';
import { i420Layout, type Frame } from '../../core/video/frame.js';
import type { Source, SourceState, SourceStats, VideoFormat } from '../../core/source.js';
import { FrameAssembler } from '../frame-assembler.js';
import { MediaClock } from '../media-clock.js';
import { fitWithin, I420Shrinker } from './i420-shrinker.js';

export interface PublishedSourceOptions {
  readonly streamId: string;
  /** Media time of the first frame, s. */
  readonly startS: number;
  /** A publisher that sends no picture for this long has stalled, ms. */
  readonly stallMs: number;
  /** Frames in memory. Default 8, as of other sources. */
  readonly capacity?: number;
  /** Larger pictures are scaled down to fit, px. Default 1920 × 1080. */
  readonly maxWidth?: number;
  readonly maxHeight?: number;
  readonly clock?: Clock;
}

/** A picture as a publisher's decoder gives it. */
export interface PublishedPicture {
  readonly width: number;
  readonly height: number;
  /** I420. */
  readonly data: Uint8Array;
}

/** A change of size is told at most this often: congestion control may change it with every picture, ms. */
const FORMAT_INTERVAL_MS = 2000;

/**
 * The pictures of whoever publishes a stream. Their time is when they came, since the library tells no timestamps: media
 * time goes on with the wall clock while nobody publishes, and strictly increases over publishers' comings and goings.
 */
export class PublishedSource implements Source {
  readonly name = 'webrtc:';
  readonly duration = undefined;
  readonly frame$: Observable<Frame>;
  readonly state$ = new ReplaySubject<SourceState>(1);
  readonly #options: PublishedSourceOptions;
  readonly #clock: Clock;
  readonly #media: MediaClock;
  readonly #frames: FrameAssembler;
  readonly #shrinker: I420Shrinker;
  readonly #onClose: () => void;
  #subscriber: Subscriber<Frame> | undefined;
  #format: VideoFormat | undefined;
  #toldAtMs = 0;
  #live = false;
  #present = false;
  #lastAtMs = 0;
  #watchdog: NodeJS.Timeout | undefined;
  #dropped: Record<string, number> = {};
  #reconnects = 0;
  #closed = false;

  constructor(options: PublishedSourceOptions, onClose: () => void) {
    this.#options = options;
    this.#onClose = onClose;
    this.#clock = options.clock ?? systemClock;
    this.#media = new MediaClock(options.startS);
    const { capacity = 8, maxWidth = 1920, maxHeight = 1080 } = options;
    this.#frames = new FrameAssembler({ mode: 'live', capacity, media: this.#media });
    this.#shrinker = new I420Shrinker(maxWidth, maxHeight);
    this.frame$ = new Observable((subscriber) => {
      if (this.#subscriber || this.#closed) {
        const what = this.#closed ? 'is closed' : 'can be read once only';
        subscriber.error(new PresageError('source_closed', `${this.name} ${what}`));
        return undefined;
      }
      this.#subscriber = subscriber;
      this.state$.next({ state: 'connecting', attempt: 0 });
      return () => void this.close();
    });
  }

  get liveFrames(): number {
    return this.#frames.liveFrames;
  }

  stats(): SourceStats {
    return {
      delivered: this.#frames.delivered,
      dropped: { ...this.#dropped },
      clockJumps: this.#media.jumps,
      reconnects: this.#reconnects,
    };
  }

  /** A publisher has connected; its pictures follow. */
  begin(): void {
    this.#present = true;
    this.#lastAtMs = this.#clock.nowMs();
    this.#watchdog ??= setInterval(() => this.#watch(), Math.min(1000, this.#options.stallMs / 4)).unref();
  }

  /** Takes a picture; copies it before it returns. */
  take(picture: PublishedPicture, codec: string): void {
    const subscriber = this.#subscriber;
    if (!subscriber || this.#closed) return;
    const atMs = this.#clock.nowMs();
    if (!this.#present) this.begin();
    this.#lastAtMs = atMs;
    const size = fitWithin(picture, this.#shrinker);
    const layout = i420Layout(size.width, size.height);
    if (picture.data.byteLength !== i420Layout(picture.width, picture.height).byteLength) {
      this.#drop('malformed');
      return;
    }
    this.#tell({ width: size.width, height: size.height, fps: 0, codec }, atMs);
    this.#frames.describe({ pts: atMs / 1000, layout });
    const done = this.#frames.push(this.#shrinker.shrink(picture), atMs).picture;
    const frame = done?.lease(atMs);
    if (!frame) this.#drop('no_buffer');
    else if (subscriber.closed) frame[Symbol.dispose]();
    else subscriber.next(frame);
  }

  /** The publisher has gone. */
  lose(reason: string): void {
    this.#present = false;
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
    this.#interrupt(new PresageError('source_unreachable', `${this.name} ${reason}`, { retryable: true }));
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    clearInterval(this.#watchdog);
    this.state$.next({ state: 'ended' });
    this.state$.complete();
    this.#subscriber?.complete();
    this.#onClose();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #watch(): void {
    const { stallMs } = this.#options;
    if (!this.#live || this.#clock.nowMs() - this.#lastAtMs < stallMs) return;
    const message = `${this.name} no picture for ${stallMs / 1000} s`;
    const hint = 'check that the publisher still sends';
    this.#interrupt(new PresageError('source_stalled', message, { retryable: true, hint }));
  }

  #interrupt(error: PresageError): void {
    if (!this.#live || this.#closed) return;
    this.#live = false;
    this.#reconnects += 1;
    this.#media.restart('wall');
    this.#frames.reset();
    this.state$.next({ state: 'reconnecting', error, attempt: 1, delayMs: 0 });
  }

  #tell(format: VideoFormat, atMs: number): void {
    const was = this.#format;
    const same = was?.width === format.width && was.height === format.height && was.codec === format.codec;
    if (this.#live && (same || atMs - this.#toldAtMs < FORMAT_INTERVAL_MS)) return;
    this.#live = true;
    this.#format = format;
    this.#toldAtMs = atMs;
    this.state$.next({ state: 'live', format });
  }

  #drop(reason: string): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
  }
}
