import { systemClock, type Clock } from '../../core/clock.js';

export interface RateLimitOptions {
  /** What may be taken at once after a pause. */
  readonly burst: number;
  readonly perSecond: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** A token bucket. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #clock: Clock;
  #tokens: number;
  #atMs: number;

  constructor(options: RateLimitOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#tokens = options.burst;
    this.#atMs = this.#clock.nowMs();
  }

  /** False when there is none left for now. */
  take(): boolean {
    const { burst, perSecond } = this.#options;
    const nowMs = this.#clock.nowMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
