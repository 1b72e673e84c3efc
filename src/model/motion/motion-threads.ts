import { entryPath } from '../../core/entry-path.js';
import { toPresageError } from '../../core/errors.js';
import type { Frame } from '../../core/video/frame.js';
import type { MotionForget, MotionReport, MotionWork } from './motion-protocol.js';
import { ThreadQueue } from '../runtime/thread-queue.js';

export interface MotionThreadsOptions {
  /** Compiled worker to run; for tests. */
  readonly entry?: string;
  /** A worker that exceeds this time for a picture is terminated, which counts as a crash. Default 30 s. */
  readonly timeoutMs?: number;
  /** Waits before a crashed worker is restarted; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** The part of a frame that motion reads. */
type MotionPicture = Pick<Frame, 'pixels' | 'layout' | 't'>;

type MotionThread = ThreadQueue<MotionWork, MotionReport>;

/** Motion of one stream. */
export interface StreamMotion {
  /**
   * Frames must arrive in order; results settle in order. Undefined when the worker crashed on this frame or stays dead:
   * perception then uses the detector alone.
   * @throws {PresageError} interrupted — closed
   */
  analyze(frame: MotionPicture): Promise<MotionReport | undefined>;
  /** Releases the stream's background. Call after the last call of `analyze` has settled. */
  close(): void;
}

export interface MotionStats {
  readonly workers: number;
  readonly alive: number;
  readonly streams: number;
  readonly crashes: number;
  /** Number of frames without a result of motion. */
  readonly lost: number;
}

/** A frame takes a few milliseconds: two threads serve dozens of streams, and leave the cores to the detector. */
const THREADS = 2;
/** Default timeout of a picture, which takes milliseconds: allows for an overloaded machine. */
const ANSWER_TIMEOUT_MS = 30_000;

/** The motion workers of a process. A stream stays on one worker, which stores its background. */
export class MotionThreads implements AsyncDisposable {
  readonly #threads: readonly MotionThread[];
  readonly #load: number[];
  #opened = 0;
  #lost = 0;

  private constructor({ entry, timeoutMs = ANSWER_TIMEOUT_MS, sleep }: MotionThreadsOptions) {
    this.#threads = Array.from(
      { length: THREADS },
      () =>
        new ThreadQueue({
          role: 'motion',
          entry: entry ?? entryPath(import.meta.url, './motion-worker'),
          workerData: undefined,
          timeoutMs,
          sleep,
          deadHint: 'start presage again; if the crash recurs, report it with the recording',
        }),
    );
    this.#load = this.#threads.map(() => 0);
  }

  /** @throws {PresageError} worker_crashed — a worker cannot start */
  static async open(options: MotionThreadsOptions = {}): Promise<MotionThreads> {
    const all = new MotionThreads(options);
    try {
      await Promise.all(all.#threads.map((thread) => thread.start()));
    } catch (thrown) {
      await all.close();
      throw thrown;
    }
    return all;
  }

  /** Opens a stream on the thread with the fewest streams. */
  openStream(): StreamMotion {
    const index = this.#load.indexOf(Math.min(...this.#load));
    const thread = this.#threads[index] as MotionThread;
    const stream = this.#opened;
    this.#opened += 1;
    this.#load[index] = (this.#load[index] ?? 0) + 1;
    let open = true;
    return {
      analyze: (frame) => this.#analyze(thread, stream, frame),
      close: () => {
        if (!open) return;
        open = false;
        this.#load[index] = (this.#load[index] ?? 1) - 1;
        thread.post({ type: 'forget', stream } satisfies MotionForget);
      },
    };
  }

  stats(): MotionStats {
    return {
      workers: this.#threads.length,
      alive: this.#threads.filter(({ state }) => state !== 'dead').length,
      streams: this.#load.reduce((sum, streams) => sum + streams, 0),
      crashes: this.#threads.reduce((sum, { crashes }) => sum + crashes, 0),
      lost: this.#lost,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #analyze(
    thread: MotionThread,
    stream: number,
    frame: MotionPicture,
  ): Promise<MotionReport | undefined> {
    const { pixels, layout, t } = frame;
    try {
      const { width, height } = layout;
      return await thread.run({ type: 'analyze', stream, pixels, width, height, t });
    } catch (thrown) {
      const error = toPresageError(thrown, 'inference_failed');
      if (error.code === 'interrupted') throw error;
      this.#lost += 1;
      return undefined;
    }
  }
}
