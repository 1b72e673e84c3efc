import { FOREGROUND, SHADE, type BackgroundPlanes } from '../background/background.js';
import { dilate, findComponents, majority, type Component } from './components.js';
import type { WorkPlanes } from '../background/planes.js';

/** Minimum area of a shade to reclassify, px. */
const MIN_AREA = 40;
/** Bin width of the histogram of brightness ratios. */
const BIN = 0.04;
const BINS = 40;
/** Maximum deviation from a shadow's own ratio: a cast shadow darkens its ground evenly. */
const EVENNESS = 0.08;
/** Minimum share of the most common ratio in a shadow. */
const MIN_MODE = 0.25;
/** An uneven area must be thicker than twice this, px, because half shadows and compression soften a shadow's rim. */
const RIM = 2;
/** Maximum gap between uneven areas, px: an object's face as dark as the shadow lies between its other faces. */
const GAP = 12;
const BLACK = 16;

/**
 * Changes uneven areas of shades to foreground, in place. Grey objects on grey ground preserve the ground's colour like a
 * shadow, but not evenly, because their faces are lit differently.
 */
export function reconsiderShades(
  marks: Uint8Array,
  background: BackgroundPlanes,
  frame: WorkPlanes,
  scratch: Uint8Array,
): void {
  const { width, height } = frame;
  majority(marks, SHADE, width, height, scratch);
  const shades = findComponents(scratch, width, height, MIN_AREA);
  for (const shade of shades) markUneven(shade, marks, background, frame);
}

function markUneven(
  shade: Component,
  marks: Uint8Array,
  background: BackgroundPlanes,
  frame: WorkPlanes,
): void {
  const { left, top, right, bottom, runs, area } = shade;
  const { width } = frame;
  const ratioAt = (k: number): number =>
    ((frame.y[k] as number) - BLACK) / Math.max(1, (background.y[k] as number) - BLACK);
  const { ratio, share } = commonestRatio(runs, width, area, ratioAt);
  const [columns, rows] = [right - left, bottom - top];
  let uneven = new Uint8Array(columns * rows);
  for (const { row, from, to } of runs)
    for (let x = from; x < to; x += 1) {
      const even = share >= MIN_MODE && Math.abs(ratioAt(row * width + x) - ratio) <= EVENNESS;
      if (!even) uneven[(row - top) * columns + x - left] = 1;
    }
  for (let n = 0; n < RIM; n += 1) uneven = erode(uneven, columns, rows);
  if (!uneven.includes(1)) return;
  const thick = new Uint8Array(uneven.length);
  for (let n = 0; n < RIM; n += 1) dilate(uneven, columns, rows, thick);
  thick.set(uneven);
  for (let row = 0; row < rows; row += 1) bridge(uneven, row * columns, 1, columns, thick);
  for (let x = 0; x < columns; x += 1) bridge(uneven, x, columns, rows, thick);
  for (let row = 0; row < rows; row += 1)
    for (let x = 0; x < columns; x += 1) {
      const k = (top + row) * width + left + x;
      if (thick[row * columns + x] !== 0 && marks[k] === SHADE) marks[k] = FOREGROUND;
    }
}

/** Sets the marks of a line and the pixels between two marks at most GAP apart. */
function bridge(marks: Uint8Array, start: number, step: number, count: number, out: Uint8Array): void {
  let last = -Infinity;
  for (let n = 0; n < count; n += 1) {
    if (marks[start + n * step] === 0) continue;
    const from = n - last <= GAP + 1 ? last : n;
    for (let m = from; m <= n; m += 1) out[start + m * step] = 1;
    last = n;
  }
}

/** Returns the most common ratio of the shade and the share of its pixels around it. */
function commonestRatio(
  runs: Component['runs'],
  width: number,
  area: number,
  ratioAt: (k: number) => number,
): { ratio: number; share: number } {
  const counts = new Float64Array(BINS);
  for (const { row, from, to } of runs)
    for (let k = row * width + from, end = row * width + to; k < end; k += 1) {
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor(ratioAt(k) / BIN)));
      counts[bin] = (counts[bin] as number) + 1;
    }
  let best = 1;
  const around = (bin: number): number =>
    (counts[bin - 1] as number) + (counts[bin] as number) + (counts[bin + 1] as number);
  for (let bin = 2; bin < BINS - 1; bin += 1) if (around(bin) > around(best)) best = bin;
  return { ratio: (best + 0.5) * BIN, share: around(best) / area };
}

/** Keeps pixels that are set with all 8 neighbours; pixels beyond the edges count as not set. */
function erode(marks: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(marks.length);
  for (let row = 1; row < height - 1; row += 1)
    for (let x = 1, k = row * width + 1; x < width - 1; x += 1, k += 1) {
      const above =
        (marks[k - width - 1] as number) & (marks[k - width] as number) & (marks[k - width + 1] as number);
      const level = (marks[k - 1] as number) & (marks[k] as number) & (marks[k + 1] as number);
      const below =
        (marks[k + width - 1] as number) & (marks[k + width] as number) & (marks[k + width + 1] as number);
      out[k] = above & level & below;
    }
  return out;
}
