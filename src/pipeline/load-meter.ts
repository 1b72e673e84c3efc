import type { Clock } from '../core/clock.js';

/** Length of the window over which load is judged, ms. */
const WINDOW_MS = 5_000;
/** A stream is degraded when more than this share of its frames was skipped in a window, and recovers below half of it. */
const DEGRADED_SHARE = 0.1;

export interface LoadChange {
  readonly degraded: boolean;
  /** Frames processed per second in the last window. */
  readonly processedFps: number;
}

/** Detects when a live stream starts or stops skipping frames, over fixed windows so that the result does not flicker. */
export class LoadMeter {
  readonly #clock: Clock;
  #windowStartMs: number;
  #processed = 0;
  #skipped = 0;
  #degraded = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#windowStartMs = clock.nowMs();
  }

  processed(): void {
    this.#processed += 1;
  }

  skipped(): void {
    this.#skipped += 1;
  }

  /** The change that the window now ending brings, or undefined while it runs or when nothing changed. */
  assess(): LoadChange | undefined {
    const elapsedMs = this.#clock.nowMs() - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return undefined;
    const share = this.#skipped / Math.max(1, this.#processed + this.#skipped);
    const processedFps = Math.round((this.#processed / elapsedMs) * 10_000) / 10;
    this.#windowStartMs += elapsedMs;
    this.#processed = 0;
    this.#skipped = 0;
    const degraded = share > (this.#degraded ? DEGRADED_SHARE / 2 : DEGRADED_SHARE);
    if (degraded === this.#degraded) return undefined;
    this.#degraded = degraded;
    return { degraded, processedFps };
  }
}
