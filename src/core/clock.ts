/** The machine's time. All decisions use media time; this clock serves stamps and delays only. */
export interface Clock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Wall time for the `time` attribute of messages. */
  wall(): Date;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wall: () => new Date(),
};

/** A clock that only `advance` moves: for `analyze` and for tests. */
export class VirtualClock implements Clock {
  #ms: number;

  /** @param startMs wall and monotonic start, ms since 1970. */
  constructor(startMs = 0) {
    this.#ms = startMs;
  }

  nowMs(): number {
    return this.#ms;
  }

  wall(): Date {
    return new Date(this.#ms);
  }

  advance(ms: number): void {
    this.#ms += ms;
  }
}
