import type { Point } from '../../../core/maths/box.js';
import type { Plane } from './pyramid.js';

/** Side of a cell, px; one corner per cell spreads the corners over the picture, with few on one object. */
const CELL = 20;
/** Sampling step of gradients, px: a corner is larger. */
const STEP = 2;
/** Half side of the window of structure tensor and matching, px. */
const HALF = 4;
/** Minimum smaller eigenvalue of the mean structure tensor, (grey levels per px)²: below, noise and compression dominate. */
const MIN_EIGENVALUE = 12;
/** Minimum ratio of the smaller to the larger eigenvalue: an edge without a corner is ambiguous along itself. */
const MIN_ROUNDNESS = 0.06;
/** Maximum number of Newton steps per level. */
const STEPS = 6;
/** Step length at which the iteration has converged, px. */
const SETTLED = 0.03;

/**
 * Returns the best corner of each cell (Shi & Tomasi, CVPR 1994), px.
 * @param skip above 0: pixels to exclude
 */
export function findCorners({ width, height, data }: Plane, skip: Uint8Array): Point[] {
  const found: Point[] = [];
  const margin = HALF + 2;
  for (let top = margin; top < height - margin; top += CELL) {
    for (let left = margin; left < width - margin; left += CELL) {
      let best: Point | undefined;
      let bestValue = MIN_EIGENVALUE;
      const [bottom, right] = [Math.min(top + CELL, height - margin), Math.min(left + CELL, width - margin)];
      for (let y = top; y < bottom; y += 2 * STEP) {
        for (let x = left; x < right; x += 2 * STEP) {
          if (skip[y * width + x] !== 0) continue;
          const value = cornerness(data, width, x, y);
          if (value > bestValue) [bestValue, best] = [value, [x, y]];
        }
      }
      if (best) found.push(best);
    }
  }
  return found;
}

function cornerness(data: Float32Array, width: number, x: number, y: number): number {
  let [xx, yy, xy, n] = [0, 0, 0, 0];
  for (let dy = -HALF; dy <= HALF; dy += STEP) {
    for (let dx = -HALF; dx <= HALF; dx += STEP) {
      const k = (y + dy) * width + x + dx;
      const gx = ((data[k + 1] as number) - (data[k - 1] as number)) / 2;
      const gy = ((data[k + width] as number) - (data[k - width] as number)) / 2;
      xx += gx * gx;
      yy += gy * gy;
      xy += gx * gy;
      n += 1;
    }
  }
  const mean = (xx + yy) / (2 * n);
  const root = Math.hypot((xx - yy) / (2 * n), xy / n);
  return mean - root > MIN_ROUNDNESS * (mean + root) ? mean - root : 0;
}

/**
 * Finds the window around `point` of `from` in `to` (Lucas-Kanade, inverse compositional, free brightness offset).
 * Undefined when it leaves the picture, has no structure or does not converge.
 *
 * @param guess first estimate of its position in `to`
 */
export function followCorner(from: Plane, to: Plane, point: Point, guess: Point): Point | undefined {
  const { width, height, data } = from;
  const [px, py] = [Math.round(point[0]), Math.round(point[1])];
  if (!inside(px, py, width, height)) return undefined;
  const window = (2 * HALF + 1) ** 2;
  const [value, gradX, gradY] = [
    new Float32Array(window),
    new Float32Array(window),
    new Float32Array(window),
  ];
  let [xx, yy, xy, mean, meanX, meanY] = [0, 0, 0, 0, 0, 0];
  for (let dy = -HALF, n = 0; dy <= HALF; dy += 1) {
    for (let dx = -HALF; dx <= HALF; dx += 1, n += 1) {
      const k = (py + dy) * width + px + dx;
      const gx = ((data[k + 1] as number) - (data[k - 1] as number)) / 2;
      const gy = ((data[k + width] as number) - (data[k - width] as number)) / 2;
      value[n] = data[k] as number;
      gradX[n] = gx;
      gradY[n] = gy;
      mean += (data[k] as number) / window;
      meanX += gx / window;
      meanY += gy / window;
      xx += gx * gx;
      yy += gy * gy;
      xy += gx * gy;
    }
  }
  // The free offset removes the mean gradient.
  xx -= window * meanX * meanX;
  yy -= window * meanY * meanY;
  xy -= window * meanX * meanY;
  const det = xx * yy - xy * xy;
  if (det < 1e-3 * (xx + yy) ** 2 || det <= 0) return undefined;
  let [x, y] = [guess[0] + px - point[0], guess[1] + py - point[1]];
  for (let step = 0; step < STEPS; step += 1) {
    if (!inside(x, y, to.width, to.height)) return undefined;
    const [sx, sy] = mismatch(to, x, y, { value, gradX, gradY, mean, meanX, meanY });
    const [ux, uy] = [(yy * sx - xy * sy) / det, (xx * sy - xy * sx) / det];
    x += ux;
    y += uy;
    if (Math.hypot(ux, uy) < SETTLED) break;
    if (Math.hypot(ux, uy) > 2 * HALF) return undefined;
  }
  return inside(x, y, to.width, to.height) ? [x + point[0] - px, y + point[1] - py] : undefined;
}

interface Template {
  readonly value: Float32Array;
  readonly gradX: Float32Array;
  readonly gradY: Float32Array;
  readonly mean: number;
  readonly meanX: number;
  readonly meanY: number;
}

/** Returns Σ gradient · (template − picture), both about their means. */
function mismatch({ width, data }: Plane, x: number, y: number, template: Template): [number, number] {
  const { value, gradX, gradY, mean, meanX, meanY } = template;
  const [ix, iy] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - ix, y - iy];
  const [w00, w10, w01, w11] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
  let [sx, sy, sum] = [0, 0, 0];
  let n = 0;
  for (let dy = -HALF; dy <= HALF; dy += 1) {
    for (let dx = -HALF; dx <= HALF; dx += 1, n += 1) {
      const k = (iy + dy) * width + ix + dx;
      const at =
        w00 * (data[k] as number) +
        w10 * (data[k + 1] as number) +
        w01 * (data[k + width] as number) +
        w11 * (data[k + width + 1] as number);
      const error = (value[n] as number) - mean - at;
      sum += error;
      sx += (gradX[n] as number) * error;
      sy += (gradY[n] as number) * error;
    }
  }
  return [sx - meanX * sum, sy - meanY * sum];
}

function inside(x: number, y: number, width: number, height: number): boolean {
  const margin = HALF + 1;
  return x >= margin && y >= margin && x < width - margin - 1 && y < height - margin - 1;
}
