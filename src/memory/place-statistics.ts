import { z } from 'zod';
import type { Point } from '../core/maths/box.js';
import { EVENT_TYPES, type EventType } from '../core/ontology.js';
import type { PlaceStatistics } from '../core/memory.js';
import { PresageError } from '../core/errors.js';
import { packFloats, savedFloats } from './state/saved-floats.js';

/**
 * Cells of the grid over the frame: with 16:12 a cell of a 4:3 picture is square, about the width of a distant
 * person.
 */
const COLUMNS = 16;
const ROWS = 12;
const CELLS = COLUMNS * ROWS;
/** Width of the Gaussian with which a query weighs cells, and its radius, in cells. */
const SIGMA = 1;
const RADIUS = 3;
/**
 * Object-seconds at the whole view's rate that are mixed into every place: the place's own rate dominates once more
 * than this was observed there.
 */
const PRIOR_S = 30;

const grid = savedFloats.refine((cells) => cells.length === CELLS && cells.every((value) => value >= 0));
const stateSchema = z.object({
  version: z.literal(2),
  exposureS: grid,
  counts: z.partialRecord(z.enum(EVENT_TYPES), grid),
});

/** Counts where objects are and where events happen; positions are fractions of the frame. */
export class PlaceCounter {
  #exposure = new Float64Array(CELLS);
  /** Never modified once a view holds it: every event creates a new map, and a new grid of its type. */
  #counts: ReadonlyMap<EventType, Float64Array> = new Map();
  #view: PlaceStatistics | undefined;

  /** Adds the time for which an object was observed at a position, s. */
  expose(position: Point, seconds: number): void {
    if (this.#view) this.#exposure = this.#exposure.slice();
    this.#view = undefined;
    add(this.#exposure, position, seconds);
  }

  count(type: EventType, position: Point): void {
    const counts = this.#counts.get(type)?.slice() ?? new Float64Array(CELLS);
    add(counts, position, 1);
    this.#counts = new Map(this.#counts).set(type, counts);
    this.#view = undefined;
  }

  /** The statistics so far; they do not change afterwards. */
  view(): PlaceStatistics {
    return (this.#view ??= new PlaceView(this.#exposure, this.#counts));
  }

  saveState(): unknown {
    const counts = [...this.#counts].map(([type, cells]) => [type, packFloats(cells)]);
    return {
      version: 2,
      exposureS: packFloats(this.#exposure),
      counts: Object.fromEntries(counts) as unknown,
    };
  }

  /**
   * Replaces the statistics by those of `saveState`.
   *
   * @throws {PresageError} storage_failed — when the state is malformed
   */
  restoreState(state: unknown): void {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) {
      throw new PresageError('storage_failed', 'the saved place statistics have an unknown form', {
        cause: parsed.error,
        hint: 'Delete the saved state of the stream to start with empty statistics.',
      });
    }
    this.#view = undefined;
    this.#exposure = Float64Array.from(parsed.data.exposureS);
    this.#counts = new Map(Object.entries(parsed.data.counts) as [EventType, Float64Array][]);
  }
}

class PlaceView implements PlaceStatistics {
  readonly exposureS: number;
  readonly #exposure: Float64Array;
  readonly #counts: ReadonlyMap<EventType, Float64Array>;

  constructor(exposure: Float64Array, counts: ReadonlyMap<EventType, Float64Array>) {
    this.#exposure = exposure;
    this.#counts = counts;
    this.exposureS = sum(exposure);
  }

  exposureAt(position: Point): number {
    return gather(this.#exposure, position);
  }

  count(type: EventType): number {
    const cells = this.#counts.get(type);
    return cells ? sum(cells) : 0;
  }

  rate(type: EventType): number {
    return this.exposureS > 0 ? this.count(type) / this.exposureS : 0;
  }

  rateAt(type: EventType, position: Point): number {
    const cells = this.#counts.get(type);
    if (!cells) return 0;
    return (gather(cells, position) + PRIOR_S * this.rate(type)) / (this.exposureAt(position) + PRIOR_S);
  }
}

function column(x: number): number {
  return Math.min(COLUMNS - 1, Math.max(0, Math.floor(x * COLUMNS)));
}

function row(y: number): number {
  return Math.min(ROWS - 1, Math.max(0, Math.floor(y * ROWS)));
}

function add(cells: Float64Array, [x, y]: Point, amount: number): void {
  const index = row(y) * COLUMNS + column(x);
  cells[index] = (cells[index] ?? 0) + amount;
}

/** Weighted sum over the cells around a position; the weight is 1 at the position itself. */
function gather(cells: Float64Array, [x, y]: Point): number {
  const cx = Math.min(1, Math.max(0, x)) * COLUMNS - 0.5;
  const cy = Math.min(1, Math.max(0, y)) * ROWS - 0.5;
  let total = 0;
  for (let r = Math.max(0, row(y) - RADIUS); r <= Math.min(ROWS - 1, row(y) + RADIUS); r++) {
    for (let c = Math.max(0, column(x) - RADIUS); c <= Math.min(COLUMNS - 1, column(x) + RADIUS); c++) {
      const value = cells[r * COLUMNS + c] ?? 0;
      if (value > 0) total += value * Math.exp(-((c - cx) ** 2 + (r - cy) ** 2) / (2 * SIGMA * SIGMA));
    }
  }
  return total;
}

function sum(cells: Float64Array): number {
  return cells.reduce((total, value) => total + value, 0);
}
