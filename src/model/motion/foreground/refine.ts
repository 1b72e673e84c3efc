import type { BackgroundPlanes } from '../background/background.js';
import { SHADE } from '../background/background.js';
import type { Edges } from './blob.js';
import type { WorkPlanes } from '../background/planes.js';

/** Luma of the source, px. */
interface SourceLuma {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A source pixel differs from the background by more than this plus NOISE_FACTOR times the noise, grey levels. */
const MIN_DIFFERENCE = 14;
const NOISE_FACTOR = 5;
/** The object ends at the outermost line of which this share, and at least two pixels, differ. */
const LINE_SHARE = 0.06;

interface Search {
  readonly source: SourceLuma;
  readonly work: WorkPlanes;
  readonly background: BackgroundPlanes;
  readonly marks: Uint8Array;
}

/**
 * Refines edges in work px to the source's resolution: within one and a half work px of each edge, to the outermost line that
 * differs from the background and is not a shade.
 *
 * @returns source px
 */
export function refineEdges({ left, top, right, bottom }: Edges, search: Search): Edges {
  const { source, work } = search;
  const f = work.factor;
  const rough = { left: left * f, top: top * f, right: right * f, bottom: bottom * f };
  // The work planes omit px at the far edges of the source: they belong to an object that touches the edge.
  if (right >= work.width) rough.right = source.width;
  if (bottom >= work.height) rough.bottom = source.height;
  if (f === 1) return rough;
  const [out, into] = [Math.ceil(f / 2), f + 1];
  const across = Math.max(2, LINE_SHARE * (rough.right - rough.left));
  const down = Math.max(2, LINE_SHARE * (rough.bottom - rough.top));
  const columnDiffers = (x: number): boolean => countColumn(search, x, rough) >= down;
  const rowDiffers = (y: number): boolean => countRow(search, y, rough) >= across;
  return {
    left: firstFrom(rough.left - out, rough.left + into, 1, columnDiffers) ?? rough.left,
    right:
      (firstFrom(rough.right - 1 + out, rough.right - 1 - into, -1, columnDiffers) ?? rough.right - 1) + 1,
    top: firstFrom(rough.top - out, rough.top + into, 1, rowDiffers) ?? rough.top,
    bottom:
      (firstFrom(rough.bottom - 1 + out, rough.bottom - 1 - into, -1, rowDiffers) ?? rough.bottom - 1) + 1,
  };
}

function firstFrom(
  from: number,
  to: number,
  step: 1 | -1,
  differs: (at: number) => boolean,
): number | undefined {
  for (let at = from; step > 0 ? at <= to : at >= to; at += step) if (differs(at)) return at;
  return undefined;
}

function countColumn(search: Search, x: number, { top, bottom }: Edges): number {
  if (x < 0 || x >= search.source.width) return 0;
  let count = 0;
  for (let y = top; y < bottom; y += 1) count += differsAt(search, x, y);
  return count;
}

function countRow(search: Search, y: number, { left, right }: Edges): number {
  if (y < 0 || y >= search.source.height) return 0;
  let count = 0;
  for (let x = left; x < right; x += 1) count += differsAt(search, x, y);
  return count;
}

function differsAt({ source, work, background, marks }: Search, x: number, y: number): 0 | 1 {
  const wx = Math.min(work.width - 1, Math.floor(x / work.factor));
  const wy = Math.min(work.height - 1, Math.floor(y / work.factor));
  const k = wy * work.width + wx;
  if (marks[k] === SHADE) return 0;
  const difference = Math.abs((source.pixels[y * source.width + x] as number) - (background.y[k] as number));
  return difference > MIN_DIFFERENCE + NOISE_FACTOR * (background.noiseY[k] as number) ? 1 : 0;
}
