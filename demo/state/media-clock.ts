/** Without news, media time goes on by the page's own clock for this long, s: longer and the stream stands still. */
const MAX_AHEAD_S = 1.5;

/** The media time that it is now in a live stream, by the newest message and the time since. */
export class MediaClock {
  #t: number | undefined;
  #heardMs = 0;

  hear(t: number): void {
    const nowMs = performance.now();
    this.#t = t;
    this.#heardMs = nowMs;
  }

  /** Media seconds; undefined before the first message. */
  now(): number | undefined {
    if (this.#t === undefined) return undefined;
    return this.#t + Math.min((performance.now() - this.#heardMs) / 1000, MAX_AHEAD_S);
  }

  /** Since the last message, s; Infinity before the first. */
  get silence(): number {
    return this.#t === undefined ? Infinity : (performance.now() - this.#heardMs) / 1000;
  }

  reset(): void {
    this.#t = undefined;
  }
}
