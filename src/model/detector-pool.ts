import type { Frame } from '../core/frame.js';
import { entryPath } from '../core/entry.js';
import { PresageError } from '../core/errors.js';
import type { AnswerTo, ClipAnswer, DetectorAnswer, DetectorWork } from './detector-protocol.js';
import type { AnalysisWants, AnalyzerOptions } from './frame-analyzer.js';
import { ModelThread } from './model-thread.js';

export interface DetectorPoolOptions {
  /** Number of threads, each with a session of its own, ≥ 1. */
  readonly workers: number;
  readonly detector: AnalyzerOptions;
  /** Compiled worker to run; for tests. */
  readonly entry?: string;
  /** A worker that takes longer than this for one picture is terminated, which counts as a crash. Default 60 s. */
  readonly timeoutMs?: number;
  /** Waits before a crashed worker is started again; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export interface DetectorPoolStats {
  readonly workers: number;
  readonly alive: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly crashes: number;
}

interface Job {
  readonly request: DetectorWork;
  readonly settle: { resolve: (answer: never) => void; reject: (error: PresageError) => void };
}

/**
 * Detector workers behind one verb. Calls settle in the order in which they were made, whichever worker ends first. A
 * worker that dies takes its call with it (`worker_crashed`, retryable) and is started again, a bounded number of times.
 */
export class DetectorPool implements AsyncDisposable {
  readonly #threads: readonly ModelThread<DetectorWork, DetectorAnswer | ClipAnswer>[];
  readonly #waiting: Job[] = [];
  /** Settles when the newest call has. */
  #tail: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(options: DetectorPoolOptions) {
    this.#threads = Array.from(
      { length: options.workers },
      () =>
        new ModelThread({
          role: 'detector',
          entry: options.entry ?? entryPath(import.meta.url, './detector-worker'),
          workerData: options.detector,
          onIdle: () => this.#dispatch(),
          timeoutMs: options.timeoutMs,
          sleep: options.sleep,
        }),
    );
  }

  /** @throws PresageError of the first worker that cannot start: `model_invalid`, `device_unavailable`, `worker_crashed` */
  static async open(options: DetectorPoolOptions): Promise<DetectorPool> {
    const pool = new DetectorPool(options);
    try {
      await Promise.all(pool.#threads.map((thread) => thread.start()));
    } catch (thrown) {
      await pool.close();
      throw thrown;
    }
    return pool;
  }

  stats(): DetectorPoolStats {
    return {
      workers: this.#threads.length,
      alive: this.#threads.filter((thread) => thread.state !== 'dead').length,
      inFlight: this.#threads.filter((thread) => thread.state === 'busy').length,
      waiting: this.#waiting.length,
      crashes: this.#threads.reduce((sum, thread) => sum + thread.crashes, 0),
    };
  }

  /**
   * Reads the frame's pixels until the promise settles. More calls than workers wait their turn.
   * @throws PresageError `inference_failed`, `worker_crashed`, or `interrupted` when the pool is closed
   */
  detect(frame: Pick<Frame, 'pixels' | 'layout'>, wants: AnalysisWants = {}): Promise<DetectorAnswer> {
    const { width, height } = frame.layout;
    const answer = this.#ask({ type: 'detect', pixels: frame.pixels, width, height, wants } as const);
    const inTurn = Promise.allSettled([this.#tail, answer]).then(() => answer);
    this.#tail = inTurn.catch(() => undefined);
    return inTurn;
  }

  /**
   * The clip token of the last seconds; takes the next free worker, before the frames that wait.
   * @param grids see `ClipEncoder`
   * @throws PresageError as `detect`
   */
  encodeClip(grids: Float32Array): Promise<ClipAnswer> {
    return this.#ask({ type: 'clip', grids }, true);
  }

  /** Idempotent. Calls that have not settled reject with `interrupted`, after the workers have let go of the pixels. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ask<W extends DetectorWork>(request: W, first = false): Promise<AnswerTo<W>> {
    if (this.#closing) return Promise.reject(closedError());
    const answer = new Promise<AnswerTo<W>>((resolve, reject) => {
      const job = { request, settle: { resolve, reject } };
      if (first) this.#waiting.unshift(job);
      else this.#waiting.push(job);
    });
    this.#dispatch();
    return answer;
  }

  async #close(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    await Promise.all(this.#threads.map((thread) => thread.close()));
    for (const job of waiting) job.settle.reject(closedError());
  }

  #dispatch(): void {
    if (this.#threads.every((thread) => thread.state === 'dead')) {
      for (const job of this.#waiting.splice(0)) job.settle.reject(deadError());
      return;
    }
    for (const thread of this.#threads) {
      if (thread.state !== 'idle') continue;
      const job = this.#waiting.shift();
      if (!job) return;
      thread.run(job.request).then(job.settle.resolve as (answer: unknown) => void, job.settle.reject);
    }
  }
}

function closedError(): PresageError {
  return new PresageError('interrupted', 'the detector was closed');
}

function deadError(): PresageError {
  return new PresageError('worker_crashed', 'every detector worker crashed again and again', {
    hint: 'run: presage doctor; then start presage again, with --device cpu if another device is in use',
  });
}
