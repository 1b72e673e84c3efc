/** A step forward longer than this between two pictures is a jump of the timestamps, not a pause of the scene, s. */
const MAX_STEP_S = 10;
/** Assumed between two pictures where nothing better is known, s. */
const DEFAULT_INTERVAL_S = 1 / 25;
/** Least step of media time, s. */
const MIN_STEP_S = 0.001;

/**
 * Media time from presentation times: `startS` (0) at the first picture, strictly increasing, whatever the timestamps do. A jump
 * (backwards, or forwards by more than MAX_STEP_S) counts as one ordinary interval; what follows goes on from there.
 */
export class MediaClock {
  /** Media time of presentation time 0; undefined where timestamps start anew. */
  #offset: number | undefined;
  #last: number | undefined;
  #lastAtMs = 0;
  #intervalS = DEFAULT_INTERVAL_S;
  #jumps = 0;
  #after: 'interval' | 'wall' = 'interval';
  readonly #startS: number;

  /** @param startS media time of the first picture: of a stream that goes on after a restart, where it stands by now */
  constructor(startS = 0) {
    this.#startS = startS;
  }

  /** Jumps carried on with so far. */
  get jumps(): number {
    return this.#jumps;
  }

  /** Media time of the newest picture; undefined before the first. */
  get now(): number | undefined {
    return this.#last;
  }

  /** @param fps nominal rate; 0 when unknown */
  setRate(fps: number): void {
    this.#intervalS = fps > 0 ? Math.max(1 / fps, MIN_STEP_S) : DEFAULT_INTERVAL_S;
  }

  /**
   * Timestamps start anew. The next picture comes one `interval` after the last, as when a file is repeated, or as long
   * after it as passes on the `wall`, as when a camera was lost.
   */
  restart(after: 'interval' | 'wall'): void {
    this.#offset = undefined;
    this.#after = after;
  }

  /**
   * Media time of the next picture, s.
   * @param pts presentation time, s; undefined when it has none
   * @param atMs when it arrived, monotonic ms
   */
  next(pts: number | undefined, atMs: number): number {
    const t = Math.round(this.#map(pts, atMs) * 1e6) / 1e6;
    this.#last = t;
    this.#lastAtMs = atMs;
    return t;
  }

  #map(pts: number | undefined, atMs: number): number {
    const last = this.#last;
    if (last === undefined) return this.#anchor(pts, this.#startS);
    const ordinary = last + this.#intervalS;
    if (this.#offset === undefined) {
      const passed = last + (atMs - this.#lastAtMs) / 1000;
      return this.#anchor(pts, this.#after === 'wall' ? Math.max(ordinary, passed) : ordinary);
    }
    if (pts === undefined) return ordinary;
    const t = pts + this.#offset;
    if (t > last + MAX_STEP_S || t < last - MIN_STEP_S) {
      this.#jumps += 1;
      return this.#anchor(pts, ordinary);
    }
    // The same time twice is a repeated picture, not a jump.
    return Math.max(t, last + MIN_STEP_S);
  }

  #anchor(pts: number | undefined, t: number): number {
    this.#offset = t - (pts ?? t);
    return t;
  }
}
