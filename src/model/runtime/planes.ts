import { i420Layout } from '../../core/video/frame.js';
import type { InputTensor } from './ort.js';

/** An I420 picture (BT.601 limited range): Y, then U, then V. */
export interface Picture {
  /** Models require that the bytes are not on a SharedArrayBuffer. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Returns the planes as tensors [1, 1, height, width], views on the picture's memory. */
export function i420Planes({ pixels, width, height }: Picture): Record<'y' | 'u' | 'v', InputTensor> {
  const { ySize, chromaSize, chromaWidth, chromaHeight } = i420Layout(width, height);
  const plane = (from: number, rows: number, columns: number): InputTensor => ({
    type: 'uint8',
    data: pixels.subarray(from, from + rows * columns),
    dims: [1, 1, rows, columns],
  });
  return {
    y: plane(0, height, width),
    u: plane(ySize, chromaHeight, chromaWidth),
    v: plane(ySize + chromaSize, chromaHeight, chromaWidth),
  };
}
