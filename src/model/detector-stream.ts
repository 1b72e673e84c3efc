import type { Frame } from '../core/frame.js';
import type { Effort, Percept, StreamPerception } from '../core/stages.js';
import type { DetectorPool } from './detector-pool.js';
import type { StreamLooks } from './stream-looks.js';

export interface DetectorStreamOptions {
  readonly pool: DetectorPool;
  readonly looks: StreamLooks;
  readonly concurrency: number;
  /** Told of every frame before it is looked at. */
  readonly onFrame: (frame: Frame) => void;
}

/** Perception of one stream: detections with their masks and tokens, in the order of the frames. */
export class DetectorStream implements StreamPerception {
  readonly concurrency: number;
  readonly #pool: DetectorPool;
  readonly #looks: StreamLooks;
  readonly #onFrame: (frame: Frame) => void;
  /** Settles when the newest frame has. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ pool, looks, concurrency, onFrame }: DetectorStreamOptions) {
    this.concurrency = concurrency;
    this.#pool = pool;
    this.#looks = looks;
    this.#onFrame = onFrame;
  }

  setEffort(effort: Effort): void {
    this.#looks.setEffort(effort);
  }

  /** @throws PresageError `inference_failed`, `worker_crashed` (retryable), `interrupted` when closed */
  perceive(frame: Frame): Promise<Percept> {
    this.#onFrame(frame);
    const answer = this.#pool.detect(frame, this.#looks.wants(frame.t));
    const percept = Promise.allSettled([this.#tail, answer]).then(async (): Promise<Percept> => {
      const { index, t, receivedAtMs, layout } = frame;
      const analysis = await answer;
      const { detections, clipToken } = await this.#looks.complete(frame, analysis, analysis.detections);
      return {
        ...{ index, t, receivedAtMs, width: layout.width, height: layout.height, detections },
        inferenceMs: analysis.inferenceMs,
        ...(analysis.unsegmented > 0 && { unsegmented: analysis.unsegmented }),
        ...(clipToken && { clipToken }),
      };
    });
    this.#tail = percept.catch(() => undefined);
    return percept;
  }

  async close(): Promise<void> {
    await this.#tail;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
