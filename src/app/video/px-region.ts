import type { Box } from '../../core/box.js';
import type { PxRegion } from '../../core/crop-i420.js';
import type { I420Layout } from '../../core/frame.js';

/** Smallest side of a part of a picture, px: a smaller one grows about its centre. */
const LEAST_SIDE_PX = 64;

/** A part of the frame in whole px, its upper left even, inside the frame. */
export function pxRegion(
  [x, y, w, h]: Box,
  { width, height }: Pick<I420Layout, 'width' | 'height'>,
): PxRegion {
  const [left, right] = side(x * width, (x + w) * width, width);
  const [top, bottom] = side(y * height, (y + h) * height, height);
  return { left, top, width: right - left, height: bottom - top };
}

function side(low: number, high: number, length: number): [from: number, to: number] {
  const half = Math.min(Math.max((high - low) / 2, LEAST_SIDE_PX / 2), length / 2);
  const centre = Math.min(Math.max((low + high) / 2, half), length - half);
  const from = Math.max(Math.floor((centre - half) / 2) * 2, 0);
  return [from, Math.min(Math.ceil(centre + half), length)];
}
