import type { Box } from '../../core/maths/box.js';
import type { PxRegion } from '../../core/image/crop-i420.js';

/** Maximum number of tiles along a side: six additional passes for a picture of 4:3 or 16:9 of any size. */
const MAX_COLUMNS = 3;
const MAX_ROWS = 2;
/** Overlap of tiles as a share of the canvas: a smaller object lies completely in one of them. */
const OVERLAP = 0.2;
/** A box nearer than this to a cut shows an object that continues beyond it, px. */
const CUT_PX = 2;

/** A region of a picture on which the detector runs separately. */
export interface Tile extends PxRegion {
  /** The region in fractions of the picture. */
  readonly region: Box;
}

/**
 * Divides a picture into overlapping tiles, which the detector sees in, or nearer to, full resolution (slicing aided
 * inference: Akyon et al., 2022). Returns none for a picture that fits into the canvas.
 *
 * @param canvasPx the longer side of the detector's canvas
 */
export function tilesOf(width: number, height: number, canvasPx: number): readonly Tile[] {
  const turned = height > width;
  const columns = spans(width, canvasPx, turned ? MAX_ROWS : MAX_COLUMNS);
  const rows = spans(height, canvasPx, turned ? MAX_COLUMNS : MAX_ROWS);
  if (columns.length * rows.length === 1) return [];
  return rows.flatMap(([top, h]) =>
    columns.map(([left, w]) => ({
      left,
      top,
      width: w,
      height: h,
      region: [left / width, top / height, w / width, h / height] as const,
    })),
  );
}

/** Returns true when a cut goes through the box, or along it. Box in px of the tile; width and height of the picture, px. */
export function isCut(tile: Tile, [x, y, w, h]: Box, width: number, height: number): boolean {
  return (
    (tile.left > 0 && x < CUT_PX) ||
    (tile.top > 0 && y < CUT_PX) ||
    (tile.left + tile.width < width && x + w > tile.width - CUT_PX) ||
    (tile.top + tile.height < height && y + h > tile.height - CUT_PX)
  );
}

/** Returns starts (even) and lengths of tiles along a side, px. */
function spans(length: number, canvasPx: number, max: number): [start: number, length: number][] {
  const overlap = OVERLAP * canvasPx;
  const count = Math.min(max, Math.max(1, Math.ceil((length - overlap) / (canvasPx - overlap))));
  if (count === 1) return [[0, length]];
  const size = Math.min(length, Math.ceil((length + (count - 1) * overlap) / count));
  return Array.from({ length: count }, (_, k) => {
    const start = Math.floor(((length - size) * k) / (count - 1) / 2) * 2;
    return [start, k === count - 1 ? length - start : size];
  });
}
