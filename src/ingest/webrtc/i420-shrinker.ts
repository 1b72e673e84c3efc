import { i420Layout } from '../../core/video/frame.js';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export interface I420Picture extends PictureSize {
  /** Y, then U, then V. */
  readonly data: Uint8Array;
}

/** The largest size of the same shape that fits; pictures are never enlarged. */
export function fitWithin({ width, height }: PictureSize, most: PictureSize): PictureSize {
  const factor = Math.min(1, most.width / width, most.height / height);
  if (factor === 1) return { width, height };
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/**
 * Scales I420 pictures down to fit a size. Each pixel is the mean of four taps within the area it stands for, so that thin
 * things do not vanish at the factors that occur (up to 3); its buffer is reused by the next picture.
 */
export class I420Shrinker implements PictureSize {
  readonly width: number;
  readonly height: number;
  #out = new Uint8Array(0);

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  /** @returns the pixels in the size of `fitWithin`: the same array where nothing is to be done */
  shrink(picture: I420Picture): Uint8Array {
    const size = fitWithin(picture, this);
    if (size.width === picture.width && size.height === picture.height) return picture.data;
    const from = i420Layout(picture.width, picture.height);
    const to = i420Layout(size.width, size.height);
    if (this.#out.length !== to.byteLength) this.#out = new Uint8Array(to.byteLength);
    const plane = (fromAt: number, fromWidth: number, fromHeight: number, toAt: number): void =>
      shrinkPlane(
        {
          pixels: picture.data.subarray(fromAt, fromAt + fromWidth * fromHeight),
          width: fromWidth,
          height: fromHeight,
        },
        toAt === 0
          ? { pixels: this.#out.subarray(0, to.ySize), width: to.width, height: to.height }
          : {
              pixels: this.#out.subarray(toAt, toAt + to.chromaSize),
              width: to.chromaWidth,
              height: to.chromaHeight,
            },
      );
    plane(0, from.width, from.height, 0);
    plane(from.ySize, from.chromaWidth, from.chromaHeight, to.ySize);
    plane(from.ySize + from.chromaSize, from.chromaWidth, from.chromaHeight, to.ySize + to.chromaSize);
    return this.#out;
  }
}

interface Plane extends PictureSize {
  readonly pixels: Uint8Array;
}

function shrinkPlane(from: Plane, to: Plane): void {
  const left = taps(from.width, to.width, 0.25);
  const right = taps(from.width, to.width, 0.75);
  const top = taps(from.height, to.height, 0.25);
  const bottom = taps(from.height, to.height, 0.75);
  const source = from.pixels;
  const target = to.pixels;
  for (let y = 0, at = 0; y < to.height; y += 1) {
    const upper = (top[y] ?? 0) * from.width;
    const lower = (bottom[y] ?? 0) * from.width;
    for (let x = 0; x < to.width; x += 1, at += 1) {
      const l = left[x] ?? 0;
      const r = right[x] ?? 0;
      target[at] =
        ((source[upper + l] ?? 0) +
          (source[upper + r] ?? 0) +
          (source[lower + l] ?? 0) +
          (source[lower + r] ?? 0) +
          2) >>
        2;
    }
  }
}

/** Where the tap at a share of each target pixel's area lies in the source. */
function taps(from: number, to: number, share: number): Int32Array {
  return Int32Array.from({ length: to }, (_, at) =>
    Math.min(from - 1, Math.floor(((at + share) * from) / to)),
  );
}
