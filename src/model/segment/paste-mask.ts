import type { Box } from '../../core/maths/box.js';
import { encodeMask } from '../../core/image/mask.js';
import type { Mask } from '../../core/percept.js';

/** Samples of a mask on a regular grid over a box. */
export interface MaskGrid {
  /** [side, side], row by row: probability that the cell's centre lies on the object. */
  readonly probabilities: Float32Array;
  readonly side: number;
  /** Extent of the grid, in fractions of the frame; may reach beyond the frame. */
  readonly box: Box;
}

/** Minimum probability of a px inside the mask. */
const INSIDE = 0.5;

/** Enlarges the sides of a box by a share of their length, about its centre. */
export function enlargeBox([x, y, width, height]: Box, margin: number): Box {
  return [x - (width * margin) / 2, y - (height * margin) / 2, width * (1 + margin), height * (1 + margin)];
}

/**
 * Resamples a grid to a mask of the frame: bilinear between the cells' centres, constant beyond the outermost, background
 * outside the grid. Undefined when no px is inside.
 *
 * @param size of the mask, px
 */
export function pasteMask(grid: MaskGrid, size: readonly [height: number, width: number]): Mask | undefined {
  const [height, width] = size;
  const columns = new Taps(grid.box[0] * width, grid.box[2] * width, width, grid.side);
  const rows = new Taps(grid.box[1] * height, grid.box[3] * height, height, grid.side);
  const inside = new Uint8Array(columns.count * rows.count);
  let any = false;
  for (let y = 0; y < rows.count; y++) {
    const [above, below] = [(rows.low[y] ?? 0) * grid.side, (rows.high[y] ?? 0) * grid.side];
    const down = rows.weight[y] ?? 0;
    for (let x = 0; x < columns.count; x++) {
      const [left, right] = [columns.low[x] ?? 0, columns.high[x] ?? 0];
      const across = columns.weight[x] ?? 0;
      const { probabilities: p } = grid;
      const top = (p[above + left] ?? 0) * (1 - across) + (p[above + right] ?? 0) * across;
      const bottom = (p[below + left] ?? 0) * (1 - across) + (p[below + right] ?? 0) * across;
      if (top * (1 - down) + bottom * down < INSIDE) continue;
      inside[y * columns.count + x] = 1;
      any = true;
    }
  }
  if (!any) return undefined;
  return encodeMask(size, {
    left: columns.first,
    top: rows.first,
    width: columns.count,
    height: rows.count,
    inside,
  });
}

/** Interpolation of a row or column of px: the adjacent cells of the grid and the weight of the higher one. */
class Taps {
  /** First px whose centre the grid covers. */
  readonly first: number;
  /** Number of px whose centres the grid covers. */
  readonly count: number;
  readonly low: Uint16Array;
  readonly high: Uint16Array;
  readonly weight: Float32Array;

  /**
   * @param start of the grid, px
   * @param length of the grid, px
   * @param limit length of the frame, px
   * @param side cells of the grid
   */
  constructor(start: number, length: number, limit: number, side: number) {
    this.first = Math.min(limit, Math.max(0, Math.ceil(start - 0.5)));
    this.count = Math.max(0, Math.min(limit, Math.ceil(start + length - 0.5)) - this.first);
    this.low = new Uint16Array(this.count);
    this.high = new Uint16Array(this.count);
    this.weight = new Float32Array(this.count);
    for (let i = 0; i < this.count; i++) {
      const cell = ((this.first + i + 0.5 - start) / length) * side - 0.5;
      const low = Math.min(side - 1, Math.max(0, Math.floor(cell)));
      this.low[i] = low;
      this.high[i] = Math.min(side - 1, low + 1);
      this.weight[i] = Math.min(1, Math.max(0, cell - low));
    }
  }
}
