import { entryPath } from '../../../core/entry.js';
import { PresageError } from '../../../core/errors.js';
import { ModelThread } from '../../model-thread.js';
import type { Prompt, Segment, Segmenter, SegmentView } from '../segmenter.js';
import type { FoundSegment, GridOptions } from './sam-masks.js';
import type { SamOptions } from './sam-model.js';

/** What the worker is asked: the masks of some prompts, and of a grid of points where one is given. */
export interface SamWork extends Omit<SegmentView, 'features'> {
  readonly type: 'segment';
  readonly prompts: readonly Prompt[];
  readonly grid?: GridOptions;
}

export interface SamAnswer {
  /** One per prompt, in their order. */
  readonly prompted: readonly Segment[];
  /** What the grid found, best first. */
  readonly found: readonly FoundSegment[];
}

export interface SamThreadOptions extends SamOptions {
  /** Compiled worker to run; for tests. */
  readonly workerEntry?: string;
  /** Waits before a crashed worker is started again; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

interface Job {
  readonly work: SamWork;
  readonly resolve: (answer: SamAnswer) => void;
  readonly reject: (error: PresageError) => void;
}

/** A SAM-family model in a worker of its own: an encoder takes longer than everything else together. */
export class SamThread implements Segmenter {
  readonly name: string;
  readonly #thread: ModelThread<SamWork, SamAnswer>;
  readonly #waiting: Job[] = [];
  #closed = false;

  private constructor({ workerEntry, sleep, ...model }: SamThreadOptions) {
    this.name = model.name;
    this.#thread = new ModelThread({
      role: 'SAM',
      entry: workerEntry ?? entryPath(import.meta.url, './sam-worker'),
      workerData: model,
      onIdle: () => this.#dispatch(),
      sleep,
    });
  }

  /** @throws PresageError `model_invalid`, `device_unavailable`, `worker_crashed` */
  static async open(options: SamThreadOptions): Promise<SamThread> {
    const sam = new SamThread(options);
    try {
      await sam.#thread.start();
    } catch (thrown) {
      await sam.close();
      throw thrown;
    }
    return sam;
  }

  async segment(view: SegmentView, prompts: readonly Prompt[]): Promise<readonly Segment[]> {
    return (await this.look(view, prompts)).prompted;
  }

  /**
   * Encodes the picture once, for the prompts and the grid.
   * @throws PresageError `inference_failed`, `worker_crashed` (retryable), `interrupted` when closed
   */
  look(
    { pixels, width, height }: SegmentView,
    prompts: readonly Prompt[],
    grid?: GridOptions,
  ): Promise<SamAnswer> {
    if (this.#closed) return Promise.reject(closedError());
    const work: SamWork = { type: 'segment', pixels, width, height, prompts, ...(grid && { grid }) };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#dispatch();
    });
  }

  /** Idempotent. What waits is rejected with `interrupted`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) job.reject(closedError());
    await this.#thread.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #dispatch(): void {
    if (this.#thread.state === 'dead' && !this.#closed) {
      for (const job of this.#waiting.splice(0)) job.reject(deadError());
      return;
    }
    if (this.#thread.state !== 'idle') return;
    const job = this.#waiting.shift();
    if (job) this.#thread.run(job.work).then(job.resolve, job.reject);
  }
}

function closedError(): PresageError {
  return new PresageError('interrupted', 'the SAM segmenter was closed');
}

function deadError(): PresageError {
  return new PresageError('worker_crashed', 'the SAM worker crashed again and again', {
    hint: 'start presage again with --segmenter own, or with --device cpu if another device is in use',
  });
}
