import type { Frame, I420Layout } from '../../core/video/frame.js';
import type { Span } from '../../core/records/records.js';
import type { PictureThread } from './picture-thread.js';

export interface RecentVideoOptions {
  /** Makes the JPEGs; its owner closes it, after the stream has ended. */
  readonly thread: Pick<PictureThread, 'encode'>;
  /** Length of the stored video, media seconds. Default 20. */
  readonly seconds?: number;
  /** Pictures kept per media second. Default 5. */
  readonly fps?: number;
  /** Memory limit of pictures and staging buffers, bytes. Default 32 MB. */
  readonly maxBytes?: number;
}

/** One kept picture, in the full resolution of its stream. */
export interface VideoPicture {
  /** Media time, s. */
  readonly t: number;
  readonly layout: I420Layout;
  /** Undefined when it could not be made. */
  readonly jpeg: Promise<Uint8Array | undefined>;
}

export interface RecentVideoStats {
  /** At present. */
  readonly pictures: number;
  /** At present: JPEGs and staging buffers. */
  readonly bytes: number;
  /** Pictures made so far. */
  readonly encoded: number;
  /** Pictures that went because of their age or of the budget, so far. */
  readonly evicted: Readonly<Record<'age' | 'budget', number>>;
  /** Frames that were due and not kept, so far. */
  readonly dropped: Readonly<Record<'encoder_busy' | 'failed', number>>;
  /** Of the worker, for one picture, mean so far, ms; 0 before the first. */
  readonly encodeMs: number;
}

export const VIDEO_DEFAULTS = { seconds: 20, fps: 5, maxBytes: 32e6 } as const;
/** Frames that may be on their way to the worker: the next is dropped. At 5 a second, 0.4 s. */
const STAGING = 2;

interface Kept extends VideoPicture {
  /** Of the JPEG; 0 until it is made. */
  bytes: number;
}

/**
 * The last seconds of a stream as JPEGs in full resolution: input of inspections and of pictures of events. The frames come
 * from. A frame is copied when it is due (its lease is not held) and made a JPEG by a worker; when that cannot keep up,
 * frames are dropped and counted. Bounded in time and bytes; the oldest go.
 */
export class RecentVideo {
  readonly #options: Required<RecentVideoOptions>;
  /** Oldest first. */
  readonly #kept: Kept[] = [];
  readonly #free: Uint8Array<SharedArrayBuffer>[] = [];
  readonly #encoding = new Set<Promise<unknown>>();
  readonly #dropped = { encoder_busy: 0, failed: 0 };
  readonly #evicted = { age: 0, budget: 0 };
  #staged = 0;
  #stagingBytes = 0;
  #jpegBytes = 0;
  #encoded = 0;
  #encodeMs = 0;
  #nextT = -Infinity;

  constructor(options: RecentVideoOptions) {
    this.#options = { ...VIDEO_DEFAULTS, ...options };
  }

  /** Stores the frame if one is due; it is not used after the call. */
  addFrame(frame: Frame): void {
    const { fps, seconds } = this.#options;
    // A tenth of the step is tolerated: media times are rounded.
    if (frame.t < this.#nextT - 0.1 / fps) return;
    this.#nextT = frame.t + 1 / fps;
    const staged = this.#stage(frame);
    if (staged === undefined) {
      this.#dropped.encoder_busy += 1;
      return;
    }
    const { layout, t } = frame;
    const made = this.#options.thread
      .encode(staged, layout)
      .finally(() => this.#unstage(staged))
      .then(
        ({ jpeg, ms }) => {
          this.#encoded += 1;
          this.#encodeMs += ms;
          this.#weigh(kept, jpeg.byteLength);
          return jpeg;
        },
        () => {
          // The worker reports its crash itself; without the picture this moment cannot be inspected.
          this.#dropped.failed += 1;
          this.#remove(kept);
          return undefined;
        },
      );
    const kept: Kept = { t, layout, jpeg: made, bytes: 0 };
    this.#kept.push(kept);
    this.#evict('age', () => (this.#kept[0]?.t ?? t) < t - seconds);
    this.#encoding.add(made);
    void made.then(() => this.#encoding.delete(made));
  }

  /** From the oldest kept picture to the newest. */
  get extent(): Span | undefined {
    const [first, last] = [this.#kept[0], this.#kept.at(-1)];
    return first && last && { from: first.t, to: last.t };
  }

  /** The newest kept picture, which may still be in the making. */
  get newest(): VideoPicture | undefined {
    return this.#kept.at(-1);
  }

  /** The kept picture nearest to a media time, at most `withinS` from it. */
  near(t: number, withinS: number): VideoPicture | undefined {
    let best: Kept | undefined;
    for (const one of this.#kept) {
      if (best === undefined || Math.abs(one.t - t) < Math.abs(best.t - t)) best = one;
    }
    return best && Math.abs(best.t - t) <= withinS ? best : undefined;
  }

  /** Kept pictures of a span, oldest first. */
  between({ from, to }: Span): readonly VideoPicture[] {
    return this.#kept.filter(({ t }) => t >= from && t <= to);
  }

  /** Resolves when nothing is on its way to the worker. */
  async settle(): Promise<void> {
    await Promise.all(this.#encoding);
  }

  stats(): RecentVideoStats {
    return {
      pictures: this.#kept.length,
      bytes: this.#jpegBytes + this.#stagingBytes,
      encoded: this.#encoded,
      evicted: { ...this.#evicted },
      dropped: { ...this.#dropped },
      encodeMs: this.#encoded === 0 ? 0 : this.#encodeMs / this.#encoded,
    };
  }

  #stage({ pixels, layout: { byteLength } }: Frame): Uint8Array<SharedArrayBuffer> | undefined {
    if (this.#staged >= STAGING) return undefined;
    const spare = this.#free.pop();
    const fits = spare?.byteLength === byteLength;
    if (spare && !fits) this.#stagingBytes -= spare.byteLength;
    const buffer = spare && fits ? spare : new Uint8Array(new SharedArrayBuffer(byteLength));
    if (!fits) this.#stagingBytes += byteLength;
    buffer.set(pixels.subarray(0, byteLength));
    this.#staged += 1;
    return buffer;
  }

  #unstage(buffer: Uint8Array<SharedArrayBuffer>): void {
    this.#staged -= 1;
    this.#free.push(buffer);
  }

  /** Counts the bytes of a picture that is there now; one that has gone meanwhile weighs nothing. */
  #weigh(kept: Kept, bytes: number): void {
    if (!this.#kept.includes(kept)) return;
    kept.bytes = bytes;
    this.#jpegBytes += bytes;
    const { maxBytes } = this.#options;
    this.#evict('budget', () => this.#jpegBytes + this.#stagingBytes > maxBytes);
  }

  #evict(reason: 'age' | 'budget', isOver: () => boolean): void {
    while (this.#kept.length > 0 && isOver()) {
      this.#remove(this.#kept[0]);
      this.#evicted[reason] += 1;
    }
  }

  #remove(kept: Kept | undefined): void {
    const at = kept === undefined ? -1 : this.#kept.indexOf(kept);
    if (at < 0) return;
    this.#jpegBytes -= this.#kept[at]?.bytes ?? 0;
    this.#kept.splice(at, 1);
  }
}
