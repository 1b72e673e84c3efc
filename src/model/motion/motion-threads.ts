import { entryPath } from '../../core/entry-path.js';
import { toPresageError } from '../../core/errors.js';
import type { Frame } from '../../core/video/frame.js';
import type { MotionForget, MotionReport, MotionWork } from './motion-protocol.js';
import { ThreadQueue } from '../runtime/thread-queue.js';

export interface MotionThreadsOptions {
  /** Compiled worker to run; for tests. */
  readonly entry?: string;
  /** A worker that takes longer than this for a picture is terminated, which counts as a crash. Default 30 s. */
  readonly timeoutMs?: number;
  /** Waits before a crashed worker is started again; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** The part of a frame that motion reads. */
type MotionPicture = Pick<Frame, 'pixels' | 'layout' | 't'>;

type MotionThread = ThreadQueue<MotionWork, MotionReport>;

/** Motion of one stream. */
export interface StreamMotion {
  /**
   * Frames must come in their order; answers come in it, too. Undefined when the worker crashed over this frame or is
   * given up: the detector's answer then stands alone.
   * @throws PresageError `interrupted` when closed
   */
  analyze(frame: MotionPicture): Promise<MotionReport | undefined>;
  /** The stream has ended. Only after its last call has settled. */
  close(): void;
}

export interface MotionStats {
  readonly workers: number;
  readonly alive: number;
  readonly streams: number;
  readonly crashes: number;
  /** Frames that motion was lost for. */
  readonly lost: number;
}

/** A frame takes a few milliseconds: two threads serve dozens of streams, and leave the cores to the detector. */
const THREADS = 2;
/** A picture takes milliseconds; a whole machine that hangs gets this long. */
const ANSWER_TIMEOUT_MS = 30_000;

/** The motion workers of a process. A stream stays on the one that it was given to, for its background lives there. */
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
          deadHint: 'start presage again; if it stays, report the recording it happens with',
        }),
    );
    this.#load = this.#threads.map(() => 0);
  }

  /** @throws PresageError `worker_crashed` when a worker cannot start */
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

  /** On the thread with the fewest streams. */
  openStream(): StreamMotion {
    const place = this.#load.indexOf(Math.min(...this.#load));
    const thread = this.#threads[place] as MotionThread;
    const stream = this.#opened;
    this.#opened += 1;
    this.#load[place] = (this.#load[place] ?? 0) + 1;
    let open = true;
    return {
      analyze: (frame) => this.#analyze(thread, stream, frame),
      close: () => {
        if (!open) return;
        open = false;
        this.#load[place] = (this.#load[place] ?? 1) - 1;
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
