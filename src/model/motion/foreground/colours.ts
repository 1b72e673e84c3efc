import type { Run } from './components.js';
import type { WorkPlanes } from '../background/planes.js';

/** Bins per axis of the colour histogram: luma is coarse because it changes with the light. */
const [BINS_Y, BINS_C] = [8, 16];
const BINS = BINS_Y * BINS_C * BINS_C;
/** Weight of the newest picture. */
const FOLLOW = 0.1;
/** Range of chroma about grey that the bins cover: values outside are rare, and finer bins inside discriminate better. */
const [MIN_CHROMA, CHROMA_STEP] = [64, 8];

/** Colours of an object: a histogram of YUV, smoothed over its pictures. Values are pixel counts. */
export class ColourModel {
  readonly #bins = new Float32Array(BINS);
  #total = 0;

  learn(frame: WorkPlanes, runs: readonly Run[]): void {
    const keep = this.#total === 0 ? 0 : 1 - FOLLOW;
    for (let k = 0; k < BINS; k += 1) this.#bins[k] = (this.#bins[k] as number) * keep;
    const gain = this.#total === 0 ? 1 : FOLLOW;
    this.#total *= keep;
    for (const { row, from, to } of runs) {
      for (let k = row * frame.width + from, end = row * frame.width + to; k < end; k += 1) {
        const bin = binOf(frame, k);
        this.#bins[bin] = (this.#bins[bin] as number) + gain;
      }
      this.#total += gain * (to - from);
    }
  }

  /** Returns the share of the object's pixels in the colour bin of this pixel, > 0 through additive smoothing. */
  likelihood(frame: WorkPlanes, k: number): number {
    return ((this.#bins[binOf(frame, k)] as number) + 1) / (this.#total + BINS / 8);
  }
}

function binOf({ y, u, v }: WorkPlanes, k: number): number {
  return (
    ((((y[k] as number) >> 5) * BINS_C + chromaBin(u[k] as number)) * BINS_C + chromaBin(v[k] as number)) | 0
  );
}

function chromaBin(chroma: number): number {
  return Math.min(BINS_C - 1, Math.max(0, Math.floor((chroma - MIN_CHROMA) / CHROMA_STEP)));
}
