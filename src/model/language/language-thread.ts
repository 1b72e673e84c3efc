import { entryPath } from '../../core/entry-path.js';
import { PresageError } from '../../core/errors.js';
import type { AnswerGrammar, LanguageModel, LanguageRequest } from '../../core/learned-models.js';
import { ThreadQueue } from '../runtime/thread-queue.js';
import type { LanguageAnswer, LanguageFiles, LanguageTask } from './language-protocol.js';

export interface LanguageThreadOptions extends LanguageFiles {
  /** Name and first digits of the hash, as in messages. */
  readonly name: string;
  /** Maximum number of waiting requests, without the present one. Default 8. */
  readonly maxWaiting?: number | undefined;
  /** Compiled worker to run; for tests. */
  readonly workerEntry?: string;
  /** Waits before a crashed worker is restarted; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export interface LanguageStats {
  readonly waiting: number;
  readonly answered: number;
  readonly failed: number;
  /** Requests aborted by their callers. */
  readonly aborted: number;
  /** Requests rejected because the queue was full. */
  readonly refused: number;
  readonly crashes: number;
  /** Rows that the decoder computed. */
  readonly ranRows: number;
  /** Rows whose keys and values were reused. */
  readonly reusedRows: number;
}

/** The language model in its own worker, whose thread has a lower priority than those of perception. */
export class LanguageThread implements LanguageModel {
  readonly name: string;
  readonly #maxWaiting: number;
  readonly #queue: ThreadQueue<LanguageTask, LanguageAnswer>;
  readonly #counts = { answered: 0, failed: 0, aborted: 0, refused: 0, ranRows: 0, reusedRows: 0 };
  #open = 0;

  private constructor({ name, maxWaiting, workerEntry, sleep, ...files }: LanguageThreadOptions) {
    this.name = name;
    this.#maxWaiting = maxWaiting ?? 8;
    this.#queue = new ThreadQueue({
      role: 'language model',
      entry: workerEntry ?? entryPath(import.meta.url, './language-worker'),
      workerData: files,
      sleep,
      deadHint: 'start presage again with --reasoner rules',
    });
  }

  /** @throws {PresageError} model_invalid, model_missing, worker_crashed */
  static async open(options: LanguageThreadOptions): Promise<LanguageThread> {
    const thread = new LanguageThread(options);
    try {
      await thread.#queue.start();
    } catch (thrown) {
      await thread.close();
      throw thrown;
    }
    return thread;
  }

  async scoreDigits(
    request: LanguageRequest,
    continuations: readonly string[],
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const cancel = new SharedArrayBuffer(4);
    return (await this.#run({ type: 'digits', request, continuations, cancel }, signal)).digits;
  }

  async complete(
    request: LanguageRequest,
    grammar: AnswerGrammar,
    signal?: AbortSignal,
  ): Promise<{ readonly text: string; readonly logProbability: number }> {
    const cancel = new SharedArrayBuffer(4);
    const { text, logProbability } = await this.#run({ type: 'complete', request, grammar, cancel }, signal);
    return { text, logProbability };
  }

  stats(): LanguageStats {
    return { waiting: Math.max(this.#open - 1, 0), crashes: this.#queue.crashes, ...this.#counts };
  }

  /** Rejects open requests with `interrupted`. Idempotent. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(task: LanguageTask, signal: AbortSignal | undefined): Promise<LanguageAnswer> {
    signal?.throwIfAborted();
    if (this.#open > this.#maxWaiting) {
      this.#counts.refused += 1;
      const message = `${this.#open} requests wait for the language model`;
      throw new PresageError('overloaded', message, { retryable: true });
    }
    // The worker reads the flag between two runs of the model; the caller does not wait for that.
    const cancel = (): number => Atomics.store(new Int32Array(task.cancel), 0, 1);
    signal?.addEventListener('abort', cancel, { once: true });
    this.#open += 1;
    try {
      const answer = await this.#queue.run(task, signal);
      this.#counts.answered += 1;
      this.#counts.ranRows += answer.work.ran;
      this.#counts.reusedRows += answer.work.reused;
      return answer;
    } catch (thrown) {
      this.#counts[signal?.aborted ? 'aborted' : 'failed'] += 1;
      throw thrown;
    } finally {
      this.#open -= 1;
      signal?.removeEventListener('abort', cancel);
    }
  }
}
