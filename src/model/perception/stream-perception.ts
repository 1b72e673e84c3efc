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
  /** This stream's turn at the detector. */
  readonly detector: {
    readonly concurrency: number;
    detect(frame: Frame, wants: AnalysisRequest): Promise<DetectorAnswer>;
    close(): void;
  };
  /** Masks, object embeddings and clip embeddings. */
  readonly enrichment: StreamEnrichment;
  /** Labels that are reported; all when undefined. */
  readonly labels: ReadonlySet<string> | undefined;
}

/** What was found on one frame before it is brought into order. */
interface Found {
  readonly answer: DetectorAnswer | undefined;
  readonly motion: MotionReport | undefined;
}

const FULL_EFFORT: Effort = { detectEvery: 1, masks: true, embeddings: true };

/**
 * Perception of one stream: motion looks at every frame, the detector at every k-th, with what motion proposes. Frames under
 * way together are computed together; they are brought into order and settle in the order of the calls.
 */
export class FusedPerception implements StreamPerception {
  readonly #options: FusedPerceptionOptions;
  #effort = FULL_EFFORT;
  /** Frames since the detector last looked. */
  #sinceDetection = Infinity;
  #tail: Promise<unknown> = Promise.resolve();
  /** What the detector's last look showed, for the frames until the next. */
  #known: readonly Detection[] = [];
  #closing: Promise<void> | undefined;

  constructor(options: FusedPerceptionOptions) {
    this.#options = options;
  }

  /** With the detector on every k-th frame, the frames between must not keep its workers idle. */
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

  /** @throws PresageError `inference_failed`, `worker_crashed` (retryable), `interrupted` when closed */
  perceive(frame: Frame): Promise<Percept> {
    if (this.#closing)
      return Promise.reject(new PresageError('interrupted', 'the perception of this stream was closed'));
    this.#sinceDetection += 1;
    const looks = this.#sinceDetection >= this.#effort.detectEvery;
    if (looks) this.#sinceDetection = 0;
    const found = this.#find(frame, looks ? this.#options.enrichment.requestFor(frame.t) : undefined);
    // One that fails before its turn is told in its turn.
    found.catch(() => undefined);
    const settled = this.#tail.then(async () => this.#complete(frame, await found, looks));
    // One that fails is its caller's affair; those behind it go on.
    this.#tail = settled.catch(() => undefined);
    return settled;
  }

  /** Waits for the frames under way. Idempotent. */
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
   * Motion first: what it proposes goes to the detector's worker, which gives the final boxes their masks and embeddings. Settles
   * when nobody reads the frame any more.
   */
  async #find(frame: Frame, wants: AnalysisRequest | undefined): Promise<Found> {
    const { motion, detector } = this.#options;
    try {
      const moved = await motion.analyze(frame);
      // What hides the scene is nothing that the detector could name.
      if (!wants || moved?.scene === 'covered') return { answer: undefined, motion: moved };
      const answer = await detector.detect(frame, { ...wants, ...(moved && { proposals: moved.proposals }) });
      return { answer, motion: moved };
    } catch (thrown) {
      throw toPresageError(thrown, 'inference_failed');
    }
  }

  async #complete(frame: Frame, { answer, motion }: Found, looks: boolean): Promise<Percept> {
    const { index, t, receivedAtMs, layout } = frame;
    const { enrichment: streamEnrichment } = this.#options;
    const scene = motion?.scene ?? 'clear';
    if (scene === 'changed') streamEnrichment.reset();
    const found = scene === 'covered' ? [] : this.#ofLabels(this.#detections(answer, motion));
    const { detections, sceneEmbedding } = answer
      ? await streamEnrichment.complete(frame, answer, found)
      : { detections: found };
    return {
      ...{ index, t, receivedAtMs, width: layout.width, height: layout.height },
      detections: this.#ofLabels(detections),
      inferenceMs: (answer?.inferenceMs ?? 0) + (motion?.motionMs ?? 0),
      ...(!looks && { partial: true }),
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
