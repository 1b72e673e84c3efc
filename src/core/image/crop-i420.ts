import type { Box } from '../maths/box.js';
import { i420Layout, type I420Layout } from '../video/frame.js';

/** A region of a picture in px; `left` and `top` are even, so that chroma falls on whole px. */
export interface PxRegion {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Copies a region of an I420 picture to shared memory, which workers read without a copy. */
export function cropI420(
  pixels: Uint8Array,
  layout: I420Layout,
  { left, top, width, height }: PxRegion,
): Uint8Array<SharedArrayBuffer> {
  const to = i420Layout(width, height);
  const out = new Uint8Array(new SharedArrayBuffer(to.byteLength));
  const copy = (
    at: number,
    stride: number,
    x: number,
    y: number,
    into: number,
    w: number,
    h: number,
  ): void => {
    for (let row = 0; row < h; row += 1) {
      const from = at + (y + row) * stride + x;
      out.set(pixels.subarray(from, from + w), into + row * w);
    }
  };
  copy(0, layout.width, left, top, 0, width, height);
  for (const plane of [0, 1]) {
    const [at, into] = [layout.ySize + plane * layout.chromaSize, to.ySize + plane * to.chromaSize];
    copy(at, layout.chromaWidth, left >> 1, top >> 1, into, to.chromaWidth, to.chromaHeight);
  }
  return out;
}

/** Minimum side of a region, px: a smaller region grows about its centre. */
const MIN_SIDE_PX = 64;

/** Converts a box (fractions of the frame) to a region of whole px inside the frame, with an even upper left corner. */
export function pxRegion(
  [x, y, w, h]: Box,
  { width, height }: Pick<I420Layout, 'width' | 'height'>,
): PxRegion {
  const [left, right] = side(x * width, (x + w) * width, width);
  const [top, bottom] = side(y * height, (y + h) * height, height);
  return { left, top, width: right - left, height: bottom - top };
}

function side(low: number, high: number, length: number): [from: number, to: number] {
  const half = Math.min(Math.max((high - low) / 2, MIN_SIDE_PX / 2), length / 2);
  const centre = Math.min(Math.max((low + high) / 2, half), length - half);
  const from = Math.max(Math.floor((centre - half) / 2) * 2, 0);
  return [from, Math.min(Math.ceil(centre + half), length)];
}
