import { iou, type Box } from '../../../core/maths/box.js';
import { encodeMask } from '../../../core/image/mask.js';
import type { Mask } from '../../../core/percept.js';
import { maskSize, type Prompt, type Segment } from '../segmenter.js';
import { resample, upsampleWeights, type LineWeights } from './resample.js';
import type { SamLogits, SamModel, SamScene } from './sam-model.js';

/** Settings of automatic mask generation; the defaults are the reference's. */
export interface GridOptions {
  /** Points along each side of the picture. */
  readonly pointsPerSide: number;
  /** Masks of lower quality are dropped. Default 0.88. */
  readonly minQuality?: number;
  /** Masks that change more than this with the threshold are dropped. Default 0.95. */
  readonly minStability?: number;
  /** Shift of the threshold for the stability test, logits. Default 1. */
  readonly stabilityOffset?: number;
  /** Of two masks whose boxes overlap by more than this (IoU) the better one stays. Default 0.7. */
  readonly nmsIou?: number;
}

/** A mask with its box, fractions of the frame. */
export interface FoundSegment extends Segment {
  readonly mask: Mask;
  readonly box: Box;
}

/** Maximum number of points along a side: bounds the number of decoder runs. */
export const MAX_POINTS_PER_SIDE = 64;

/** Converts logits of one scene to masks of its frame. */
class SamMasks {
  readonly size: readonly [height: number, width: number];
  readonly #columns: LineWeights;
  readonly #rows: LineWeights;
  readonly #frame: Float32Array;

  constructor(scene: SamScene, model: Pick<SamModel, 'side'>) {
    this.size = maskSize(scene.width, scene.height);
    const [height, width] = this.size;
    const low = model.side / 4;
    this.#columns = upsampleWeights(low, model.side, scene.content.width, width);
    this.#rows = upsampleWeights(low, model.side, scene.content.height, height);
    this.#frame = new Float32Array(height * width);
  }

  /** Returns the logits of the `index`-th mask over the frame, [height, width]; valid until the next call. */
  upsample({ logits, side }: SamLogits, index: number): Float32Array {
    const source = logits.subarray(index * side * side, (index + 1) * side * side);
    resample(source, side, { columns: this.#columns, rows: this.#rows }, this.#frame);
    return this.#frame;
  }

  /** Returns the px above 0 as a mask with its box in px; undefined when there are none. */
  threshold(frame: Float32Array): { mask: Mask; box: Box } | undefined {
    const [height, width] = this.size;
    const inside = new Uint8Array(frame.length);
    let [left, top, right, bottom] = [width, height, -1, -1];
    for (let i = 0; i < frame.length; i++) {
      if (!((frame[i] ?? 0) > 0)) continue;
      inside[i] = 1;
      const [x, y] = [i % width, Math.floor(i / width)];
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    if (right < 0) return undefined;
    const mask = encodeMask(this.size, { left: 0, top: 0, width, height, inside });
    return { mask, box: [left, top, right - left, bottom - top] };
  }
}

/**
 * Returns one segment per prompt: the best of the masks for a single point, which is ambiguous, else the first mask.
 * @throws {PresageError} inference_failed
 */
export async function segmentPrompts(
  model: SamModel,
  scene: SamScene,
  prompts: readonly Prompt[],
): Promise<Segment[]> {
  const masks = new SamMasks(scene, model);
  const segments: Segment[] = [];
  for (const prompt of prompts) {
    const answer = await model.decode(scene, prompt);
    const ambiguous = prompt.box === undefined && (prompt.points?.length ?? 0) <= 1;
    const index = ambiguous ? bestOf(answer.quality) : 0;
    const found = masks.threshold(masks.upsample(answer, index));
    const quality = Math.min(1, Math.max(0, answer.quality[index] ?? 0));
    segments.push(found ? { mask: found.mask, quality } : { quality: 0 });
  }
  return segments;
}

/**
 * Generates masks automatically: every point of a grid is a prompt; masks of low quality or low stability are dropped, and of
 * overlapping masks the best stays. Best first.
 * @throws {PresageError} inference_failed
 */
export async function segmentGrid(
  model: SamModel,
  scene: SamScene,
  options: GridOptions,
): Promise<FoundSegment[]> {
  const { minQuality = 0.88, minStability = 0.95, stabilityOffset = 1, nmsIou = 0.7 } = options;
  const masks = new SamMasks(scene, model);
  const found: { readonly mask: Mask; readonly box: Box; readonly quality: number }[] = [];
  for (const at of gridPoints(options.pointsPerSide)) {
    const answer = await model.decode(scene, { points: [{ at }] });
    // The first of several masks is for unambiguous prompts.
    for (let index = answer.quality.length > 1 ? 1 : 0; index < answer.quality.length; index++) {
      const quality = answer.quality[index] ?? 0;
      if (!(quality > minQuality)) continue;
      const frame = masks.upsample(answer, index);
      if (!(stability(frame, stabilityOffset) >= minStability)) continue;
      const one = masks.threshold(frame);
      if (one) found.push({ ...one, quality });
    }
  }
  found.sort((a, b) => b.quality - a.quality);
  const best: typeof found = [];
  for (const one of found) if (!best.some((better) => iou(better.box, one.box) > nmsIou)) best.push(one);
  const [height, width] = masks.size;
  return best.map(({ mask, box: [x, y, w, h], quality }) => ({
    mask,
    // The outermost px lie inside this box; the edges of the box for suppression pass through them.
    box: [x / width, y / height, (w + 1) / width, (h + 1) / height],
    quality: Math.min(1, Math.max(0, quality)),
  }));
}

function* gridPoints(pointsPerSide: number): Generator<readonly [number, number]> {
  const side = Math.min(MAX_POINTS_PER_SIDE, pointsPerSide);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) yield [(column + 0.5) / side, (row + 0.5) / side];
}

/** Returns the IoU of the masks at a higher and a lower threshold, 0–1. */
function stability(frame: Float32Array, offset: number): number {
  let [high, low] = [0, 0];
  for (const logit of frame) {
    if (logit > offset) high++;
    if (logit > -offset) low++;
  }
  return low === 0 ? 0 : high / low;
}

/** Returns the index of the best mask for an ambiguous prompt. */
function bestOf(quality: Float32Array): number {
  let best = quality.length > 1 ? 1 : 0;
  for (let index = best + 1; index < quality.length; index++)
    if ((quality[index] ?? 0) > (quality[best] ?? 0)) best = index;
  return best;
}
