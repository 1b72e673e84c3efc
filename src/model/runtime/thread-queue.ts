import { PresageError } from '../../core/errors.js';
import { ModelThread, type ModelThreadOptions, type ModelThreadState } from './model-thread.js';

export interface ThreadQueueOptions extends Omit<ModelThreadOptions, 'onIdle'> {
  /** Hint for the user when the worker stays dead. */
  readonly deadHint: string;
}

interface Job<Work, Answer> {
  readonly work: Work;
  resolve: (answer: Answer) => void;
  reject: (error: PresageError) => void;
}

/**
 * A worker thread that handles calls in order. A crash rejects the present call (`worker_crashed`, retryable); the restarted
 * worker handles the waiting calls.
 */
export class ThreadQueue<Work, Answer> implements AsyncDisposable {
  readonly #options: ThreadQueueOptions;
  readonly #thread: ModelThread<Work, Answer>;
  readonly #waiting: Job<Work, Answer>[] = [];
  #closing: Promise<void> | undefined;

  constructor(options: ThreadQueueOptions) {
    this.#options = options;
    this.#thread = new ModelThread({ ...options, onIdle: () => this.#dispatch() });
  }

  get state(): ModelThreadState {
    return this.#thread.state;
  }

  get crashes(): number {
    return this.#thread.crashes;
  }

  /**
   * Resolves when the worker is ready.
   * @throws {PresageError} worker_crashed, or the error of the worker
   */
  start(): Promise<void> {
    return this.#thread.start();
  }

  /**
   * @param signal removes the call from the queue, or rejects the present call while the worker completes it
   * @throws {PresageError} worker_crashed (retryable), interrupted — closed, or the error of the worker
   * @throws the signal's reason after an abort
   */
  run(work: Work, signal?: AbortSignal): Promise<Answer> {
    if (this.#closing) return Promise.reject(this.#closedError());
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const job: Job<Work, Answer> = { work, resolve, reject };
      const abort = (): void => {
        const index = this.#waiting.indexOf(job);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal?.reason as Error);
      };
      if (signal) {
        signal.addEventListener('abort', abort, { once: true });
        const unlisten = (): void => signal.removeEventListener('abort', abort);
        job.resolve = (answer) => {
          unlisten();
          resolve(answer);
        };
        job.reject = (error) => {
          unlisten();
          reject(error);
        };
      }
      this.#waiting.push(job);
      this.#dispatch();
    });
  }

  /** Sends a message without an answer; it is lost when no worker runs. */
  post(note: unknown): void {
    this.#thread.post(note);
  }

  /** Rejects every open call with `interrupted`, the present one after the worker has exited. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#thread.close();
    for (const job of this.#waiting.splice(0)) job.reject(this.#closedError());
  }

  #dispatch(): void {
    if (this.#closing) return;
    if (this.#thread.state === 'dead') {
      for (const job of this.#waiting.splice(0)) job.reject(this.#deadError());
      return;
    }
    if (this.#thread.state !== 'idle') return;
    const job = this.#waiting.shift();
    if (job) this.#thread.run(job.work).then(job.resolve, job.reject);
  }

  #closedError(): PresageError {
    return new PresageError('interrupted', `the ${this.#options.role} worker was closed`);
  }

  #deadError(): PresageError {
    const { role, deadHint } = this.#options;
    return new PresageError('worker_crashed', `the ${role} worker crashed repeatedly`, {
      hint: deadHint,
    });
  }
}
