import { PresageError, toPresageError } from '../core/errors.js';
import type { Frame } from '../core/frame.js';
import type { Detection, Effort, Percept, StreamPerception } from '../core/stages.js';
import type { DetectorAnswer } from './detector-protocol.js';
import { fuseProposals, inheritLabels } from './fusion.js';
import type { MotionReport } from './motion-protocol.js';
import type { StreamMotion } from './motion-threads.js';

export interface FusedPerceptionOptions {
  readonly motion: StreamMotion;
  /** This stream's turn at the detector. */
  readonly detector: {
    readonly concurrency: number;
    detect(frame: Frame): Promise<DetectorAnswer>;
    close(): void;
  };
  /** Labels that are reported; all when undefined. */
  readonly labels: ReadonlySet<string> | undefined;
}

/** What was found on one frame before it is brought into order. */
interface Found {
  readonly answer: DetectorAnswer | undefined;
  readonly motion: MotionReport | undefined;
}

const FULL_EFFORT: Effort = { detectEvery: 1, masks: true, tokens: true };

/**
 * Perception of one stream: motion looks at every frame, the detector at every k-th, and both are fused. Frames under way
 * together are computed together; they are fused and settle in the order of the calls.
 */
export class FusedPerception implements StreamPerception {
  readonly #options: FusedPerceptionOptions;
  #effort = FULL_EFFORT;
  /** Frames since the detector last looked. */
  #sinceDetection = Infinity;
  #tail: Promise<unknown> = Promise.resolve();
  /** What the last frames were said to show, for the frames between two looks of the detector. */
  #known: readonly Detection[] = [];
  #closing: Promise<void> | undefined;

  constructor(options: FusedPerceptionOptions) {
    this.#options = options;
  }

  get concurrency(): number {
    return this.#options.detector.concurrency;
  }

  setEffort(effort: Effort): void {
    if (!Number.isInteger(effort.detectEvery) || effort.detectEvery < 1)
      throw new PresageError(
        'bad_option',
        `detectEvery is ${effort.detectEvery}, expected a whole number from 1`,
      );
    this.#effort = effort;
  }

  /** @throws PresageError `inference_failed`, `worker_crashed` (retryable), `interrupted` when closed */
  perceive(frame: Frame): Promise<Percept> {
    if (this.#closing)
      return Promise.reject(new PresageError('interrupted', 'the perception of this stream was closed'));
    this.#sinceDetection += 1;
    const looks = this.#sinceDetection >= this.#effort.detectEvery;
    if (looks) this.#sinceDetection = 0;
    const found = this.#find(frame, looks);
    const settled = this.#tail.then(async () => this.#fuse(frame, await found, looks));
    // One that fails is its caller's affair; those behind it go on.
    this.#tail = settled.catch(() => undefined);
    return settled;
  }

  /** Waits for the frames under way. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#tail.then(() => {
      this.#options.detector.close();
      return this.#options.motion.close();
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Settles when nobody reads the frame any more. */
  async #find(frame: Frame, looks: boolean): Promise<Found> {
    const { motion, detector } = this.#options;
    const [moved, seen] = await Promise.allSettled([
      motion.analyze(frame),
      looks ? detector.detect(frame) : undefined,
    ]);
    if (seen.status === 'rejected') throw toPresageError(seen.reason, 'inference_failed');
    if (moved.status === 'rejected') throw toPresageError(moved.reason, 'inference_failed');
    return { answer: seen.value, motion: moved.value };
  }

  #fuse(frame: Frame, { answer, motion }: Found, looks: boolean): Percept {
    const { index, t, receivedAtMs, layout } = frame;
    const scene = motion?.scene ?? 'clear';
    const found = scene === 'covered' ? [] : this.#detections(answer, motion);
    const { labels } = this.#options;
    return {
      ...{ index, t, receivedAtMs, width: layout.width, height: layout.height },
      detections: labels ? found.filter(({ label }) => labels.has(label)) : found,
      inferenceMs: (answer?.inferenceMs ?? 0) + (motion?.motionMs ?? 0),
      ...(!looks && { partial: true }),
      ...(motion?.camera && { camera: motion.camera }),
      ...(scene !== 'clear' && { scene }),
    };
  }

  #detections(answer: DetectorAnswer | undefined, motion: MotionReport | undefined): readonly Detection[] {
    const proposals = motion?.proposals ?? [];
    const found = answer
      ? fuseProposals(answer.detections, proposals)
      : inheritLabels(proposals, this.#known);
    this.#known = found;
    return found;
  }
}
