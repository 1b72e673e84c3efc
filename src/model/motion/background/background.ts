import type { WorkPlanes } from './planes.js';

/** What the classifier says of a pixel. */
const BACKGROUND = 0;
/** As the background, only darker or brighter: a cast shadow, a reflection, a patch of light. */
export const SHADE = 1;
export const FOREGROUND = 2;

/** Mean and noise (mean absolute deviation) of every pixel when nothing stands before it; work resolution. */
export interface BackgroundPlanes {
  readonly y: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
  readonly noiseY: Float32Array;
  /** Of |Δu| + |Δv|. */
  readonly noiseC: Float32Array;
}

/** Differences below are invisible to the eye and common after compression, grey levels. */
const MIN_Y = 8;
const MIN_C = 7;
/** Deviations beyond this many mean absolute deviations are not noise (4 are 3.2 standard deviations). */
const NOISE_FACTOR = 4;
/** Noise assumed of a pixel before it was watched. */
const FIRST_NOISE = 1.5;
/** Luma above black of a cast shadow in shares of the lit floor's: half shadows of the sun and lamps (Prati et al., PAMI 2003). */
const DARKEST_SHADE = 0.4;
/** The same of a reflection or a brighter patch of light; white things on grey ground begin not far above. */
const BRIGHTEST_SHADE = 1.1;
/** Where the background is as dark as this, a ratio of lumas says nothing. */
const MIN_RATIO_LUMA = 14;
const BLACK = 16;
/** Time in which the background follows the picture, s. */
const FOLLOW_S = 10;
const NOISE_FOLLOW_S = 4;
/** The noise of a pixel that flickers without ever becoming an object grows up to this. */
const MAX_NOISE = 24;

export function createBackground(size: number): BackgroundPlanes {
  const plane = (): Float32Array => new Float32Array(size);
  return { y: plane(), u: plane(), v: plane(), noiseY: plane(), noiseC: plane() };
}

/** Takes the frame for the background. */
export function resetBackground(background: BackgroundPlanes, frame: WorkPlanes): void {
  background.y.set(frame.y);
  background.u.set(frame.u);
  background.v.set(frame.v);
  background.noiseY.fill(FIRST_NOISE);
  background.noiseC.fill(FIRST_NOISE);
}

/**
 * Marks each pixel BACKGROUND, SHADE or FOREGROUND. Brightness and colour are judged by the noise of the pixel itself; a
 * change of brightness that keeps the colour within a cast shadow's range is SHADE.
 *
 * @param slack grey levels added per grey level of local contrast: how badly the background may be registered, px
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

/** Largest difference across a pixel, grey levels. */
function contrast(plane: Float32Array, k: number, width: number): number {
  return Math.max(
    Math.abs((plane[k + 1] as number) - (plane[k - 1] as number)),
    Math.abs((plane[k + width] as number) - (plane[k - width] as number)),
  );
}

/**
 * Lets the background follow the frame wherever no object stands. Pixels of objects keep what lies behind them.
 *
 * @param kept above 0: not to be updated
 * @param place index in the frame of each background pixel, negative where it is out of view; identity when omitted
 * @param dtS s since the last update
 * @param looks updates so far, this one included: the first few count alike
 */
export function updateBackground(
  background: BackgroundPlanes,
  frame: WorkPlanes,
  kept: Uint8Array,
  { dtS, looks, place }: { dtS: number; looks: number; place?: Int32Array | undefined },
): void {
  const { y: meanY, u: meanU, v: meanV, noiseY, noiseC } = background;
  const { y, u, v } = frame;
  const follow = Math.max(1 - Math.exp(-dtS / FOLLOW_S), Math.min(0.5, 1 / (looks + 1)));
  const noiseFollow = Math.max(1 - Math.exp(-dtS / NOISE_FOLLOW_S), Math.min(0.2, 1 / (looks + 1)));
  for (let k = 0; k < meanY.length; k += 1) {
    const p = place ? (place[k] as number) : k;
    if (p < 0 || kept[p] !== 0) continue;
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

/** Takes the frame's pixel for the background at one place. */
export function replacePixel(background: BackgroundPlanes, k: number, frame: WorkPlanes, p: number): void {
  background.y[k] = frame.y[p] as number;
  background.u[k] = frame.u[p] as number;
  background.v[k] = frame.v[p] as number;
}
