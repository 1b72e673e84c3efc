import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { entryPath } from '../core/entry.js';
import { PresageError } from '../core/errors.js';
import { rebuildError } from './worker-protocol.js';
import type { MotionReport, MotionRequest, MotionResponse } from './motion-protocol.js';

export interface MotionThreadOptions {
  /** Compiled worker to run; for tests. */
  readonly entry?: string;
  /** A worker that takes longer than this for its oldest picture is terminated, which counts as a crash. Default 30 s. */
  readonly timeoutMs?: number;
  /** Waits before a crashed worker is started again; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** `starting` before the first answer of a worker and between a crash and the restart; `dead` is final. */
export type MotionThreadState = 'starting' | 'running' | 'dead';

interface Call {
  readonly request: MotionRequest & { type: 'analyze' };
  readonly resolve: (answer: MotionReport) => void;
  readonly reject: (error: PresageError) => void;
}

/** Crashes in a row, without one answer between them, after which a thread stays dead. */
const MAX_CRASHES_IN_A_ROW = 3;
const FIRST_RESTART_MS = 100;
/** A picture takes milliseconds; a whole machine that hangs gets this long. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A worker that has not let go by then is terminated. */
const CLOSE_TIMEOUT_MS = 2000;

/**
 * One motion worker over its crashes and restarts. Holds the state of the streams that were given to it, so their calls
 * are queued in order. A crash takes the call in work with it (`worker_crashed`, retryable); the calls behind it are done
 * by the next worker, which learns the backgrounds anew.
 */
export class MotionThread implements AsyncDisposable {
  readonly #options: MotionThreadOptions;
  #state: MotionThreadState = 'starting';
  #worker: Worker | undefined;
  /** The first one is in work while `#timer` is set. */
  readonly #calls: Call[] = [];
  #timer: NodeJS.Timeout | undefined;
  #crashes = 0;
  #crashesInARow = 0;
  #closing: Promise<void> | undefined;

  constructor(options: MotionThreadOptions = {}) {
    this.#options = options;
  }

  get state(): MotionThreadState {
    return this.#state;
  }

  get crashes(): number {
    return this.#crashes;
  }

  get waiting(): number {
    return this.#calls.length;
  }

  /** Resolves when the worker runs. @throws PresageError `worker_crashed` */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.#options.entry ?? entryPath(import.meta.url, './motion-worker'));
      this.#worker = worker;
      let problem: unknown;
      worker.on('message', (response: MotionResponse) => {
        if (response.type === 'ready') {
          if (this.#state === 'starting') this.#state = 'running';
          resolve();
          this.#next();
        } else this.#settle(response);
      });
      worker.on('error', (thrown) => (problem = thrown));
      worker.on('exit', (exitCode) => {
        const error = crashError(problem ?? `it exited with code ${exitCode}`);
        reject(error);
        this.#ended(worker, error);
      });
    });
  }

  /**
   * Reads the pixels until the promise settles. Settles in the order of the calls.
   * @throws PresageError `inference_failed`, `worker_crashed`, `interrupted` when closed
   */
  analyze(request: Omit<MotionRequest & { type: 'analyze' }, 'type'>): Promise<MotionReport> {
    if (this.#closing) return Promise.reject(closedError());
    if (this.#state === 'dead') return Promise.reject(deadError());
    return new Promise((resolve, reject) => {
      this.#calls.push({ request: { type: 'analyze', ...request }, resolve, reject });
      this.#next();
    });
  }

  /** Drops what is kept for the stream. Only after its last call has settled. */
  forget(stream: number): void {
    if (this.#state === 'running') this.#post({ type: 'forget', stream });
  }

  /** Lets the picture in work end, but answers every open call with `interrupted`. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const worker = this.#worker;
    this.#state = 'dead';
    clearTimeout(this.#timer);
    if (worker) {
      const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      this.#post({ type: 'close' });
      const timer = setTimeout(() => void worker.terminate(), CLOSE_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    }
    for (const call of this.#calls.splice(0)) call.reject(closedError());
  }

  /** One picture at a time: a crash must not take more than the one in work. */
  #next(): void {
    const call = this.#calls[0];
    if (!call || this.#timer || this.#state !== 'running') return;
    const worker = this.#worker;
    // A terminated worker exits, which is where its call is rejected and its crash counted.
    const timeoutMs = this.#options.timeoutMs ?? ANSWER_TIMEOUT_MS;
    this.#timer = setTimeout(() => void worker?.terminate(), timeoutMs);
    this.#post(call.request);
  }

  #post(request: MotionRequest): void {
    this.#worker?.postMessage(request);
  }

  #takeCall(): Call | undefined {
    if (!this.#timer) return undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#calls.shift();
  }

  #settle(response: MotionResponse & { type: 'answer' | 'error' }): void {
    if (this.#closing) return;
    const call = this.#takeCall();
    this.#crashesInARow = 0;
    if (response.type === 'answer') call?.resolve(response.answer);
    else call?.reject(rebuildError(response.error));
    this.#next();
  }

  #ended(worker: Worker, error: PresageError): void {
    if (this.#worker === worker) this.#worker = undefined;
    if (this.#closing) return;
    const neverRan = this.#crashes === 0 && this.#state === 'starting';
    this.#crashes += 1;
    this.#crashesInARow += 1;
    this.#takeCall()?.reject(error);
    if (neverRan || this.#crashesInARow > MAX_CRASHES_IN_A_ROW) {
      this.#state = 'dead';
      for (const call of this.#calls.splice(0)) call.reject(deadError());
    } else {
      this.#state = 'starting';
      void this.#restart();
    }
  }

  async #restart(): Promise<void> {
    const sleep = this.#options.sleep ?? ((ms: number) => delay(ms, undefined, { ref: false }));
    await sleep(FIRST_RESTART_MS * 2 ** (this.#crashesInARow - 1));
    if (this.#closing) return;
    // A start that fails also ends the worker, which is where it is counted.
    await this.start().catch(() => undefined);
  }
}

function crashError(problem: unknown): PresageError {
  const why = problem instanceof Error ? problem.message : String(problem);
  return new PresageError('worker_crashed', `a motion worker crashed: ${why}`, {
    retryable: true,
    cause: problem,
  });
}

function deadError(): PresageError {
  return new PresageError('worker_crashed', 'the motion worker crashed again and again', {
    hint: 'start presage again; if it stays, report the recording it happens with',
  });
}

function closedError(): PresageError {
  return new PresageError('interrupted', 'the motion worker was closed');
}
