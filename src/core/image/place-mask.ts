import type { Box } from '../maths/box.js';
import { decodeMask, encodeMask } from './mask.js';
import type { Mask } from '../percept.js';

/**
 * Converts a mask of a region to a mask of the whole picture (nearest px); undefined when no px remains.
 * @param region the part of the picture that the mask covers, fractions of the picture
 * @param box bounding box of the object, fractions of the picture; px outside it are not read
 * @param size of the new mask, px
 * @throws {PresageError} bad_request — the mask cannot be decoded
 */
export function placeMask(
  mask: Mask,
  region: Box,
  box: Box,
  size: readonly [height: number, width: number],
): Mask | undefined {
  const [fromHeight, fromWidth] = mask.size;
  const [height, width] = size;
  const from = decodeMask(mask);
  const left = clamp(Math.floor(box[0] * width), 0, width - 1);
  const top = clamp(Math.floor(box[1] * height), 0, height - 1);
  const [right, bottom] = [
    clamp(Math.ceil((box[0] + box[2]) * width), left + 1, width),
    clamp(Math.ceil((box[1] + box[3]) * height), top + 1, height),
  ];
  const inside = new Uint8Array((right - left) * (bottom - top));
  let any = false;
  for (let y = top; y < bottom; y += 1) {
    const row = Math.floor((((y + 0.5) / height - region[1]) / region[3]) * fromHeight);
    if (row < 0 || row >= fromHeight) continue;
    for (let x = left; x < right; x += 1) {
      const column = Math.floor((((x + 0.5) / width - region[0]) / region[2]) * fromWidth);
      if (column < 0 || column >= fromWidth || from[row * fromWidth + column] === 0) continue;
      inside[(y - top) * (right - left) + x - left] = 1;
      any = true;
    }
  }
  return any ? encodeMask(size, { left, top, width: right - left, height: bottom - top, inside }) : undefined;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
