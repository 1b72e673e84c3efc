import { inPolygon, type Point } from './box.js';

/** Columns and rows of the grid over the frame: a cell is 30 × 17 px at 1080p, about a tenth of a person. */
const CELLS = 64;
/** Index of every position outside the frame. */
const OUTSIDE_FRAME = CELLS * CELLS;
/** Positions nearer than this to an edge, px, are always compared with the edge: rounding errors are far smaller. */
const MARGIN_PX = 1e-3;

const UNKNOWN = 0;
const OUTSIDE = 1;
const INSIDE = 2;
const MIXED = 3;

/** Width and height of a frame, px. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** The grid that all polygons of a frame share, so that the cell of a position is computed once for all of them. */
export class FrameGrid {
  /** Number of cells: indices are 0 to `size` − 1. */
  static readonly size = OUTSIDE_FRAME + 1;
  readonly #frame: Size;
  readonly #perX: number;
  readonly #perY: number;

  /** Size of a cell, px. */
  readonly cellWidth: number;
  readonly cellHeight: number;

  /** @param frame a side of 0 px counts as 1 px */
  constructor({ width, height }: Size) {
    this.#frame = { width: Math.max(width, 1), height: Math.max(height, 1) };
    this.cellWidth = this.#frame.width / CELLS;
    this.cellHeight = this.#frame.height / CELLS;
    this.#perX = 1 / this.cellWidth;
    this.#perY = 1 / this.cellHeight;
  }

  /** True where the frame contains the whole polygon, px. */
  holds(polygon: readonly Point[]): boolean {
    const { width, height } = this.#frame;
    return polygon.every(([x, y]) => x >= 0 && y >= 0 && x <= width && y <= height);
  }

  /** Index of the cell of a position, px. */
  cellAt(x: number, y: number): number {
    const { width, height } = this.#frame;
    if (!(x >= -MARGIN_PX && y >= -MARGIN_PX && x <= width + MARGIN_PX && y <= height + MARGIN_PX))
      return OUTSIDE_FRAME;
    return bounded(y * this.#perY) * CELLS + bounded(x * this.#perX);
  }
}

/** The edges of a polygon that decide whether a position in one cell is inside. */
interface CellEdges {
  /** Parity of the edges that every position of the cell passes. */
  readonly base: boolean;
  /** Corners of the others: x0, y0, x1, y1 of each, px. */
  readonly edges: Float64Array;
}

/** An edge clipped to a row of cells. */
interface RowEdge {
  readonly at: number;
  /** Range of x within the row, px. */
  readonly left: number;
  readonly right: number;
  /** True where it passes through the whole height of the row. */
  readonly spans: boolean;
}

/**
 * A polygon prepared for many tests: positions in cells that no edge touches need no comparison, the others are
 * compared with the few edges near their cell. `contains` returns exactly what `inPolygon` returns.
 */
export class PolygonIndex {
  readonly polygon: readonly Point[];
  /** Smallest rectangle that contains the polygon, px. */
  readonly bounds: readonly [left: number, top: number, right: number, bottom: number];
  readonly grid: FrameGrid;
  readonly #corners: Float64Array;
  readonly #kinds = new Uint8Array(FrameGrid.size);
  readonly #rows: readonly RowEdge[][];
  readonly #lists = new Map<number, CellEdges>();

  /** @param polygon corners, px */
  constructor(polygon: readonly Point[], grid: FrameGrid) {
    this.polygon = polygon;
    this.grid = grid;
    const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
    this.bounds = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    this.#corners = cornersOf(polygon);
    this.#rows = Array.from({ length: CELLS }, (): RowEdge[] => []);
    this.#kinds[OUTSIDE_FRAME] = grid.holds(polygon) ? OUTSIDE : MIXED;
    this.#lists.set(OUTSIDE_FRAME, { base: false, edges: this.#corners });
    for (let at = 0; at < this.#corners.length; at += 4) this.#draw(at);
  }

  /** True where all positions of the cell lie inside, false where all lie outside, undefined where an edge passes. */
  whole(cell: number): boolean | undefined {
    let kind = this.#kinds[cell];
    if (kind === UNKNOWN) {
      const x = ((cell % CELLS) + 0.5) * this.grid.cellWidth;
      const y = (Math.floor(cell / CELLS) + 0.5) * this.grid.cellHeight;
      kind = inPolygon(x, y, this.polygon) ? INSIDE : OUTSIDE;
      this.#kinds[cell] = kind;
    }
    return kind === MIXED ? undefined : kind === INSIDE;
  }

  /** @param cell that of the position: `grid.cellAt(x, y)` */
  contains(x: number, y: number, cell: number): boolean {
    const whole = this.whole(cell);
    if (whole !== undefined) return whole;
    const { base, edges } = this.#edgesOf(cell);
    let inside = base;
    for (let i = 0; i < edges.length; i += 4) {
      const y0 = edges[i + 1] as number;
      const y1 = edges[i + 3] as number;
      if (y0 > y === y1 > y) continue;
      const x0 = edges[i] as number;
      if (x < x0 + ((y - y0) * ((edges[i + 2] as number) - x0)) / (y1 - y0)) inside = !inside;
    }
    return inside;
  }

  /** Adds the edge to every row that it passes and marks the cells that it touches. */
  #draw(at: number): void {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = this.#corners.subarray(at, at + 4);
    const { cellWidth, cellHeight } = this.grid;
    const [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)];
    const lastRow = bounded((bottom + MARGIN_PX) / cellHeight);
    for (let row = bounded((top - MARGIN_PX) / cellHeight); row <= lastRow; row++) {
      const from = row * cellHeight - MARGIN_PX;
      const to = (row + 1) * cellHeight + MARGIN_PX;
      const xAt = (y: number): number =>
        y1 === y0 ? x0 : x0 + ((Math.min(Math.max(y, top), bottom) - y0) * (x1 - x0)) / (y1 - y0);
      const [a, b] = y1 === y0 ? [x0, x1] : [xAt(from), xAt(to)];
      const [left, right] = [Math.min(a, b), Math.max(a, b)];
      this.#rows[row]?.push({ at, left, right, spans: top <= from && bottom >= to });
      const last = bounded((right + MARGIN_PX) / cellWidth);
      for (let column = bounded((left - MARGIN_PX) / cellWidth); column <= last; column++)
        this.#kinds[row * CELLS + column] = MIXED;
    }
  }

  #edgesOf(cell: number): CellEdges {
    const known = this.#lists.get(cell);
    if (known) return known;
    const column = cell % CELLS;
    const left = column * this.grid.cellWidth - MARGIN_PX;
    const right = (column + 1) * this.grid.cellWidth + MARGIN_PX;
    const edges: number[] = [];
    let base = false;
    for (const edge of this.#rows[Math.floor(cell / CELLS)] ?? []) {
      if (edge.right < left) continue;
      if (edge.left > right && edge.spans) base = !base;
      else edges.push(...this.#corners.subarray(edge.at, edge.at + 4));
    }
    const list = { base, edges: Float64Array.from(edges) };
    this.#lists.set(cell, list);
    return list;
  }
}

/** x0, y0, x1, y1 of each edge, directed as in `inPolygon`. */
function cornersOf(polygon: readonly Point[]): Float64Array {
  return Float64Array.from(polygon.flatMap((corner, i) => [...(polygon.at(i - 1) ?? corner), ...corner]));
}

/** Row or column of a position in cells; what rounding puts beside the frame counts as its border. */
function bounded(position: number): number {
  return Math.min(Math.max(Math.floor(position), 0), CELLS - 1);
}
