/** A step forward longer than this between two pictures is a jump of the timestamps, not a pause of the scene, s. */
const MAX_STEP_S = 10;
/** Assumed between two pictures where nothing better is known, s. */
const DEFAULT_INTERVAL_S = 1 / 25;
/** Least step of media time, s. */
const MIN_STEP_S = 0.001;

/**
 * Media time from presentation times: 0 at the first picture, strictly increasing, whatever the timestamps do. A jump
 * (backwards, or forwards by more than MAX_STEP_S) counts as one ordinary interval; what follows goes on from there.
 */
export class MediaClock {
  #offset: number | undefined;
  #last: number | undefined;
  #intervalS = DEFAULT_INTERVAL_S;
  #jumps = 0;
  /** Media time at which the timestamps now running began. */
  #startAt = 0;

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
    this.#intervalS = fps > 0 ? 1 / fps : DEFAULT_INTERVAL_S;
  }

  /** Timestamps start anew: the next picture comes `gapS` after the last one (at least one interval). */
  restart(gapS: number): void {
    if (this.#last === undefined) return;
    this.#offset = undefined;
    this.#startAt = this.#last + Math.max(gapS, this.#intervalS);
  }

  /** Media time of the next picture, s. @param pts presentation time, s; undefined when it has none */
  next(pts: number | undefined): number {
    if (this.#offset === undefined) {
      this.#offset = this.#startAt - (pts ?? this.#startAt);
      return this.#take(this.#startAt);
    }
    const last = this.#last ?? 0;
    const ordinary = last + this.#intervalS;
    if (pts === undefined) return this.#take(ordinary);
    const t = pts + this.#offset;
    if (t > last + MAX_STEP_S || t < last - MIN_STEP_S) return this.#take(this.#jump(pts, ordinary));
    // The same time twice is a repeated picture, not a jump.
    return this.#take(Math.max(t, last + MIN_STEP_S));
  }

  #jump(pts: number, to: number): number {
    this.#jumps += 1;
    this.#offset = to - pts;
    return to;
  }

  #take(t: number): number {
    this.#last = Math.round(t * 1e6) / 1e6;
    return this.#last;
  }
}
