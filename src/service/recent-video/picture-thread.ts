import type { PxRegion } from '../../core/image/crop-i420.js';
import { entryPath } from '../../core/entry-path.js';
import type { I420Layout } from '../../core/video/frame.js';
import type { MarkedObject } from '../../render/overlay/draw-mark.js';
import { ThreadQueue } from '../../model/runtime/thread-queue.js';
import type { CutAnswer, JpegAnswer, PictureAnswer, PictureWork } from './picture-protocol.js';

/** A picture takes some ten milliseconds; a whole machine that hangs gets this long. */
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * One worker that makes and reads JPEGs for all streams of a process. Calls reject with PresageError: `internal` (what was
 * to be read is no picture), `worker_crashed` (retryable), `interrupted`.
 */
export class PictureThread implements AsyncDisposable {
  readonly #thread: ThreadQueue<PictureWork, PictureAnswer>;

  private constructor(thread: ThreadQueue<PictureWork, PictureAnswer>) {
    this.#thread = thread;
  }

  /** @throws PresageError `worker_crashed` when the worker cannot start */
  static async open(): Promise<PictureThread> {
    const thread = new ThreadQueue<PictureWork, PictureAnswer>({
      role: 'picture',
      entry: entryPath(import.meta.url, './picture-worker'),
      workerData: undefined,
      timeoutMs: ANSWER_TIMEOUT_MS,
      deadHint: 'start presage again; if it stays, report the recording it happens with',
    });
    await thread.start();
    return new PictureThread(thread);
  }

  /** @param pixels I420, not to be written to until the promise settles */
  async encode(pixels: Uint8Array<SharedArrayBuffer>, { width, height }: I420Layout): Promise<JpegAnswer> {
    return (await this.#thread.run({ type: 'encode', pixels, width, height })) as JpegAnswer;
  }

  /** A part of a JPEG as I420. */
  async cut(jpeg: Uint8Array, region: PxRegion): Promise<Uint8Array<SharedArrayBuffer>> {
    return ((await this.#thread.run({ type: 'cut', jpeg, region })) as CutAnswer).pixels;
  }

  /** A part of a JPEG as JPEG. */
  async crop(jpeg: Uint8Array, region: PxRegion): Promise<Uint8Array> {
    return ((await this.#thread.run({ type: 'crop', jpeg, region })) as JpegAnswer).jpeg;
  }

  /**
   * A JPEG scaled down to a limit, with the boxes and names of objects drawn on it.
   * @param maxSidePx limit of the longer side; smaller pictures keep their size
   */
  async mark(jpeg: Uint8Array, maxSidePx: number, objects: readonly MarkedObject[]): Promise<Uint8Array> {
    return ((await this.#thread.run({ type: 'mark', jpeg, maxSidePx, objects })) as JpegAnswer).jpeg;
  }

  /** Idempotent. Open calls reject with `interrupted`. */
  close(): Promise<void> {
    return this.#thread.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
