import type { WorkPlanes } from './planes.js';

/** Classes of pixels. */
const BACKGROUND = 0;
/** Background that is darker or brighter: a cast shadow, a reflection, a patch of light. */
export const SHADE = 1;
export const FOREGROUND = 2;

/** Mean and noise (mean absolute deviation) of every pixel without objects, grey levels; work resolution. */
export interface BackgroundPlanes {
  readonly y: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
  readonly noiseY: Float32Array;
  /** Noise of |Δu| + |Δv|. */
  readonly noiseC: Float32Array;
}

/** Minimum differences, grey levels: smaller ones are invisible and common after compression. */
const MIN_Y = 8;
const MIN_C = 7;
/** Deviations beyond this many mean absolute deviations are not noise (4 are 3.2 standard deviations). */
const NOISE_FACTOR = 4;
/** Initial noise of a pixel, grey levels. */
const FIRST_NOISE = 1.5;
/** Minimum luma above black of a cast shadow as a share of the lit floor's (half shadows; Prati et al., PAMI 2003). */
const DARKEST_SHADE = 0.4;
/** Maximum ratio of a reflection or a brighter patch of light; white objects on grey ground begin slightly above. */
const BRIGHTEST_SHADE = 1.1;
/** Minimum luma of the background above black for a meaningful ratio of lumas. */
const MIN_RATIO_LUMA = 14;
const BLACK = 16;
/** Time in which the background follows the picture, s. */
const FOLLOW_S = 10;
const NOISE_FOLLOW_S = 4;
/** Maximum noise of a pixel, grey levels: reached by pixels that flicker without an object. */
const MAX_NOISE = 24;

export function createBackground(size: number): BackgroundPlanes {
  const plane = (): Float32Array => new Float32Array(size);
  return { y: plane(), u: plane(), v: plane(), noiseY: plane(), noiseC: plane() };
}

/** Replaces the background by the frame. */
export function resetBackground(background: BackgroundPlanes, frame: WorkPlanes): void {
  background.y.set(frame.y);
  background.u.set(frame.u);
  background.v.set(frame.v);
  background.noiseY.fill(FIRST_NOISE);
  background.noiseC.fill(FIRST_NOISE);
}

/**
 * Marks each pixel BACKGROUND, SHADE or FOREGROUND. The thresholds of brightness and colour depend on the noise of the pixel;
 * a change of brightness within a cast shadow's range that preserves the colour is SHADE.
 *
 * @param slack assumed registration error, px: grey levels added to the thresholds per grey level of local contrast
 */
export function classify(
  background: BackgroundPlanes,
  frame: WorkPlanes,
  slack: number,
  out: Uint8Array,
): void {
  const { y: meanY, u: meanU, v: meanV, noiseY, noiseC } = background;
  const { y, u, v, width } = frame;
  const size = y.length;
  for (let k = 0; k < size; k += 1) {
    const by = meanY[k] as number;
    const bu = (meanU[k] as number) - 128;
    const bv = (meanV[k] as number) - 128;
    const py = y[k] as number;
    const pu = (u[k] as number) - 128;
    const pv = (v[k] as number) - 128;
    const dy = Math.abs(py - by);
    const dc = Math.abs(pu - bu) + Math.abs(pv - bv);
    let minY = MIN_Y + NOISE_FACTOR * (noiseY[k] as number);
    let minC = MIN_C + NOISE_FACTOR * (noiseC[k] as number);
    if (dy <= minY && dc <= minC) {
      out[k] = BACKGROUND;
      continue;
    }
    if (slack > 0 && k >= width && k < size - width) {
      minY += slack * contrast(meanY, k, width);
      minC += slack * (contrast(meanU, k, width) + contrast(meanV, k, width));
      if (dy <= minY && dc <= minC) {
        out[k] = BACKGROUND;
        continue;
      }
    }
    const ratio = by - BLACK > MIN_RATIO_LUMA ? (py - BLACK) / (by - BLACK) : 0;
    const shade =
      ratio >= DARKEST_SHADE &&
      ratio <= BRIGHTEST_SHADE &&
      Math.abs(pu - ratio * bu) + Math.abs(pv - ratio * bv) <= minC;
    out[k] = shade ? SHADE : FOREGROUND;
  }
}

/** Returns the largest difference across a pixel, grey levels. */
function contrast(plane: Float32Array, k: number, width: number): number {
  return Math.max(
    Math.abs((plane[k + 1] as number) - (plane[k - 1] as number)),
    Math.abs((plane[k + width] as number) - (plane[k - width] as number)),
  );
}

/**
 * Moves the background towards the frame where there is no object. Pixels of objects keep the background behind them.
 *
 * @param frozen above 0: the pixel is not updated
 * @param place index in the frame of each background pixel, negative where it is out of view; identity when omitted
 * @param dtS s since the last update
 * @param updates number of updates, this one included: the first ones have equal weights
 */
export function updateBackground(
  background: BackgroundPlanes,
  frame: WorkPlanes,
  frozen: Uint8Array,
  { dtS, updates, place }: { dtS: number; updates: number; place?: Int32Array | undefined },
): void {
  const { y: meanY, u: meanU, v: meanV, noiseY, noiseC } = background;
  const { y, u, v } = frame;
  const follow = Math.max(1 - Math.exp(-dtS / FOLLOW_S), Math.min(0.5, 1 / (updates + 1)));
  const noiseFollow = Math.max(1 - Math.exp(-dtS / NOISE_FOLLOW_S), Math.min(0.2, 1 / (updates + 1)));
  for (let k = 0; k < meanY.length; k += 1) {
    const p = place ? (place[k] as number) : k;
    if (p < 0 || frozen[p] !== 0) continue;
    const dy = (y[p] as number) - (meanY[k] as number);
    const du = (u[p] as number) - (meanU[k] as number);
    const dv = (v[p] as number) - (meanV[k] as number);
    meanY[k] = (meanY[k] as number) + follow * dy;
    meanU[k] = (meanU[k] as number) + follow * du;
    meanV[k] = (meanV[k] as number) + follow * dv;
    const wasY = noiseY[k] as number;
    const wasC = noiseC[k] as number;
    noiseY[k] = wasY + noiseFollow * (Math.min(Math.abs(dy), MAX_NOISE) - wasY);
    noiseC[k] = wasC + noiseFollow * (Math.min(Math.abs(du) + Math.abs(dv), MAX_NOISE) - wasC);
  }
}

/** Replaces one pixel of the background, at `k`, by the frame's pixel at `p`. */
export function replacePixel(background: BackgroundPlanes, k: number, frame: WorkPlanes, p: number): void {
  background.y[k] = frame.y[p] as number;
  background.u[k] = frame.u[p] as number;
  background.v[k] = frame.v[p] as number;
}
