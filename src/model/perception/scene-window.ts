import { SCENE_FPS, SCENE_GRIDS, GRID_LENGTH } from './scene-encoder.js';

/** A clip embedding is made this often, s of media time. */
const EMBEDDING_INTERVAL_S = 1;
/** Frame times come as decimal numbers: one that is this much early is on time, s. */
const SLACK_S = 1e-6;

/**
 * The grids of one stream's last four seconds on a clock of 4 a second: each tick holds the newest grid at that time, so that
 * any frame rate makes the same kind of clip. Decides by media time alone which frames need a grid and when a clip is due.
 */
export class SceneWindow {
  readonly #grids: Float32Array[] = [];
  /** Number of the tick that the next grid is wanted for. */
  #nextWanted = -Infinity;
  /** Number of the newest tick in the window. */
  #newest = -Infinity;
  #nextTokenS = -Infinity;

  /** Whether the frame at `t` is the first of its tick. Asked once per frame, in order; it may be ahead of `add`. */
  isDue(t: number): boolean {
    const tick = tickOf(t);
    if (tick < this.#nextWanted) return false;
    this.#nextWanted = tick + 1;
    return true;
  }

  /**
   * Takes the grid of a frame that was wanted, in order.
   * @returns the clip to encode, [16, 48, 256] oldest first, where a embedding is due and four seconds are known
   */
  add(t: number, grid: Float32Array): Float32Array | undefined {
    const tick = tickOf(t);
    const gap = tick - this.#newest;
    // After a gap longer than the clip nothing in the window is of the present scene any more.
    if (gap > SCENE_GRIDS) this.#grids.length = 0;
    const last = this.#grids.at(-1);
    for (let missed = 1; last && missed < gap; missed++) this.#grids.push(last);
    this.#grids.push(grid);
    this.#grids.splice(0, this.#grids.length - SCENE_GRIDS);
    this.#newest = tick;
    if (this.#grids.length < SCENE_GRIDS || t < this.#nextTokenS - SLACK_S) return undefined;
    this.#nextTokenS = Math.floor(t + SLACK_S) + EMBEDDING_INTERVAL_S;
    const clip = new Float32Array(SCENE_GRIDS * GRID_LENGTH);
    this.#grids.forEach((one, index) => clip.set(one, index * GRID_LENGTH));
    return clip;
  }

  /** Forgets what was seen: the scene is another one. */
  clear(): void {
    this.#grids.length = 0;
    this.#newest = -Infinity;
  }
}

function tickOf(t: number): number {
  return Math.floor((t + SLACK_S) * SCENE_FPS);
}
