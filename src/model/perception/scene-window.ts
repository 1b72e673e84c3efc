import { SCENE_FPS, SCENE_GRIDS, GRID_LENGTH } from './scene-encoder.js';

/** Interval of scene embeddings, s of media time. */
const EMBEDDING_INTERVAL_S = 1;
/** Tolerance of frame times, which are rounded decimal numbers, s. */
const SLACK_S = 1e-6;

/**
 * The grids of one stream's last four seconds, resampled to 4 per second: each tick holds the newest grid at that time, so
 * that the result does not depend on the frame rate. Media time alone determines which frames need a grid and when an
 * embedding is due.
 */
export class SceneWindow {
  readonly #grids: Float32Array[] = [];
  /** Number of the tick that needs the next grid. */
  #nextDue = -Infinity;
  /** Number of the newest tick in the window. */
  #newest = -Infinity;
  #nextEmbeddingS = -Infinity;

  /** Returns true when the frame at `t` is the first of its tick. Call once per frame, in order; may run ahead of `add`. */
  isDue(t: number): boolean {
    const tick = tickOf(t);
    if (tick < this.#nextDue) return false;
    this.#nextDue = tick + 1;
    return true;
  }

  /**
   * Adds the grid of a due frame, in order.
   * @returns the grids to encode, [16, 48, 256] oldest first, when an embedding is due and four seconds are present
   */
  add(t: number, grid: Float32Array): Float32Array | undefined {
    const tick = tickOf(t);
    const gap = tick - this.#newest;
    // After a gap longer than the window, none of its grids belongs to the present scene.
    if (gap > SCENE_GRIDS) this.#grids.length = 0;
    const last = this.#grids.at(-1);
    for (let missed = 1; last && missed < gap; missed++) this.#grids.push(last);
    this.#grids.push(grid);
    this.#grids.splice(0, this.#grids.length - SCENE_GRIDS);
    this.#newest = tick;
    if (this.#grids.length < SCENE_GRIDS || t < this.#nextEmbeddingS - SLACK_S) return undefined;
    this.#nextEmbeddingS = Math.floor(t + SLACK_S) + EMBEDDING_INTERVAL_S;
    const grids = new Float32Array(SCENE_GRIDS * GRID_LENGTH);
    this.#grids.forEach((one, index) => grids.set(one, index * GRID_LENGTH));
    return grids;
  }

  /** Removes all grids, because the scene has changed. */
  clear(): void {
    this.#grids.length = 0;
    this.#newest = -Infinity;
  }
}

function tickOf(t: number): number {
  return Math.floor((t + SLACK_S) * SCENE_FPS);
}
