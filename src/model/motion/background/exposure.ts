import type { BackgroundPlanes } from './background.js';
import type { WorkPlanes } from './planes.js';

/** The frame as a function of the background: y ↦ gain · y + offset, and chroma about 128 times `chroma`. */
export interface Exposure {
  readonly gain: number;
  readonly offset: number;
  readonly chroma: number;
}

const SAMPLES = 3000;
const ROUNDS = 4;
/** Minimum change of gain: the background's updates compensate smaller changes. */
const MIN_GAIN = 0.01;
/** Minimum change of offset, grey levels. */
const MIN_OFFSET = 1;
/** Minimum share of the difference that the fit must explain. */
const MIN_GAIN_OF_FIT = 0.15;
/** Weight of the prior "no change" in samples: determines the gain where the picture has one brightness only. */
const PRIOR_SAMPLES = 20;
/** Luma outside this range is clipped and carries no information about the gain. */
const [DARK, BRIGHT] = [18, 233];

/**
 * Estimates a global change of exposure by iteratively trimmed least squares over samples of the picture; undefined when it
 * is negligible. Objects are outliers as long as they cover less than half of the picture.
 *
 * @param skip above 0: pixels of objects in the last frame, which are excluded
 */
export function fitExposure(
  background: BackgroundPlanes,
  frame: WorkPlanes,
  skip: Uint8Array,
): Exposure | undefined {
  const at = samplePlaces(background, frame, skip);
  if (at.length < SAMPLES / 10) return undefined;
  const residual = (k: number, gain: number, offset: number): number =>
    (frame.y[k] as number) - gain * (background.y[k] as number) - offset;
  let [gain, offset] = [1, median(at.map((k) => residual(k, 1, 0)))];
  for (let round = 0; round < ROUNDS; round += 1) {
    const errors = at.map((k) => Math.abs(residual(k, gain, offset)));
    const limit = 2.5 * median(errors) + 1;
    [gain, offset] = leastSquares(
      background,
      frame,
      at.filter((_, n) => (errors[n] as number) <= limit),
    );
  }
  if (Math.abs(gain - 1) < MIN_GAIN && Math.abs(offset) < MIN_OFFSET) return undefined;
  const before = median(at.map((k) => Math.abs(residual(k, 1, 0))));
  const after = median(at.map((k) => Math.abs(residual(k, gain, offset))));
  if (!(after < (1 - MIN_GAIN_OF_FIT) * before - 0.3)) return undefined;
  return { gain, offset, chroma: fitChroma(background, frame, at) };
}

/** Converts the background to the new exposure, in place. */
export function applyExposure(background: BackgroundPlanes, { gain, offset, chroma }: Exposure): void {
  const { y, u, v } = background;
  for (let k = 0; k < y.length; k += 1) {
    y[k] = Math.min(255, Math.max(0, gain * (y[k] as number) + offset));
    u[k] = 128 + chroma * ((u[k] as number) - 128);
    v[k] = 128 + chroma * ((v[k] as number) - 128);
  }
}

function samplePlaces(background: BackgroundPlanes, frame: WorkPlanes, skip: Uint8Array): number[] {
  const size = frame.y.length;
  const step = Math.max(1, Math.floor(size / SAMPLES)) | 1;
  const at: number[] = [];
  for (let k = step >> 1; k < size; k += step) {
    const [p, b] = [frame.y[k] as number, background.y[k] as number];
    if (skip[k] === 0 && p > DARK && p < BRIGHT && b > DARK && b < BRIGHT) at.push(k);
  }
  return at;
}

function leastSquares(
  background: BackgroundPlanes,
  frame: WorkPlanes,
  at: readonly number[],
): [gain: number, offset: number] {
  let [n, b1, b2, p1, bp] = [0, 0, 0, 0, 0];
  for (const k of at) {
    const [b, p] = [background.y[k] as number, frame.y[k] as number];
    n += 1;
    b1 += b;
    b2 += b * b;
    p1 += p;
    bp += b * p;
  }
  if (n === 0) return [1, 0];
  // The prior is a few samples of two unchanged brightnesses about the mean.
  const [low, high] = [b1 / n - 30, b1 / n + 30];
  const w = PRIOR_SAMPLES / 2;
  // Centred on the observed shift, so that the prior applies to the gain and not to the offset.
  const shift = (p1 - b1) / n;
  n += 2 * w;
  b1 += w * (low + high);
  b2 += w * (low * low + high * high);
  p1 += w * (low + high + 2 * shift);
  bp += w * (low * (low + shift) + high * (high + shift));
  const gain = (n * bp - b1 * p1) / (n * b2 - b1 * b1);
  return [gain, (p1 - gain * b1) / n];
}

function fitChroma(background: BackgroundPlanes, frame: WorkPlanes, at: readonly number[]): number {
  let [bb, bp] = [PRIOR_SAMPLES * 100, PRIOR_SAMPLES * 100];
  for (const k of at) {
    for (const [mean, plane] of [
      [background.u, frame.u],
      [background.v, frame.v],
    ] as const) {
      const b = (mean[k] as number) - 128;
      bb += b * b;
      bp += b * ((plane[k] as number) - 128);
    }
  }
  return Math.min(3, Math.max(0.2, bp / bb));
}

function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] as number;
}
