import type { Blob, Edges } from './blob.js';
import { toComponent, type Component, type Run } from './components.js';
import type { WorkPlanes } from '../background/planes.js';

/** Penalty of a pixel outside a blob's predicted ellipse, log likelihood per squared half axis. */
const DISTANCE_WEIGHT = 3;
/** Minimum share of the blob's area: a smaller piece is a sliver of a hidden object, and its box would be wrong. */
const MIN_SHARE = 0.25;
/** Rows and columns below this share of the side are cut, so that stray pixels at the rim do not stretch the box. */
const STRAY_SHARE = 0.12;
/** Maximum share of rows and columns that is cut from each side, because strays are few. */
const MAX_CUT = 0.2;

/**
 * Divides a component among the blobs that touch in it: each pixel goes to the blob with the highest likelihood of its colour
 * and position. Blobs that are mostly hidden get no pixels.
 */
export function splitComponent(
  { runs }: Component,
  blobs: readonly Blob[],
  predicted: ReadonlyMap<Blob, Edges>,
  frame: WorkPlanes,
): Map<Blob, Component> {
  const shapes = blobs.map((blob) => toShape(predicted.get(blob) as Edges));
  const runsByBlob: Run[][] = blobs.map(() => []);
  for (const { row, from, to } of runs) {
    let start = from;
    let owner = -1;
    for (let x = from; x < to; x += 1) {
      const best = bestOwner(frame, x, row, blobs, shapes);
      if (best === owner) continue;
      if (owner >= 0) runsByBlob[owner]?.push({ row, from: start, to: x });
      owner = best;
      start = x;
    }
    if (owner >= 0) runsByBlob[owner]?.push({ row, from: start, to });
  }
  const found = new Map<Blob, Component>();
  blobs.forEach((blob, k) => {
    const own = runsByBlob[k] ?? [];
    const area = own.reduce((sum, run) => sum + run.to - run.from, 0);
    if (area >= Math.max(1, MIN_SHARE * blob.area)) found.set(blob, trim(toComponent(own)));
  });
  return found;
}

interface Shape {
  readonly x: number;
  readonly y: number;
  readonly halfWidth: number;
  readonly halfHeight: number;
}

function toShape({ left, top, right, bottom }: Edges): Shape {
  return {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    halfWidth: (right - left) / 2,
    halfHeight: (bottom - top) / 2,
  };
}

function bestOwner(
  frame: WorkPlanes,
  x: number,
  row: number,
  blobs: readonly Blob[],
  shapes: readonly Shape[],
): number {
  let best = 0;
  let bestValue = -Infinity;
  for (let n = 0; n < blobs.length; n += 1) {
    const shape = shapes[n] as Shape;
    const dx = (x + 0.5 - shape.x) / shape.halfWidth;
    const dy = (row + 0.5 - shape.y) / shape.halfHeight;
    const colour = Math.log((blobs[n] as Blob).colours.likelihood(frame, row * frame.width + x));
    const value = colour - DISTANCE_WEIGHT * Math.max(0, dx * dx + dy * dy - 1) - 0.5 * (dx * dx + dy * dy);
    if (value > bestValue) [bestValue, best] = [value, n];
  }
  return best;
}

/** Removes the outermost rows and columns that contain only strays. */
function trim(component: Component): Component {
  const { left, top, right, bottom, runs } = component;
  const columns = new Int32Array(right - left);
  const rows = new Int32Array(bottom - top);
  for (const { row, from, to } of runs) {
    rows[row - top] = (rows[row - top] as number) + to - from;
    for (let x = from; x < to; x += 1) columns[x - left] = (columns[x - left] as number) + 1;
  }
  const [x0, x1] = solidRange(columns, STRAY_SHARE * rows.length);
  const [y0, y1] = solidRange(rows, STRAY_SHARE * columns.length);
  const trimmed = runs.flatMap(({ row, from, to }) => {
    if (row < top + y0 || row >= top + y1) return [];
    const run = { row, from: Math.max(from, left + x0), to: Math.min(to, left + x1) };
    return run.to > run.from ? [run] : [];
  });
  return trimmed.length > 0 ? toComponent(trimmed) : component;
}

function solidRange(counts: Int32Array, minCount: number): [from: number, to: number] {
  const maxCut = Math.floor(MAX_CUT * counts.length);
  let from = 0;
  while (from < maxCut && (counts[from] as number) < minCount) from += 1;
  let to = counts.length;
  while (to > counts.length - maxCut && (counts[to - 1] as number) < minCount) to -= 1;
  return [from, to];
}
