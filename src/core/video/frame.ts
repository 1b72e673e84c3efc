/** Sizes of an I420 image: a full-size luma plane, then two chroma planes at half size (rounded up). */
export interface I420Layout {
  readonly width: number;
  readonly height: number;
  readonly chromaWidth: number;
  readonly chromaHeight: number;
  readonly ySize: number;
  readonly chromaSize: number;
  readonly byteLength: number;
}

/** The layout of an I420 image. @param width px @param height px */
export function i420Layout(width: number, height: number): I420Layout {
  const chromaWidth = (width + 1) >> 1;
  const chromaHeight = (height + 1) >> 1;
  const ySize = width * height;
  const chromaSize = chromaWidth * chromaHeight;
  return { width, height, chromaWidth, chromaHeight, ySize, chromaSize, byteLength: ySize + 2 * chromaSize };
}

/**
 * One picture, leased from a pool. The pixels (I420, BT.601 limited range) stay valid until the last lease is
 * disposed; then the buffer goes back to its pool and is overwritten. Workers read `pixels.buffer` without a copy.
 */
export interface Frame extends Disposable {
  /** Number of the frame among all that the source delivered, from 0, dropped ones included. */
  readonly index: number;
  /** Media time in seconds since the stream's first frame. */
  readonly t: number;
  /** Monotonic ms at which the frame's last byte arrived; the start of every latency figure. */
  readonly receivedAtMs: number;
  readonly layout: I420Layout;
  /** `layout.byteLength` bytes on a SharedArrayBuffer: Y, then U, then V. */
  readonly pixels: Uint8Array<SharedArrayBuffer>;
  /** Returns another lease on the same pixels; dispose it too. */
  retain(): Frame;
}

/** Number and times of a frame. */
export interface FrameMeta {
  readonly index: number;
  readonly t: number;
  readonly receivedAtMs: number;
}

/**
 * A bounded pool of equally sized frame buffers. The number of free buffers is the credit of the source: a lossless source
 * (`analyze`) waits for `whenFree()`; a live source drops its oldest waiting frame instead.
 */
export class FramePool {
  readonly layout: I420Layout;
  readonly capacity: number;
  #free: Uint8Array<SharedArrayBuffer>[] = [];
  #created = 0;
  #waiting: (() => void)[] = [];

  /** @param capacity maximum number of buffers, ≥ 1 */
  constructor(layout: I420Layout, capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity must be >= 1, was ${capacity}`);
    this.layout = layout;
    this.capacity = capacity;
  }

  /** Number of frames leased now. Not 0 after the end of a pipeline: a lease was not disposed. */
  get live(): number {
    return this.#created - this.#free.length;
  }

  /** Returns a free buffer to be filled and passed to `lease`, or undefined when all are in use. */
  take(): Uint8Array<SharedArrayBuffer> | undefined {
    const free = this.#free.pop();
    if (free) return free;
    if (this.#created >= this.capacity) return undefined;
    this.#created += 1;
    return new Uint8Array(new SharedArrayBuffer(this.layout.byteLength));
  }

  /** Returns a buffer of `take` that was never leased to the pool. */
  putBack(pixels: Uint8Array<SharedArrayBuffer>): void {
    this.#free.push(pixels);
    this.#waiting.shift()?.();
  }

  /** Resolves when a buffer may be free; check with `take` again. */
  whenFree(): Promise<void> {
    if (this.#free.length > 0 || this.#created < this.capacity) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Makes a frame of a filled buffer of `take`. The buffer returns to the pool after the last lease is disposed. */
  lease(pixels: Uint8Array<SharedArrayBuffer>, meta: FrameMeta): Frame {
    const shared = { leases: 0, release: () => this.putBack(pixels) };
    return new PooledFrame(this.layout, pixels, meta, shared);
  }
}

class PooledFrame implements Frame {
  readonly index: number;
  readonly t: number;
  readonly receivedAtMs: number;
  #disposed = false;

  constructor(
    readonly layout: I420Layout,
    readonly pixels: Uint8Array<SharedArrayBuffer>,
    private readonly meta: FrameMeta,
    private readonly shared: { leases: number; release: () => void },
  ) {
    this.index = meta.index;
    this.t = meta.t;
    this.receivedAtMs = meta.receivedAtMs;
    shared.leases += 1;
  }

  retain(): Frame {
    if (this.#disposed) throw new Error('a frame was retained after it had been disposed');
    return new PooledFrame(this.layout, this.pixels, this.meta, this.shared);
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.shared.leases -= 1;
    if (this.shared.leases === 0) this.shared.release();
  }
}
