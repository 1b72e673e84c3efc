import { entryPath } from '../../../core/entry-path.js';
import { ThreadQueue } from '../../runtime/thread-queue.js';
import type { Prompt, Segment, Segmenter, SegmentView } from '../segmenter.js';
import type { FoundSegment, GridOptions } from './sam-masks.js';
import type { SamOptions } from './sam-model.js';

/** A request to the worker: the masks of prompts, and of a grid of points where one is given. */
export interface SamWork extends Omit<SegmentView, 'features'> {
  readonly type: 'segment';
  readonly prompts: readonly Prompt[];
  readonly grid?: GridOptions | undefined;
}

export interface SamAnswer {
  /** One per prompt, in their order. */
  readonly prompted: readonly Segment[];
  /** Segments of the grid, best first. */
  readonly found: readonly FoundSegment[];
}

export interface SamThreadOptions extends SamOptions {
  /** Compiled worker to run; for tests. */
  readonly workerEntry?: string;
  /** Waits before a crashed worker is restarted; for tests. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** A SAM-family model in its own worker, because its encoder takes longer than all other models together. */
export class SamThread implements Segmenter {
  readonly name: string;
  readonly #queue: ThreadQueue<SamWork, SamAnswer>;

  private constructor({ workerEntry, sleep, ...model }: SamThreadOptions) {
    this.name = model.name;
    this.#queue = new ThreadQueue({
      role: 'SAM',
      entry: workerEntry ?? entryPath(import.meta.url, './sam-worker'),
      workerData: model,
      sleep,
      deadHint: 'start presage again with --segmenter own, or with --device cpu if another device is in use',
    });
  }

  /** @throws {PresageError} model_invalid, device_unavailable, worker_crashed */
  static async open(options: SamThreadOptions): Promise<SamThread> {
    const sam = new SamThread(options);
    try {
      await sam.#queue.start();
    } catch (thrown) {
      await sam.close();
      throw thrown;
    }
    return sam;
  }

  async segment(view: SegmentView, prompts: readonly Prompt[]): Promise<readonly Segment[]> {
    return (await this.encode(view, prompts)).prompted;
  }

  /**
   * Encodes the picture once, for the prompts and the grid.
   * @throws {PresageError} inference_failed, worker_crashed (retryable), interrupted (closed)
   */
  encode(
    { pixels, width, height }: SegmentView,
    prompts: readonly Prompt[],
    grid?: GridOptions,
  ): Promise<SamAnswer> {
    return this.#queue.run({ type: 'segment', pixels, width, height, prompts, grid });
  }

  /** Rejects open calls with `interrupted`. Idempotent. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
