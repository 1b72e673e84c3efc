import { i420Layout } from '../../../src/core/video/frame.js';

/** Side of a patch of the texture, px. */
const PATCH = 6;
const RANDOM = Float32Array.from({ length: 2 ** 16 }, (_, k) => hash(k, 1, 3));

/** A deterministic I420 picture with drawing methods. */
export class Picture {
  readonly layout;
  readonly pixels: Uint8Array<SharedArrayBuffer>;

  constructor(
    readonly width: number,
    readonly height: number,
    luma = 120,
  ) {
    this.layout = i420Layout(width, height);
    this.pixels = new Uint8Array(new SharedArrayBuffer(this.layout.byteLength));
    this.pixels.fill(luma, 0, this.layout.ySize).fill(128, this.layout.ySize);
  }

  /** A box of one colour; edges in px, chroma 128 is grey. */
  box([left, top, width, height]: readonly number[], [y, u, v]: readonly number[]): this {
    return this.#paint(left!, top!, width!, height!, y!, u!, v!, () => true);
  }

  /** An ellipse that fills the box. */
  ball([left, top, width, height]: readonly number[], [y, u, v]: readonly number[]): this {
    return this.#paint(
      left!,
      top!,
      width!,
      height!,
      y!,
      u!,
      v!,
      (x, row) => ((x - left!) / width! - 0.5) ** 2 + ((row - top!) / height! - 0.5) ** 2 <= 0.25,
    );
  }

  /** Multiplies brightness (above black) and colour alike, as a shadow or a change of exposure does. */
  shade([left, top, width, height]: readonly number[], factor: number): this {
    const { ySize, chromaSize, chromaWidth } = this.layout;
    for (let row = Math.max(0, top!); row < Math.min(this.height, top! + height!); row += 1)
      for (let x = Math.max(0, left!); x < Math.min(this.width, left! + width!); x += 1) {
        const k = row * this.width + x;
        this.pixels[k] = Math.round(16 + factor * (this.pixels[k]! - 16));
        if (row % 2 === 1 || x % 2 === 1) continue;
        const c = ySize + (row >> 1) * chromaWidth + (x >> 1);
        this.pixels[c] = Math.round(128 + factor * (this.pixels[c]! - 128));
        this.pixels[c + chromaSize] = Math.round(128 + factor * (this.pixels[c + chromaSize]! - 128));
      }
    return this;
  }

  /** Patches of different brightness, a fixed random texture, shifted by whole px. */
  texture(amplitude: number, [shiftX, shiftY]: readonly [number, number] = [0, 0], seed = 1): this {
    for (let row = 0, k = 0; row < this.height; row += 1) {
      const patchRow = Math.floor((row - shiftY) / PATCH);
      for (let x = 0; x < this.width; x += 1, k += 1) {
        const patch = Math.floor((x - shiftX) / PATCH) + 7919 * patchRow + 104_729 * seed;
        this.pixels[k] = clamp(this.pixels[k]! + 2 * amplitude * (RANDOM[patch & 0xffff]! - 0.5));
      }
    }
    return this;
  }

  /** Independent noise of every luma pixel, ± amplitude; another one for each seed. */
  noise(amplitude: number, seed: number): this {
    const start = Math.floor(hash(seed, 5, 7) * RANDOM.length);
    for (let k = 0; k < this.layout.ySize; k += 1)
      this.pixels[k] = clamp(this.pixels[k]! + 2 * amplitude * (RANDOM[(start + k) & 0xffff]! - 0.5));
    return this;
  }

  #paint(
    left: number,
    top: number,
    width: number,
    height: number,
    y: number,
    u: number,
    v: number,
    holds: (x: number, row: number) => boolean,
  ): this {
    const { ySize, chromaSize, chromaWidth } = this.layout;
    for (let row = Math.max(0, top); row < Math.min(this.height, top + height); row += 1)
      for (let x = Math.max(0, left); x < Math.min(this.width, left + width); x += 1) {
        if (!holds(x + 0.5, row + 0.5)) continue;
        this.pixels[row * this.width + x] = y;
        const c = ySize + (row >> 1) * chromaWidth + (x >> 1);
        this.pixels[c] = u;
        this.pixels[c + chromaSize] = v;
      }
    return this;
  }
}

function clamp(value: number): number {
  return Math.min(235, Math.max(16, Math.round(value)));
}

/** Returns a deterministic pseudo-random number in 0–1. */
export function hash(a: number, b: number, c: number): number {
  let h =
    Math.imul(a + 374_761_393, 668_265_263) ^
    Math.imul(b + 974_711, 2_246_822_519) ^
    Math.imul(c, 3_266_489_917);
  h = Math.imul(h ^ (h >>> 15), 2_246_822_519);
  h = Math.imul(h ^ (h >>> 13), 3_266_489_917);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
