import { PresageError } from '../core/errors.js';
import { ModelThread, type ModelThreadOptions, type ModelThreadState } from './model-thread.js';

export interface ThreadQueueOptions extends Omit<ModelThreadOptions, 'onIdle'> {
  /** What a user can do when the worker is given up. */
  readonly deadHint: string;
}

interface Job<Work, Answer> {
  readonly work: Work;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: PresageError) => void;
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

  /** @throws PresageError of the worker, `worker_crashed` (retryable), `interrupted` when closed */
  run(work: Work): Promise<Answer> {
    if (this.#closing) return Promise.reject(this.#closedError());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#dispatch();
    });
  }

  /** A message without an answer; lost when no worker runs. */
  tell(note: unknown): void {
    this.#thread.tell(note);
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
