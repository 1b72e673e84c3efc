import { i420Layout, type I420Layout } from '../video/frame.js';

/*
 * BT.601 limited range (ITU-R BT.601-7) in fixed point with 8 fractional bits, the inverse of i420-to-rgba.ts:
 * Y = 16 + 0.257 R + 0.504 G + 0.098 B, U = 128 − 0.148 R − 0.291 G + 0.439 B, V = 128 + 0.439 R − 0.368 G − 0.071 B.
 */
const HALF = 128;

/**
 * Converts RGBA, 4 bytes a pixel, to I420; chroma is the mean of each block of 2 × 2.
 * @param out `layout.byteLength` bytes: Y, U, V
 * @throws {RangeError} `rgba` or `out` is too short
 */
export function rgbaToI420(
  rgba: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  out: Uint8Array,
): I420Layout {
  const layout = i420Layout(width, height);
  if (rgba.length < 4 * width * height)
    throw new RangeError(`input has ${rgba.length} of ${4 * width * height} bytes`);
  if (out.length < layout.byteLength)
    throw new RangeError(`output has ${out.length} of ${layout.byteLength} bytes`);
  for (let k = 0, at = 0; k < layout.ySize; k += 1, at += 4) {
    const [r, g, b] = [rgba[at] as number, rgba[at + 1] as number, rgba[at + 2] as number];
    out[k] = ((66 * r + 129 * g + 25 * b + HALF) >> 8) + 16;
  }
  let u = layout.ySize;
  for (let y = 0; y < height; y += 2) {
    const below = y + 1 < height ? 4 * width : 0;
    for (let x = 0; x < width; x += 2, u += 1) {
      const at = 4 * (y * width + x);
      const right = x + 1 < width ? 4 : 0;
      const mean = (channel: number): number => {
        const first = at + channel;
        const sum =
          (rgba[first] as number) +
          (rgba[first + right] as number) +
          (rgba[first + below] as number) +
          (rgba[first + below + right] as number);
        return sum / 4;
      };
      const [r, g, b] = [mean(0), mean(1), mean(2)];
      out[u] = ((-38 * r - 74 * g + 112 * b + HALF) >> 8) + 128;
      out[u + layout.chromaSize] = ((112 * r - 94 * g - 18 * b + HALF) >> 8) + 128;
    }
  }
  return layout;
}
