import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { PresageError } from '../../core/errors.js';
import { rebuildError, type WorkerRequest, type WorkerResponse } from './worker-protocol.js';

export interface ModelThreadOptions {
  /** Name of the thread in error messages, e.g. `detector`. */
  readonly role: string;
  /** Compiled worker to run. */
  readonly entry: string;
  /** Options of the worker; must survive a structured clone. */
  readonly workerData: unknown;
  /** Called when the thread becomes idle or dead. */
  readonly onIdle: () => void;
  readonly timeoutMs?: number | undefined;
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined;
}

/** `starting` before the model is loaded and between a crash and the restart; `dead` is final. */
export type ModelThreadState = 'starting' | 'idle' | 'busy' | 'dead';

interface Call<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: PresageError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Crashes without an answer between them after which a thread stays dead. */
const MAX_CRASHES_IN_A_ROW = 3;
const FIRST_RESTART_MS = 100;
/** Default timeout of a call: the slowest useful device needs seconds, a longer call hangs in a driver. */
const ANSWER_TIMEOUT_MS = 60_000;
/** A worker that has not exited by then is terminated. */
const CLOSE_TIMEOUT_MS = 2000;

/** One worker thread across crashes and restarts. It handles one call at a time. */
export class ModelThread<Work, Answer> {
  readonly #options: ModelThreadOptions;
  #state: ModelThreadState = 'starting';
  #worker: Worker | undefined;
  #call: Call<Answer> | undefined;
  #crashes = 0;
  #crashesInARow = 0;
  #closed = false;

  constructor(options: ModelThreadOptions) {
    this.#options = options;
  }

  get state(): ModelThreadState {
    return this.#state;
  }

  get crashes(): number {
    return this.#crashes;
  }

  /**
   * Resolves when the model is loaded.
   * @throws {PresageError} worker_crashed, or the error of the worker
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.#options.entry, { workerData: this.#options.workerData });
      this.#worker = worker;
      let problem: unknown;
      worker.on('message', (response: WorkerResponse<Answer>) => {
        if (response.type === 'ready') {
          this.#become('idle');
          resolve();
        } else if (response.type === 'failed') reject(rebuildError(response.error));
        else this.#settle(response);
      });
      worker.on('error', (thrown) => (problem = thrown));
      worker.on('exit', (exitCode) => {
        const error = crashError(this.#options.role, problem ?? `it exited with code ${exitCode}`);
        reject(error);
        this.#ended(worker, error);
      });
    });
  }

  /**
   * Runs one call. Requires the state `idle`.
   * @throws {PresageError} worker_crashed (retryable), interrupted, or the error of the worker
   */
  run(work: Work): Promise<Answer> {
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      // Termination triggers `exit`, which rejects the call and counts the crash.
      const timer = setTimeout(() => void worker?.terminate(), this.#options.timeoutMs ?? ANSWER_TIMEOUT_MS);
      this.#call = { resolve, reject, timer };
      this.#state = 'busy';
      worker?.postMessage(work);
    });
  }

  /** Sends a message without an answer; it is lost when no worker runs. */
  post(note: unknown): void {
    this.#worker?.postMessage(note);
  }

  /** Waits for the present call to end and rejects it with `interrupted`. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#state = 'dead';
    if (worker) {
      const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      worker.postMessage({ type: 'close' } satisfies WorkerRequest<never>);
      const timer = setTimeout(() => void worker.terminate(), CLOSE_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    }
    this.#takeCall()?.reject(new PresageError('interrupted', `the ${this.#options.role} was closed`));
  }

  /** Removes and returns the present call. */
  #takeCall(): Call<Answer> | undefined {
    const call = this.#call;
    clearTimeout(call?.timer);
    this.#call = undefined;
    return call;
  }

  #become(state: ModelThreadState): void {
    if (this.#closed) return;
    this.#state = state;
    this.#options.onIdle();
  }

  #settle(response: WorkerResponse<Answer> & { type: 'answer' | 'error' }): void {
    if (this.#closed) return;
    const call = this.#takeCall();
    this.#crashesInARow = 0;
    if (response.type === 'answer') call?.resolve(response.answer);
    else call?.reject(rebuildError(response.error));
    this.#become('idle');
  }

  #ended(worker: Worker, error: PresageError): void {
    if (this.#worker === worker) this.#worker = undefined;
    if (this.#closed) return;
    const wasRunning = this.#state !== 'starting' || this.#crashesInARow > 0;
    this.#crashes += 1;
    this.#crashesInARow += 1;
    const call = this.#takeCall();
    if (!wasRunning || this.#crashesInARow > MAX_CRASHES_IN_A_ROW) this.#become('dead');
    else {
      this.#state = 'starting';
      void this.#restart();
    }
    call?.reject(error);
  }

  async #restart(): Promise<void> {
    const sleep = this.#options.sleep ?? ((ms: number) => delay(ms, undefined, { ref: false }));
    await sleep(FIRST_RESTART_MS * 2 ** (this.#crashesInARow - 1));
    if (this.#closed) return;
    // A failed start also ends the worker; `#ended` counts it.
    await this.start().catch(() => undefined);
  }
}

function crashError(role: string, problem: unknown): PresageError {
  const why = problem instanceof Error ? problem.message : String(problem);
  return new PresageError('worker_crashed', `a ${role} worker crashed: ${why}`, {
    retryable: true,
    cause: problem,
  });
}
