import { PresageError } from '../../core/errors.js';
import { ModelThread, type ModelThreadOptions, type ModelThreadState } from './model-thread.js';

export interface ThreadQueueOptions extends Omit<ModelThreadOptions, 'onIdle'> {
  /** What a user can do when the worker is given up. */
  readonly deadHint: string;
}

interface Job<Work, Answer> {
  readonly work: Work;
  resolve: (answer: Answer) => void;
  reject: (error: PresageError) => void;
}

/**
 * One worker thread that does its work in the order of the calls. A crash takes the call in work with it
 * (`worker_crashed`, retryable); the calls behind it are done by the next worker.
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

  /** Resolves when the worker can take work. @throws PresageError */
  start(): Promise<void> {
    return this.#thread.start();
  }

  /**
   * @param signal takes the work out of the queue; what is already in work is done, but its answer no longer waited for
   * @throws PresageError of the worker, `worker_crashed` (retryable), `interrupted` when closed; the signal's reason
   */
  run(work: Work, signal?: AbortSignal): Promise<Answer> {
    if (this.#closing) return Promise.reject(this.#closedError());
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const job: Job<Work, Answer> = { work, resolve, reject };
      const give = (): void => {
        const place = this.#waiting.indexOf(job);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(signal?.reason as Error);
      };
      if (signal) {
        signal.addEventListener('abort', give, { once: true });
        const settled = (): void => signal.removeEventListener('abort', give);
        job.resolve = (answer) => {
          settled();
          resolve(answer);
        };
        job.reject = (error) => {
          settled();
          reject(error);
        };
      }
      this.#waiting.push(job);
      this.#dispatch();
    });
  }

  /** A message without an answer; lost when no worker runs. */
  post(note: unknown): void {
    this.#thread.post(note);
  }

  /** Idempotent. Every open call is rejected with `interrupted`, the one in work after the worker has let go of it. */
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
    return new PresageError('worker_crashed', `the ${role} worker crashed again and again`, {
      hint: deadHint,
    });
  }
}
