/** Calls again and again with the time of day, as often as was asked for. */
export class Heartbeat {
  readonly #beat: (at: string) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(beat: (at: string) => void) {
    this.#beat = beat;
  }

  /** Every so many seconds from now on; 0: never. */
  set(seconds: number): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (seconds > 0) {
      this.#timer = setInterval(() => this.#beat(new Date().toISOString()), seconds * 1000).unref();
    }
  }
}
