import type { Frame } from '../core/frame.js';
import type { Detection, Effort } from '../core/stages.js';
import { ClipWindow } from './clip-window.js';
import type { ClipAnswer, DetectorAnswer } from './detector-protocol.js';
import { bestOf, lookOf, MAX_SEGMENTS, type AnalysisWants } from './frame-analyzer.js';
import type { Segmenter } from './segment/segmenter.js';

/** `auto`: where there is a model, unless the load does not allow it. `on`: whatever the load. */
export type MaskMode = 'auto' | 'on' | 'off';

export interface StreamLooksOptions {
  readonly masks: MaskMode;
  /** What the workers can make. */
  readonly made: { readonly masks: boolean; readonly tokens: boolean; readonly clipTokens: boolean };
  readonly encodeClip: (grids: Float32Array) => Promise<ClipAnswer>;
  /** A segmenter of its own worker, which makes the masks in place of the detector's workers. */
  readonly segmenter?: Segmenter | undefined;
  /** That segmenter looks at a frame this often, s of media time. */
  readonly segmentEveryS: number;
}

/** Frame times come as decimal numbers: one that is this much early is on time, s. */
const SLACK_S = 1e-6;

/**
 * Masks, object tokens and clip tokens of one stream: decides by media time and effort which frames get which, and adds what
 * is not made by the detector's workers themselves.
 */
export class StreamLooks {
  readonly #options: StreamLooksOptions;
  readonly #clip = new ClipWindow();
  #effort: Pick<Effort, 'masks' | 'tokens'> = { masks: true, tokens: true };
  #nextSegmentS = -Infinity;

  constructor(options: StreamLooksOptions) {
    this.#options = options;
  }

  setEffort(effort: Pick<Effort, 'masks' | 'tokens'>): void {
    this.#effort = effort;
  }

  /** What to ask of the worker for the frame at `t`. Once per frame that goes to a detector, in order. */
  wants(t: number): AnalysisWants {
    const { made, segmenter } = this.#options;
    return {
      masks: made.masks && !segmenter && this.#masksWanted,
      tokens: made.tokens && this.#effort.tokens,
      grid: made.clipTokens && this.#clip.wants(t),
    };
  }

  /**
   * The detections with everything that is still missing on them. In order, each call after the one before has settled.
   * @param detections final ones, frame fractions
   * @throws PresageError `inference_failed`, `worker_crashed` (retryable), `interrupted`
   */
  async complete(
    frame: Frame,
    { grid }: Pick<DetectorAnswer, 'grid'>,
    detections: readonly Detection[],
  ): Promise<{ detections: readonly Detection[]; clipToken?: Float32Array }> {
    const clip = grid && this.#clip.add(frame.t, grid);
    const [looked, token] = await Promise.all([
      this.#segment(frame, detections),
      clip && this.#options.encodeClip(clip),
    ]);
    return { detections: looked, ...(token?.token && { clipToken: token.token }) };
  }

  /** The scene has changed: what was seen before says nothing about it. */
  reset(): void {
    this.#clip.clear();
  }

  get #masksWanted(): boolean {
    const { masks } = this.#options;
    return masks === 'on' || (masks === 'auto' && this.#effort.masks);
  }

  async #segment(frame: Frame, detections: readonly Detection[]): Promise<readonly Detection[]> {
    const { segmenter, segmentEveryS } = this.#options;
    if (!segmenter || !this.#masksWanted || frame.t < this.#nextSegmentS - SLACK_S) return detections;
    this.#nextSegmentS = frame.t + segmentEveryS;
    const chosen = bestOf(detections, MAX_SEGMENTS);
    if (chosen.length === 0) return detections;
    const { width, height } = frame.layout;
    const prompts = chosen.flatMap((index) => detections[index] ?? []).map(({ box }) => ({ box }));
    const segments = await segmenter.segment({ pixels: frame.pixels, width, height }, prompts);
    const looked = [...detections];
    chosen.forEach((index, row) => {
      const detection = detections[index];
      if (detection) looked[index] = { ...detection, ...lookOf(segments[row]) };
    });
    return looked;
  }
}
