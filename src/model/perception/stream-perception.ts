import { PresageError, toPresageError } from '../../core/errors.js';
import type { Frame } from '../../core/video/frame.js';
import type { Detection, Effort, Percept, StreamPerception } from '../../core/percept.js';
import type { DetectorAnswer } from '../detector/detector-protocol.js';
import type { AnalysisRequest } from './frame-analyzer.js';
import { inheritLabels } from './fusion.js';
import type { MotionReport } from '../motion/motion-protocol.js';
import type { StreamEnrichment } from './stream-enrichment.js';

export interface FusedPerceptionOptions {
  readonly motion: {
    analyze(frame: Frame): Promise<MotionReport | undefined>;
    close(): void;
  };
  /** This stream's lane of the detector. */
  readonly detector: {
    readonly concurrency: number;
    detect(frame: Frame, request: AnalysisRequest): Promise<DetectorAnswer>;
    close(): void;
  };
  /** Masks, appearances and scene embeddings. */
  readonly enrichment: StreamEnrichment;
  /** Labels to report; all when undefined. */
  readonly labels: ReadonlySet<string> | undefined;
}

/** Results for one frame before they are put in order. */
interface Found {
  readonly answer: DetectorAnswer | undefined;
  readonly motion: MotionReport | undefined;
}

const FULL_EFFORT: Effort = { detectEvery: 1, masks: true, embeddings: true };

/**
 * Perception of one stream: motion analyses every frame, the detector every k-th with the proposals of motion. Frames in
 * flight are computed concurrently; their results settle in the order of the calls.
 */
export class FusedPerception implements StreamPerception {
  readonly #options: FusedPerceptionOptions;
  #effort = FULL_EFFORT;
  /** Frames since the last run of the detector. */
  #sinceDetection = Infinity;
  #tail: Promise<unknown> = Promise.resolve();
  /** Detections of the detector's last run, which label the frames until the next run. */
  #known: readonly Detection[] = [];
  #closing: Promise<void> | undefined;

  constructor(options: FusedPerceptionOptions) {
    this.#options = options;
  }

  /** k times the detector's concurrency, so that the frames without a detector run do not leave its workers idle. */
  get concurrency(): number {
    return this.#options.detector.concurrency * this.#effort.detectEvery;
  }

  setEffort(effort: Effort): void {
    if (!Number.isInteger(effort.detectEvery) || effort.detectEvery < 1)
      throw new PresageError(
        'bad_option',
        `detectEvery is ${effort.detectEvery}, expected a whole number from 1`,
      );
    this.#effort = effort;
    this.#options.enrichment.setEffort(effort);
  }

  /** @throws {PresageError} inference_failed, worker_crashed (retryable), interrupted (closed) */
  perceive(frame: Frame): Promise<Percept> {
    if (this.#closing)
      return Promise.reject(new PresageError('interrupted', 'the perception of this stream was closed'));
    this.#sinceDetection += 1;
    const detects = this.#sinceDetection >= this.#effort.detectEvery;
    if (detects) this.#sinceDetection = 0;
    const found = this.#find(frame, detects ? this.#options.enrichment.requestFor(frame.t) : undefined);
    // A failure before the frame's turn is reported in its turn.
    found.catch(() => undefined);
    const settled = this.#tail.then(async () => this.#complete(frame, await found, detects));
    // The caller handles a failure; the next frames continue.
    this.#tail = settled.catch(() => undefined);
    return settled;
  }

  /** Waits for the frames in flight. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#tail.then(() => {
      this.#options.detector.close();
      this.#options.motion.close();
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Runs motion first: its proposals go to the detector's worker, which computes masks and embeddings of the final boxes.
   * Settles when the frame is no longer read.
   */
  async #find(frame: Frame, request: AnalysisRequest | undefined): Promise<Found> {
    const { motion, detector } = this.#options;
    try {
      const moved = await motion.analyze(frame);
      // An obstruction in front of the camera has no label of the detector.
      if (!request || moved?.scene === 'covered') return { answer: undefined, motion: moved };
      const answer = await detector.detect(frame, {
        ...request,
        proposals: moved?.proposals,
      });
      return { answer, motion: moved };
    } catch (thrown) {
      throw toPresageError(thrown, 'inference_failed');
    }
  }

  async #complete(frame: Frame, { answer, motion }: Found, detects: boolean): Promise<Percept> {
    const { index, t, receivedAtMs, layout } = frame;
    const { enrichment } = this.#options;
    const scene = motion?.scene ?? 'clear';
    if (scene === 'changed') enrichment.reset();
    const found = scene === 'covered' ? [] : this.#ofLabels(this.#detections(answer, motion));
    const { detections, sceneEmbedding } = answer
      ? await enrichment.complete(frame, answer, found)
      : { detections: found };
    return {
      index,
      t,
      receivedAtMs,
      width: layout.width,
      height: layout.height,
      detections: this.#ofLabels(detections),
      inferenceMs: (answer?.inferenceMs ?? 0) + (motion?.motionMs ?? 0),
      ...(!detects && { partial: true }),
      ...(motion?.camera && { camera: motion.camera }),
      ...(scene !== 'clear' && { scene }),
      ...(sceneEmbedding && { sceneEmbedding }),
      ...(answer && answer.unsegmented > 0 && { unsegmented: answer.unsegmented }),
    };
  }

  #ofLabels(detections: readonly Detection[]): readonly Detection[] {
    const { labels } = this.#options;
    return labels ? detections.filter(({ label }) => labels.has(label)) : detections;
  }

  #detections(answer: DetectorAnswer | undefined, motion: MotionReport | undefined): readonly Detection[] {
    const found = answer ? answer.detections : inheritLabels(motion?.proposals ?? [], this.#known);
    if (answer) this.#known = found;
    return found;
  }
}
