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
  /** Streams that share the workers now. */
  readonly lanes: number;
}

/** One stream's access to the workers. Streams take turns, so that none waits for what another has piled up. */
export interface DetectorLane {
  /**
   * How many calls may be open at once with gain: the workers divided by the streams that have work for them now, ≥ 1.
   * More would only make frames wait that newer ones could replace.
   */
  readonly concurrency: number;
  /**
   * Reads the frame's pixels until the promise settles. Calls of a lane settle in the order in which they were made.
   * @throws PresageError `inference_failed`, `worker_crashed`, or `interrupted` when the lane or the pool is closed
   */
  detect(frame: Pick<Frame, 'pixels' | 'layout'>, request?: AnalysisRequest): Promise<DetectorAnswer>;
  /**
   * The clip embedding of the last seconds, whatever calls of `detect` are open.
   * @param grids see `SceneEncoder`
   * @throws PresageError as `detect`
   */
  encodeScene(grids: Float32Array): Promise<SceneAnswer>;
  /** Calls that still wait reject with `interrupted`; one in work ends. Idempotent. */
  close(): void;
}

interface Job {
  readonly request: DetectorWork;
  readonly settle: { resolve: (answer: never) => void; reject: (error: PresageError) => void };
}

/** More calls than this waiting in one lane are a stream that does not heed its `concurrency`. */
const MAX_WAITING_PER_LANE = 16;

/**
 * Detector workers that streams share, each by a lane of its own. A worker that dies takes its call with it
 * (`worker_crashed`, retryable) and is started again, a bounded number of times.
 */
export class DetectorPool implements AsyncDisposable {
  readonly #threads: readonly ModelThread<DetectorWork, DetectorAnswer | SceneAnswer>[];
  readonly #queue = new FairQueue<Job>(MAX_WAITING_PER_LANE);
  /** Lanes with a call that waits or is in work. */
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
    /** Settles when the lane's newest call has. */
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
    const ask = <W extends DetectorWork>(work: W): Promise<AnswerTo<W>> => {
      begin();
      return this.#enqueue(lane, work).finally(end);
    };
    return {
      get concurrency() {
        return share();
      },
      detect: ({ pixels, layout: { width, height } }, request = {}) => {
        const answer = ask({ type: 'detect', pixels, width, height, request } as const);
        const inTurn = Promise.allSettled([tail, answer]).then(() => answer);
        tail = inTurn.catch(() => undefined);
        return inTurn;
      },
      encodeScene: (grids) => ask({ type: 'clip', grids } as const),
      close: () => lane.close().forEach((job) => job.settle.reject(closedError())),
    };
  }

  /** Idempotent. Calls that have not settled reject with `interrupted`, after the workers have let go of the pixels. */
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
    `${MAX_WAITING_PER_LANE} pictures of this stream wait already`,
    {
      retryable: true,
    },
  );
}

function deadError(): PresageError {
  return new PresageError('worker_crashed', 'every detector worker crashed again and again', {
    hint: 'run: presage doctor; then start presage again, with --device cpu if another device is in use',
  });
}
