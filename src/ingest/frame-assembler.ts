import { FramePool, type Frame, type I420Layout } from '../core/video/frame.js';
import type { PictureInfo } from './ffmpeg-log.js';
import type { MediaClock } from './media-clock.js';

export interface AssemblerOptions {
  readonly mode: 'live' | 'lossless';
  readonly capacity: number;
  readonly media: MediaClock;
}

/** A picture that is complete. */
export interface Picture {
  /** Media time, s. */
  readonly t: number;
  /** Presentation time as ffmpeg tells it, s; undefined when it has none. */
  readonly pts: number | undefined;
  readonly layout: I420Layout;
  /**
   * Hands it out, once; its receiver disposes it. Undefined when it was thrown away, since every buffer was in use.
   * @param receivedAtMs monotonic ms
   */
  lease(receivedAtMs: number): Frame | undefined;
}

/** What became of the bytes given to `push`. */
export interface Progress {
  /** How many were taken from the front. */
  readonly taken: number;
  /** The picture that they completed; lease it before the next `push`. */
  readonly picture?: Picture;
  /** What must come before more can be taken: the picture's time and size, or a free buffer. */
  readonly wait?: 'info' | Promise<void>;
}

/** Where the bytes of the picture now being read go; no pixels when it is thrown away. */
interface Target {
  readonly info: PictureInfo;
  readonly pool: FramePool;
  readonly pixels: Uint8Array<SharedArrayBuffer> | undefined;
  filled: number;
}

/**
 * Cuts ffmpeg's byte stream into frames. Times and sizes come on another pipe, through `describe`. Without a free buffer
 * a lossless stream waits, and a live one throws the picture away.
 */
export class FrameAssembler {
  readonly #options: AssemblerOptions;
  #infos: PictureInfo[] = [];
  #target: Target | undefined;
  #pools: FramePool[] = [];
  #index = 0;

  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  /** Frames leased and not yet disposed. */
  get liveFrames(): number {
    const taken = this.#target?.pixels === undefined ? 0 : 1;
    return this.#pools.reduce((sum, pool) => sum + pool.live, 0) - taken;
  }

  /** Pictures offered so far, thrown away ones included. */
  get delivered(): number {
    return this.#index;
  }

  describe(info: PictureInfo): void {
    this.#infos.push(info);
  }

  /**
   * Takes bytes until a picture is complete, the chunk is empty, or something must be waited for.
   * @param atMs when the bytes arrived, monotonic ms
   */
  push(chunk: Uint8Array, atMs: number): Progress {
    const info = this.#target?.info ?? this.#infos[0];
    if (!info) return { taken: 0, wait: 'info' };
    const target = (this.#target ??= this.#begin(info));
    if (!target) return { taken: 0, wait: this.#poolOf(info.layout).whenFree() };
    const taken = Math.min(chunk.length, info.layout.byteLength - target.filled);
    target.pixels?.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), target.filled);
    target.filled += taken;
    return target.filled < info.layout.byteLength
      ? { taken }
      : { taken, picture: this.#complete(target, atMs) };
  }

  /** Forgets the picture under way, as when the byte stream has ended. */
  reset(): void {
    if (this.#target?.pixels) this.#target.pool.putBack(this.#target.pixels);
    this.#target = undefined;
    this.#infos = [];
  }

  #begin(info: PictureInfo): Target | undefined {
    const pool = this.#poolOf(info.layout);
    const pixels = pool.take();
    if (!pixels && this.#options.mode === 'lossless') return undefined;
    this.#infos.shift();
    return { info, pool, pixels, filled: 0 };
  }

  #complete(target: Target, atMs: number): Picture {
    const { info, pool, pixels } = target;
    const index = this.#index;
    const t = this.#options.media.next(info.arrival ?? info.pts, atMs);
    this.#index += 1;
    const lease = (receivedAtMs: number): Frame | undefined => {
      // Until it is leased it is the target, so that `reset` gives its buffer back.
      if (this.#target !== target) return undefined;
      this.#target = undefined;
      return pixels && pool.lease(pixels, { index, t, receivedAtMs });
    };
    return { t, pts: info.pts, layout: info.layout, lease };
  }

  /** The pool for this size; pools of earlier sizes are kept only while frames of theirs are out. */
  #poolOf(layout: I420Layout): FramePool {
    const newest = this.#pools.at(-1);
    if (newest?.layout.width === layout.width && newest.layout.height === layout.height) return newest;
    const pool = new FramePool(layout, this.#options.capacity);
    this.#pools = [...this.#pools.filter(({ live }) => live > 0), pool];
    return pool;
  }
}
