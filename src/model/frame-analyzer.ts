import type { Box } from '../core/box.js';
import type { Detection } from '../core/stages.js';
import { ClipEncoder, type ClipEncoderOptions } from './clip-encoder.js';
import { Detector, type DetectorOptions } from './detector.js';
import type { Letterbox } from './letterbox.js';
import type { Picture } from './planes.js';
import { ObjectHead, type ObjectHeadOptions } from './segment/object-head.js';
import type { Segment } from './segment/segmenter.js';

/** What one worker loads. */
export interface AnalyzerOptions extends DetectorOptions {
  /** Labels that are reported; detections of others are dropped, and cost no mask. Default: all. */
  readonly labels?: readonly string[];
  /** Makes masks, object tokens and the grids of clip tokens; without it there are none. */
  readonly objects?: ObjectHeadOptions;
  readonly clip?: ClipEncoderOptions;
}

/** A box that something other than the detector proposed. */
export interface ScoredBox {
  /** Fractions of the frame. */
  readonly box: Box;
  /** 0–1; competes with the detections' scores for the places in `MAX_SEGMENTS`. */
  readonly score: number;
}

/** What is wanted beyond detections. */
export interface AnalysisWants {
  readonly masks?: boolean;
  readonly tokens?: boolean;
  /** The pooled features of the whole picture, for the clip token. */
  readonly grid?: boolean;
  /** Boxes that get masks and tokens beside the detections. */
  readonly prompts?: readonly ScoredBox[];
}

export interface FrameAnalysis {
  readonly fit: Letterbox;
  /** Best first, with masks and tokens where wanted. */
  readonly detections: Detection[];
  /** Masks and tokens of the prompts, in their order. */
  readonly prompted: readonly ObjectLook[];
  /** Detections and prompts that got neither mask nor token because there were too many. */
  readonly unsegmented: number;
  /** [48, 256] */
  readonly grid?: Float32Array;
}

/** What can be said of an object beyond its box. */
export type ObjectLook = Pick<Detection, 'mask' | 'token'>;

/** Most boxes of one frame that get masks and tokens, by score: bounds the head's cost on a crowded picture. */
export const MAX_SEGMENTS = 64;

/** All models that look at one frame, one after the other on one thread. Blocks it while they compute. */
export class FrameAnalyzer implements AsyncDisposable {
  readonly #detector: Detector;
  readonly #head: ObjectHead | undefined;
  readonly #clip: ClipEncoder | undefined;
  readonly #labels: ReadonlySet<string> | undefined;

  private constructor(parts: {
    detector: Detector;
    head: ObjectHead | undefined;
    clip: ClipEncoder | undefined;
    labels: ReadonlySet<string> | undefined;
  }) {
    this.#detector = parts.detector;
    this.#head = parts.head;
    this.#clip = parts.clip;
    this.#labels = parts.labels;
  }

  /** @throws PresageError `model_invalid` or `device_unavailable` */
  static async open({ labels, objects, clip, ...detector }: AnalyzerOptions): Promise<FrameAnalyzer> {
    return new FrameAnalyzer({
      detector: await Detector.open(detector),
      head: objects && (await ObjectHead.open(objects)),
      clip: clip && (await ClipEncoder.open(clip)),
      labels: labels && new Set(labels),
    });
  }

  /** @throws PresageError `inference_failed` */
  async analyze(picture: Picture, wants: AnalysisWants): Promise<FrameAnalysis> {
    const { masks = false, tokens = false, grid = false, prompts = [] } = wants;
    const head = masks || tokens || grid ? this.#head : undefined;
    const { fit, detections: found, features, own } = await this.#detector.detect(picture, head !== undefined);
    const detections = this.#labels ? found.filter(({ label }) => this.#labels?.has(label)) : found;
    if (!head || !features)
      return { fit, detections, prompted: prompts.map(() => ({})), unsegmented: 0 };
    const boxes = [...detections, ...prompts];
    const chosen = masks || tokens ? bestOf(boxes, MAX_SEGMENTS) : [];
    const view = { ...own, features };
    const asked = chosen.map((index) => ({ box: boxes[index]?.box ?? [0, 0, 1, 1] }) as const);
    const findings = await head.run(view, asked, { masks, tokens, grid });
    const looks: ObjectLook[] = boxes.map(() => ({}));
    chosen.forEach((index, row) => (looks[index] = lookOf(findings.segments[row])));
    return {
      fit,
      detections: detections.map((detection, index) => ({ ...detection, ...looks[index] })),
      prompted: looks.slice(detections.length),
      unsegmented: masks || tokens ? boxes.length - chosen.length : 0,
      ...(findings.grid && { grid: findings.grid }),
    };
  }

  /**
   * @param grids of the last seconds, see `ClipEncoder`
   * @returns undefined where there is no clip model
   * @throws PresageError `inference_failed`
   */
  async encodeClip(grids: Float32Array): Promise<Float32Array | undefined> {
    return this.#clip?.encode(grids);
  }

  async close(): Promise<void> {
    await this.#clip?.close();
    await this.#head?.close();
    await this.#detector.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Indices of the boxes with the highest scores, in the order of the boxes. */
export function bestOf(boxes: readonly ScoredBox[], most: number): number[] {
  const indices = boxes.map((_, index) => index);
  if (boxes.length <= most) return indices;
  const score = (index: number): number => boxes[index]?.score ?? 0;
  return indices
    .sort((a, b) => score(b) - score(a) || a - b)
    .slice(0, most)
    .sort((a, b) => a - b);
}

/** A segment as a detection carries it. */
export function lookOf(segment: Segment | undefined): ObjectLook {
  return {
    ...(segment?.mask && { mask: segment.mask }),
    ...(segment?.token && { token: segment.token }),
  };
}
