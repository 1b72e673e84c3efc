import type { I420Layout } from '../video/frame.js';

/*
 * BT.601 limited range (ITU-R BT.601-7), in fixed point with 8 fractional bits:
 * R = 1.164 (Y − 16) + 1.596 (V − 128), G = … − 0.392 (U − 128) − 0.813 (V − 128), B = … + 2.017 (U − 128).
 */
const SHIFT = 8;
const HALF = 1 << (SHIFT - 1);
const Y_TABLE = table((y) => 298 * (y - 16) + HALF);
const RED_V = table((v) => 409 * (v - 128));
const GREEN_U = table((u) => -100 * (u - 128));
const GREEN_V = table((v) => -208 * (v - 128));
const BLUE_U = table((u) => 516 * (u - 128));
/** Covers every sum of the tables, which lies within −277…535. */
const CLAMP_OFFSET = 384;
const CLAMP = Uint8Array.from({ length: 1024 }, (_, i) => Math.min(Math.max(i - CLAMP_OFFSET, 0), 255));
const OPAQUE = 0xff000000;

function table(fn: (value: number) => number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, value) => fn(value));
}

/**
 * Converts an I420 picture to RGBA, 4 bytes a pixel, alpha 255. Chroma is repeated, not interpolated.
 *
 * @param pixels `layout.byteLength` bytes: Y, U, V
 * @param out `width × height` pixels, each `R | G << 8 | B << 16 | A << 24`: a view on RGBA bytes (little endian, as on
 *   every platform that Node runs on)
 * @throws {RangeError} `pixels` or `out` is too short
 */
export function i420ToRgba(pixels: Uint8Array, layout: I420Layout, out: Uint32Array): void {
  const { width, height, chromaWidth, ySize, chromaSize } = layout;
  if (pixels.length < layout.byteLength)
    throw new RangeError(`input has ${pixels.length} of ${layout.byteLength} bytes`);
  if (out.length < ySize) throw new RangeError(`output holds ${out.length} of ${ySize} pixels`);
  for (let row = 0; row < height; row += 1) {
    let at = row * width;
    let u = ySize + (row >> 1) * chromaWidth;
    const end = at + width;
    while (at < end) {
      const cu = pixels[u] as number;
      const cv = pixels[u + chromaSize] as number;
      const red = RED_V[cv] as number;
      const green = (GREEN_U[cu] as number) + (GREEN_V[cv] as number);
      const blue = BLUE_U[cu] as number;
      out[at] = pixel(Y_TABLE[pixels[at] as number] as number, red, green, blue);
      at += 1;
      if (at < end) {
        out[at] = pixel(Y_TABLE[pixels[at] as number] as number, red, green, blue);
        at += 1;
      }
      u += 1;
    }
  }
}

function pixel(luma: number, red: number, green: number, blue: number): number {
  return (
    (CLAMP[((luma + red) >> SHIFT) + CLAMP_OFFSET] as number) |
    ((CLAMP[((luma + green) >> SHIFT) + CLAMP_OFFSET] as number) << 8) |
    ((CLAMP[((luma + blue) >> SHIFT) + CLAMP_OFFSET] as number) << 16) |
    OPAQUE
  );
}
