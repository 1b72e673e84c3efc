import { i420Layout, type Frame, type I420Layout } from '../../core/frame.js';

export interface EvidenceRingOptions {
  /** Frames kept per media second. Default 5. */
  fps?: number;
  /** How far back frames are kept, s. Default 4: an event is told about a second after it happened. */
  seconds?: number;
  /** Wider frames are made smaller by a whole factor, px. Default 960. */
  maxWidth?: number;
}

/** A recent picture. Its pixels are valid until the ring takes the next frame. */
export interface EvidenceFrame {
  readonly t: number;
  readonly layout: I420Layout;
  readonly pixels: Uint8Array;
}

/** Copies of the last few seconds of frames, thinned and made smaller, in a fixed number of buffers. */
export class EvidenceRing {
  readonly #everyS: number;
  readonly #capacity: number;
  readonly #maxWidth: number;
  /** Oldest first. */
  #kept: EvidenceFrame[] = [];

  constructor(options: EvidenceRingOptions = {}) {
    const fps = options.fps ?? 5;
    this.#everyS = 1 / fps;
    this.#capacity = Math.max(Math.ceil(fps * (options.seconds ?? 4)), 1);
    this.#maxWidth = options.maxWidth ?? 960;
  }

  get size(): number {
    return this.#kept.length;
  }

  /** Copies the frame if it is time for one; the frame is not used after the call. */
  add(frame: Frame): void {
    const last = this.#kept.at(-1);
    // A tenth of the step is tolerated: media times are rounded.
    if (last !== undefined && frame.t - last.t < this.#everyS * 0.9) return;
    const factor = Math.ceil(frame.layout.width / this.#maxWidth);
    const layout =
      factor === 1
        ? frame.layout
        : i420Layout(
            Math.max(Math.floor(frame.layout.width / factor), 1),
            Math.max(Math.floor(frame.layout.height / factor), 1),
          );
    const old = this.#kept.length >= this.#capacity ? this.#kept.shift() : undefined;
    const pixels = old?.pixels.length === layout.byteLength ? old.pixels : new Uint8Array(layout.byteLength);
    if (factor === 1) pixels.set(frame.pixels.subarray(0, layout.byteLength));
    else shrink(frame, factor, layout, pixels);
    this.#kept.push({ t: frame.t, layout, pixels });
  }

  /** The kept frame nearest to a media time; undefined while there is none. */
  near(t: number): EvidenceFrame | undefined {
    return this.#kept.reduce<EvidenceFrame | undefined>(
      (best, one) => (best !== undefined && Math.abs(best.t - t) <= Math.abs(one.t - t) ? best : one),
      undefined,
    );
  }
}

function shrink(frame: Frame, factor: number, to: I420Layout, out: Uint8Array): void {
  const from = frame.layout;
  shrinkPlane(frame.pixels, 0, from.width, from.height, factor, out, 0, to.width, to.height);
  for (const plane of [0, 1]) {
    const [at, into] = [from.ySize + plane * from.chromaSize, to.ySize + plane * to.chromaSize];
    shrinkPlane(
      frame.pixels,
      at,
      from.chromaWidth,
      from.chromaHeight,
      factor,
      out,
      into,
      to.chromaWidth,
      to.chromaHeight,
    );
  }
}

/** Means of `factor × factor` pixels; blocks at the far edges stay inside the plane. */
function shrinkPlane(
  source: Uint8Array,
  sourceAt: number,
  sourceWidth: number,
  sourceHeight: number,
  factor: number,
  out: Uint8Array,
  outAt: number,
  width: number,
  height: number,
): void {
  const half = (factor * factor) >> 1;
  for (let y = 0; y < height; y += 1) {
    const top = Math.max(Math.min(y * factor, sourceHeight - factor), 0);
    for (let x = 0; x < width; x += 1) {
      const left = Math.max(Math.min(x * factor, sourceWidth - factor), 0);
      let sum = half;
      for (let dy = 0; dy < factor; dy += 1) {
        const row = sourceAt + Math.min(top + dy, sourceHeight - 1) * sourceWidth;
        for (let dx = 0; dx < factor; dx += 1)
          sum += source[row + Math.min(left + dx, sourceWidth - 1)] as number;
      }
      out[outAt + y * width + x] = sum / (factor * factor);
    }
  }
}
