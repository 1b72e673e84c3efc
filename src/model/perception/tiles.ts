import type { Box } from '../../core/maths/box.js';
import type { PxRegion } from '../../core/image/crop-i420.js';

/** Most tiles along a side: six passes more for a picture of 4:3 or 16:9, however large it is. */
const MAX_COLUMNS = 3;
const MAX_ROWS = 2;
/** How much tiles overlap, as a share of the canvas: what is smaller than that is whole in one of them. */
const OVERLAP = 0.2;
/** Nearer than this to a cut, px, a box is a part of something that goes on beyond it. */
const CUT_PX = 2;

/** A part of a picture that the detector looks at by itself. */
export interface Tile extends PxRegion {
  /** The same in fractions of the picture. */
  readonly part: Box;
}

/**
 * Overlapping tiles that show the picture to the detector in, or nearer to, its full resolution (slicing aided inference:
 * Akyon et al., 2022). None for a picture that the canvas holds as it is.
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
      ...{ left, top, width: w, height: h },
      part: [left / width, top / height, w / width, h / height] as const,
    })),
  );
}

/** Whether a cut goes through the box, or along it. Box in px of the tile. */
export function isCut(tile: Tile, [x, y, w, h]: Box, width: number, height: number): boolean {
  return (
    (tile.left > 0 && x < CUT_PX) ||
    (tile.top > 0 && y < CUT_PX) ||
    (tile.left + tile.width < width && x + w > tile.width - CUT_PX) ||
    (tile.top + tile.height < height && y + h > tile.height - CUT_PX)
  );
}

/** Starts (even) and lengths along a side. */
function spans(length: number, canvasPx: number, most: number): [start: number, length: number][] {
  const overlap = OVERLAP * canvasPx;
  const count = Math.min(most, Math.max(1, Math.ceil((length - overlap) / (canvasPx - overlap))));
  if (count === 1) return [[0, length]];
  const size = Math.min(length, Math.ceil((length + (count - 1) * overlap) / count));
  return Array.from({ length: count }, (_, k) => {
    const start = Math.floor(((length - size) * k) / (count - 1) / 2) * 2;
    return [start, k === count - 1 ? length - start : size];
  });
}
