/** A pause in the media time longer than this is shortened to it: a lost camera must not become hours of stills, s. */
export const MAX_GAP_S = 5;

/**
 * Fits pictures of any media times onto a video of constant frame rate: each picture is shown from its own time to that
 * of the next, so a picture may be repeated, or skipped where they come faster than the video's rate.
 */
export class FrameSchedule {
  readonly #fps: number;
  #slot = 0;
  #last: number | undefined;
  #shift = 0;

  /** @param fps frames per second of the video, > 0 */
  constructor(fps: number) {
    this.#fps = fps;
  }

  /**
   * Takes the next picture's media time and returns how often the previous picture is to be written: 0 for the first one,
   * and for one that is overtaken within the same slot.
   */
  next(t: number): number {
    if (this.#last === undefined) {
      this.#last = t;
      this.#shift = t;
      return 0;
    }
    const gap = t - this.#last;
    if (gap > MAX_GAP_S) this.#shift += gap - MAX_GAP_S;
    this.#last = Math.max(t, this.#last);
    const slot = Math.max(Math.round((this.#last - this.#shift) * this.#fps), this.#slot);
    const repeats = slot - this.#slot;
    this.#slot = slot;
    return repeats;
  }
}
