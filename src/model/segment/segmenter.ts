import type { Box, Point } from '../../core/maths/box.js';
import type { Mask } from '../../core/percept.js';
import type { FeatureView } from '../detector/detector.js';

/** The object to segment: a box, or points, or both. All in fractions of the frame. */
export interface Prompt {
  readonly box?: Box;
  readonly points?: readonly PromptPoint[];
}

interface PromptPoint {
  readonly at: Point;
  /** True (default): the point lies on the object. False: it lies outside. */
  readonly on?: boolean;
}

/** The result for one prompt. */
export interface Segment {
  /** Absent when nothing was found. */
  readonly mask?: Mask;
  /** The model's estimate of the mask's IoU, 0–1. */
  readonly quality: number;
  /** Appearance of the object, unit length, from segmenters that compute one. */
  readonly embedding?: Float32Array;
}

/** The picture to segment: I420 (BT.601 limited range), Y, then U, then V. */
export interface SegmentView {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** The detector's feature maps of this picture, which some segmenters require. */
  readonly features?: FeatureView;
}

/** Promptable segmentation. Calls do not overlap. */
export interface Segmenter extends AsyncDisposable {
  /** `name@version` of its model. */
  readonly name: string;
  /**
   * Returns one segment per prompt, in order. Masks have the frame's aspect ratio and sides up to `MAX_MASK_SIDE_PX`.
   * @throws {PresageError} inference_failed, worker_crashed (retryable)
   */
  segment(view: SegmentView, prompts: readonly Prompt[]): Promise<readonly Segment[]>;
  close(): Promise<void>;
}

/** Maximum side of a mask: finer masks of larger frames have a cost without a visible difference. */
const MAX_MASK_SIDE_PX = 1024;

/** Returns the size of the masks of a frame: the frame's own, or the largest whole fraction of it within the limit, px. */
export function maskSize(width: number, height: number): readonly [height: number, width: number] {
  const divisor = Math.ceil(Math.max(width, height) / MAX_MASK_SIDE_PX);
  return [Math.max(1, Math.round(height / divisor)), Math.max(1, Math.round(width / divisor))];
}
