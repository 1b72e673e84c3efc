import { i420Layout } from '../../../core/video/frame.js';

/** Input planes of motion: the frame's planes, averaged over `factor` × `factor` px, all three of one size. */
export interface WorkPlanes {
  readonly width: number;
  readonly height: number;
  /** Source px per work px, ≥ 1. */
  readonly factor: number;
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
}

/** Bounds the cost of a frame: half of 768 × 576, all of 480 × 320, a quarter of 1920 × 1080. */
const MAX_WORK_PIXELS = 160_000;
/** Minimum work side, px: in a smaller picture, objects cannot be distinguished from their surroundings. */
const MIN_WORK_SIDE = 24;

/** Creates planes for frames of a size, to be filled by `downscale`; undefined for a size that is too small. */
export function createPlanes(width: number, height: number): WorkPlanes | undefined {
  let factor = 1;
  while (Math.floor(width / factor) * Math.floor(height / factor) > MAX_WORK_PIXELS) factor += 1;
  const size = { width: Math.floor(width / factor), height: Math.floor(height / factor) };
  if (Math.min(size.width, size.height) < MIN_WORK_SIDE) return undefined;
  const plane = (): Uint8Array => new Uint8Array(size.width * size.height);
  return { ...size, factor, y: plane(), u: plane(), v: plane() };
}

/** Averages an I420 frame into `planes`. Up to `factor` − 1 px at the right and lower edge are omitted. */
export function downscale(
  pixels: Uint8Array,
  frameWidth: number,
  frameHeight: number,
  planes: WorkPlanes,
): void {
  const { ySize, chromaSize, chromaWidth } = i420Layout(frameWidth, frameHeight);
  const u = pixels.subarray(ySize, ySize + chromaSize);
  const v = pixels.subarray(ySize + chromaSize, ySize + 2 * chromaSize);
  average(pixels, frameWidth, planes, planes.factor, planes.y);
  if (planes.factor === 1) {
    double(u, chromaWidth, planes, planes.u);
    double(v, chromaWidth, planes, planes.v);
  } else {
    average(u, chromaWidth, planes, planes.factor / 2, planes.u);
    average(v, chromaWidth, planes, planes.factor / 2, planes.v);
  }
}

/** @param step source px per work px; if it is not whole, a work px averages floor(step) px from its first px on */
function average(
  source: Uint8Array,
  sourceWidth: number,
  { width, height }: WorkPlanes,
  step: number,
  out: Uint8Array,
): void {
  if (step === 1) {
    for (let row = 0; row < height; row += 1)
      out.set(source.subarray(row * sourceWidth, row * sourceWidth + width), row * width);
  } else if (step === 2) halve(source, sourceWidth, width, height, out);
  else {
    const span = Math.max(1, Math.floor(step));
    const share = 1 / (span * span);
    for (let row = 0, at = 0; row < height; row += 1) {
      const top = Math.floor(row * step) * sourceWidth;
      for (let column = 0; column < width; column += 1, at += 1) {
        let sum = 0;
        const end = top + span * sourceWidth;
        for (let from = top + Math.floor(column * step); from < end; from += sourceWidth)
          for (let k = 0; k < span; k += 1) sum += source[from + k] as number;
        out[at] = sum * share + 0.5;
      }
    }
  }
}

/** The common case of `average` with step 2, unrolled. */
function halve(
  source: Uint8Array,
  sourceWidth: number,
  width: number,
  height: number,
  out: Uint8Array,
): void {
  for (let row = 0, at = 0; row < height; row += 1) {
    let a = 2 * row * sourceWidth;
    for (let column = 0; column < width; column += 1, at += 1, a += 2) {
      const b = a + sourceWidth;
      const sum =
        (source[a] as number) + (source[a + 1] as number) + (source[b] as number) + (source[b + 1] as number);
      out[at] = (sum + 2) >> 2;
    }
  }
}

function double(
  source: Uint8Array,
  sourceWidth: number,
  { width, height }: WorkPlanes,
  out: Uint8Array,
): void {
  for (let row = 0, at = 0; row < height; row += 1) {
    const from = (row >> 1) * sourceWidth;
    for (let column = 0; column < width; column += 1, at += 1)
      out[at] = source[from + (column >> 1)] as number;
  }
}
