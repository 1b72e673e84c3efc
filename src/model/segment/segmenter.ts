import type { Box, Point } from '../../core/maths/box.js';
import type { Mask } from '../../core/percept.js';
import type { FeatureView } from '../detector/detector.js';

/** What to cut out: a box, or points, or both. All in fractions of the frame. */
export interface Prompt {
  readonly box?: Box;
  readonly points?: readonly PromptPoint[];
}

interface PromptPoint {
  readonly at: Point;
  /** Whether the point lies on the thing (the default) or beside it. */
  readonly on?: boolean;
}

/** What was found for one prompt. */
export interface Segment {
  /** Absent when nothing was found there. */
  readonly mask?: Mask;
  /** How well the mask fits by the model's own estimate: its expected IoU, 0–1. */
  readonly quality: number;
  /** Appearance of what the mask shows, unit length, from segmenters that make one. */
  readonly embedding?: Float32Array;
}

/** The picture to segment: I420 (BT.601 limited range), Y, then U, then V. */
export interface SegmentView {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** What the detector saw of this picture; a segmenter that works on it needs it. */
  readonly features?: FeatureView;
}

/** Promptable segmentation. Calls do not overlap. */
export interface Segmenter extends AsyncDisposable {
  /** `name@version` of its model. */
  readonly name: string;
  /**
   * One segment per prompt, in their order. Masks are of the frame's aspect ratio, at most `MAX_MASK_SIDE_PX` long.
   * @throws PresageError `inference_failed`; `worker_crashed` (retryable)
   */
  segment(view: SegmentView, prompts: readonly Prompt[]): Promise<readonly Segment[]>;
  close(): Promise<void>;
}

/** Masks of larger frames are coarser than the frame: nobody sees the difference, and everybody pays for it. */
const MAX_MASK_SIDE_PX = 1024;

/** Size of the masks of a frame: the frame's own, or the largest whole fraction of it within the limit. */
export function maskSize(width: number, height: number): readonly [height: number, width: number] {
  const divisor = Math.ceil(Math.max(width, height) / MAX_MASK_SIDE_PX);
  return [Math.max(1, Math.round(height / divisor)), Math.max(1, Math.round(width / divisor))];
}
