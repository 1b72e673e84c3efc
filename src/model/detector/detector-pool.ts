import { entryPath } from '../../core/entry-path.js';
import { PresageError } from '../../core/errors.js';
import type { Frame } from '../../core/video/frame.js';
import type { AnswerTo, SceneAnswer, DetectorAnswer, DetectorWork } from './detector-protocol.js';
import { FairQueue, type QueueLane } from '../runtime/fair-queue.js';
import type { AnalysisRequest, AnalyzerOptions } from '../perception/frame-analyzer.js';
import { ModelThread } from '../runtime/model-thread.js';

export interface DetectorPoolOptions {
  /** Number of threads, each with a session of its own, ≥ 1. */
  readonly workers: number;
  readonly detector: AnalyzerOptions;
  /** Compiled worker to run; for tests. */
  readonly entry?: string;
  /** A worker that exceeds this time for one picture is terminated, which counts as a crash. Default 60 s. */
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
  /** Number of streams that share the workers now. */
  readonly lanes: number;
}

/** One stream's access to the workers. Streams take turns, so that the backlog of one does not delay the others. */
export interface DetectorLane {
  /**
   * Maximum number of concurrent calls that increase the throughput: the workers divided by the streams that use them now,
   * ≥ 1. With more, frames would wait that newer ones could replace.
   */
  readonly concurrency: number;
  /**
   * Reads the frame's pixels until the promise settles. Calls of a lane settle in the order of the calls.
   * @throws {PresageError} inference_failed, worker_crashed
   * @throws {PresageError} interrupted — the lane or the pool is closed
   */
  detect(frame: Pick<Frame, 'pixels' | 'layout'>, request?: AnalysisRequest): Promise<DetectorAnswer>;
  /**
   * Computes the scene embedding of the last seconds, independently of open calls of `detect`.
   * @param grids see `SceneEncoder`
   * @throws {PresageError} as `detect`
   */
  encodeScene(grids: Float32Array): Promise<SceneAnswer>;
  /** Rejects waiting calls with `interrupted`; a running call completes. Idempotent. */
  close(): void;
}

interface Job {
  readonly request: DetectorWork;
  readonly settle: { resolve: (answer: never) => void; reject: (error: PresageError) => void };
}

/** Maximum number of waiting calls of one lane; a stream that respects `concurrency` stays below. */
const MAX_WAITING_PER_LANE = 16;

/**
 * Detector workers that streams share, each through its own lane. The crash of a worker rejects its call (`worker_crashed`,
 * retryable); the worker is restarted a bounded number of times.
 */
export class DetectorPool implements AsyncDisposable {
  readonly #threads: readonly ModelThread<DetectorWork, DetectorAnswer | SceneAnswer>[];
  readonly #queue = new FairQueue<Job>(MAX_WAITING_PER_LANE);
  /** Lanes with a waiting or running call. */
  readonly #busy = new Set<QueueLane<Job>>();
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

  /** @throws {PresageError} model_invalid, device_unavailable, worker_crashed — a worker cannot start */
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
      waiting: this.#queue.waiting,
      crashes: this.#threads.reduce((sum, thread) => sum + thread.crashes, 0),
      lanes: this.#queue.lanes,
    };
  }

  openLane(): DetectorLane {
    const lane = this.#queue.openLane();
    const share = (): number => {
      const others = this.#busy.size - Number(this.#busy.has(lane));
      return Math.ceil(this.#threads.length / (others + 1));
    };
    /** Settles with the lane's newest call. */
    let tail: Promise<unknown> = Promise.resolve();
    let open = 0;
    const begin = (): void => {
      open += 1;
      this.#busy.add(lane);
    };
    const end = (): void => {
      open -= 1;
      if (open === 0) this.#busy.delete(lane);
    };
    const call = <W extends DetectorWork>(work: W): Promise<AnswerTo<W>> => {
      begin();
      return this.#enqueue(lane, work).finally(end);
    };
    return {
      get concurrency() {
        return share();
      },
      detect: ({ pixels, layout: { width, height } }, request = {}) => {
        const answer = call({ type: 'detect', pixels, width, height, request } as const);
        const inTurn = Promise.allSettled([tail, answer]).then(() => answer);
        tail = inTurn.catch(() => undefined);
        return inTurn;
      },
      encodeScene: (grids) => call({ type: 'scene', grids } as const),
      close: () => lane.close().forEach((job) => job.settle.reject(closedError())),
    };
  }

  /** Rejects open calls with `interrupted`, after the workers have stopped reading the pixels. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const waiting = this.#queue.drain();
    await Promise.all(this.#threads.map((thread) => thread.close()));
    for (const job of waiting) job.settle.reject(closedError());
  }

  #enqueue<W extends DetectorWork>(lane: QueueLane<Job>, request: W): Promise<AnswerTo<W>> {
    if (this.#closing) return Promise.reject(closedError());
    return new Promise<AnswerTo<W>>((resolve, reject) => {
      if (!lane.push({ request, settle: { resolve, reject } }))
        reject(lane.closed ? closedError() : fullError());
      else this.#dispatch();
    });
  }

  #dispatch(): void {
    if (this.#threads.every((thread) => thread.state === 'dead')) {
      for (const job of this.#queue.drain()) job.settle.reject(deadError());
      return;
    }
    for (const thread of this.#threads) {
      if (thread.state !== 'idle') continue;
      const job = this.#queue.take();
      if (!job) return;
      thread.run(job.request).then(job.settle.resolve as (answer: unknown) => void, job.settle.reject);
    }
  }
}

function closedError(): PresageError {
  return new PresageError('interrupted', 'the detector was closed');
}

function fullError(): PresageError {
  return new PresageError(
    'inference_failed',
    `the detector queue of this stream is full: ${MAX_WAITING_PER_LANE} pictures wait`,
    {
      retryable: true,
    },
  );
}

function deadError(): PresageError {
  return new PresageError('worker_crashed', 'every detector worker crashed repeatedly', {
    hint: 'run: presage doctor; then start presage again, with --device cpu if another device is in use',
  });
}
