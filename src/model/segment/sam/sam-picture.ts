import { i420Layout } from '../../../core/video/frame.js';
import { i420ToRgba } from '../../../core/image/i420-to-rgba.js';
import type { SegmentView } from '../segmenter.js';
import { resizeWeights, type LineWeights } from './resample.js';

/** RGB, [height, width, 3], 0–255. */
export interface RgbPicture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Mean and standard deviation of RGB in SAM's training (those of ImageNet), 0–255. */
const MEAN = [123.675, 116.28, 103.53] as const;
const DEVIATION = [58.395, 57.12, 57.375] as const;

export function rgbOf({ pixels, width, height }: SegmentView): RgbPicture {
  const rgba = new Uint32Array(width * height);
  i420ToRgba(pixels, i420Layout(width, height), rgba);
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgba.length; i++) {
    const colour = rgba[i] ?? 0;
    rgb[i * 3] = colour & 255;
    rgb[i * 3 + 1] = (colour >> 8) & 255;
    rgb[i * 3 + 2] = (colour >> 16) & 255;
  }
  return { pixels: rgb, width, height };
}

/** Returns the size of a picture whose longer side is scaled to `side` px. */
export function contentSize(
  width: number,
  height: number,
  side: number,
): { readonly width: number; readonly height: number } {
  const scale = side / Math.max(width, height);
  return {
    width: Math.max(1, Math.floor(width * scale + 0.5)),
    height: Math.max(1, Math.floor(height * scale + 0.5)),
  };
}

/** Resizes with antialiased bilinear interpolation, rounded after each of the two passes as in Pillow. */
export function resizeRgb(picture: RgbPicture, width: number, height: number): RgbPicture {
  if (picture.width === width && picture.height === height) return picture;
  const columns = resizeWeights(picture.width, width);
  const rows = resizeWeights(picture.height, height);
  const across = new Uint8Array(picture.height * width * 3);
  for (let y = 0; y < picture.height; y++)
    resizeLine(picture.pixels, y * picture.width * 3, columns, across, y * width * 3);
  const pixels = new Uint8Array(height * width * 3);
  const stride = width * 3;
  for (let y = 0; y < height; y++) {
    const from = (rows.first[y] ?? 0) * stride;
    for (let x = 0; x < stride; x++) {
      let sum = 0.5;
      for (let tap = 0; tap < rows.taps; tap++)
        sum += (across[from + tap * stride + x] ?? 0) * (rows.weights[y * rows.taps + tap] ?? 0);
      pixels[y * stride + x] = sum;
    }
  }
  return { pixels, width, height };
}

function resizeLine(from: Uint8Array, start: number, line: LineWeights, to: Uint8Array, at: number): void {
  for (let x = 0; x < line.length; x++) {
    const first = start + (line.first[x] ?? 0) * 3;
    let [red, green, blue] = [0.5, 0.5, 0.5];
    for (let tap = 0; tap < line.taps; tap++) {
      const weight = line.weights[x * line.taps + tap] ?? 0;
      if (weight === 0) continue;
      red += (from[first + tap * 3] ?? 0) * weight;
      green += (from[first + tap * 3 + 1] ?? 0) * weight;
      blue += (from[first + tap * 3 + 2] ?? 0) * weight;
    }
    to[at + x * 3] = red;
    to[at + x * 3 + 1] = green;
    to[at + x * 3 + 2] = blue;
  }
}

/** Returns [height, width, 3] as floats, for encoders that normalise and pad in their graph. */
export function toInterleaved({ pixels }: RgbPicture): Float32Array {
  return Float32Array.from(pixels);
}

/** Returns [3, side, side], normalised, zero beyond the picture, for encoders without preprocessing in their graph. */
export function toPlanes({ pixels, width, height }: RgbPicture, side: number): Float32Array {
  const planes = new Float32Array(3 * side * side);
  for (let channel = 0; channel < 3; channel++) {
    const [mean, deviation] = [MEAN[channel] ?? 0, DEVIATION[channel] ?? 1];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        planes[(channel * side + y) * side + x] =
          ((pixels[(y * width + x) * 3 + channel] ?? 0) - mean) / deviation;
  }
  return planes;
}
