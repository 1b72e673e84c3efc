import { createCanvas, ImageData } from '@napi-rs/canvas';
import type { Box } from '../../core/box.js';
import { i420Layout, type I420Layout } from '../../core/frame.js';
import { i420ToRgba } from '../../core/i420-to-rgba.js';

/** Room around what is shown, as a part of its size, and the least side in px. */
const MARGIN = 0.25;
const LEAST_SIDE_PX = 64;
const QUALITY = 80;

/** A part of a picture, copied out of it. */
export interface Crop {
  readonly layout: I420Layout;
  readonly pixels: Uint8Array;
}

/**
 * The part of the picture around the boxes.
 * @param boxes fractions of the frame; at least one
 */
export function cropAround(
  { layout, pixels }: { readonly layout: I420Layout; readonly pixels: Uint8Array },
  boxes: readonly Box[],
): Crop {
  const [left, right] = side(
    boxes.map(([x, , w]) => [x, x + w]),
    layout.width,
  );
  const [top, bottom] = side(
    boxes.map(([, y, , h]) => [y, y + h]),
    layout.height,
  );
  const to = i420Layout(right - left, bottom - top);
  const out = new Uint8Array(to.byteLength);
  copyPlane(pixels, 0, layout.width, left, top, out, 0, to.width, to.height);
  for (const plane of [0, 1]) {
    const [from, into] = [layout.ySize + plane * layout.chromaSize, to.ySize + plane * to.chromaSize];
    copyPlane(
      pixels,
      from,
      layout.chromaWidth,
      left >> 1,
      top >> 1,
      out,
      into,
      to.chromaWidth,
      to.chromaHeight,
    );
  }
  return { layout: to, pixels: out };
}

/** Encodes in a thread of the canvas library. */
export async function encodeJpeg({ layout, pixels }: Crop): Promise<Buffer> {
  const { width, height } = layout;
  const bytes = new Uint8ClampedArray(width * height * 4);
  i420ToRgba(pixels, layout, new Uint32Array(bytes.buffer));
  const canvas = createCanvas(width, height);
  canvas.getContext('2d').putImageData(new ImageData(bytes, width, height), 0, 0);
  return canvas.encode('jpeg', QUALITY);
}

/** First and one past the last px of a side, even, so that chroma falls on whole px. */
function side(spans: readonly (readonly [number, number])[], length: number): [from: number, to: number] {
  const [low, high] = [
    Math.min(...spans.map(([a]) => a)) * length,
    Math.max(...spans.map(([, b]) => b)) * length,
  ];
  const half = Math.max((high - low) * (0.5 + MARGIN), LEAST_SIDE_PX / 2);
  const centre = Math.min(Math.max((low + high) / 2, half), Math.max(length - half, length / 2));
  const from = Math.max(Math.floor((centre - half) / 2) * 2, 0);
  const to = Math.min(Math.ceil((centre + half) / 2) * 2, length);
  return [Math.min(from, Math.max(length - 2, 0) & ~1), Math.max(to, from + 1)];
}

function copyPlane(
  source: Uint8Array,
  at: number,
  stride: number,
  left: number,
  top: number,
  out: Uint8Array,
  into: number,
  width: number,
  height: number,
): void {
  for (let y = 0; y < height; y++) {
    const from = at + (top + y) * stride + left;
    out.set(source.subarray(from, from + width), into + y * width);
  }
}
