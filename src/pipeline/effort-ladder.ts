import type { Clock } from '../core/clock.js';
import type { Effort } from '../core/percept.js';

/** One rung: how much is done, and its name in messages. */
export interface Rung {
  readonly stage: string;
  readonly effort: Effort;
}

/** Measurements of one window. */
export interface LoadWindow {
  /** Frames that went through the pipeline. */
  readonly processed: number;
  /** Frames dropped before perception. */
  readonly skipped: number;
  /** 95th percentile of arrival → end of processing, ms. NaN without frames. */
  readonly p95Ms: number;
  readonly processedFps: number;
}

export interface LadderStep {
  readonly rung: Rung;
  /** Position on the ladder; 0 is full effort. */
  readonly level: number;
  readonly direction: 'down' | 'up';
  readonly window: LoadWindow;
}

export interface EffortLadderOptions {
  readonly clock: Clock;
  /** Time limit of a frame from its arrival to the end of its processing, ms. */
  readonly budgetMs: number;
  /** Detection at full effort happens on every k-th frame. Default 1. */
  readonly detectEvery?: number;
}

/** Name of the first rung. */
export const FULL_EFFORT = 'full';

/** Load is judged once in so long, ms: some ten frames of an ordinary camera. */
const WINDOW_MS = 1000;
/** Share of frames that may be skipped before effort is lowered. */
const MAX_SKIPPED_SHARE = 0.01;
/** Overloaded windows in a row before effort is lowered: one hiccup (a keyframe, a start) is not a load. */
const OVERLOADED_WINDOWS = 2;
/** Only when the 95th percentile is below this share of the budget is there room for more effort. */
const CALM_SHARE = 0.5;
/** Calm windows in a row before effort is raised. */
const CALM_WINDOWS = 5;
/** After a rise that had to be taken back, the next needs twice as long a calm, up to this many windows. */
const MAX_CALM_WINDOWS = 80;
/** A rise that held for so many windows was right: the calm that the next one needs is the first again. */
const PROVEN_WINDOWS = 20;

/**
 * Chooses the effort of a live stream from the time its frames take. Overload (frames skipped, or late) lowers it by one
 * rung: frames first (the detector runs on every 2nd, 3rd, 4th), then masks, then embeddings. Calm raises it by one
 * rung at a time, and a rise that proved too much makes the next one wait longer, so that it can't flutter.
 */
export class EffortLadder {
  readonly rungs: readonly Rung[];
  readonly #clock: Clock;
  readonly #budgetMs: number;
  #level = 0;
  #windowStartMs: number;
  #latenciesMs: number[] = [];
  #skipped = 0;
  #overloaded = 0;
  #calm = 0;
  #calmNeeded = CALM_WINDOWS;
  /** Windows since the last rise; undefined when there was none or it was taken back. */
  #sinceRise: number | undefined;

  constructor({ clock, budgetMs, detectEvery = 1 }: EffortLadderOptions) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
    this.#windowStartMs = clock.nowMs();
    this.rungs = ladderFrom(detectEvery);
  }

  get level(): number {
    return this.#level;
  }

  get rung(): Rung {
    return this.rungs[this.#level] as Rung;
  }

  /** @param latencyMs from the frame's arrival to the end of its processing */
  processed(latencyMs: number): void {
    this.#latenciesMs.push(latencyMs);
  }

  skipped(): void {
    this.#skipped += 1;
  }

  /** The step that the window now ending brings, or undefined while it runs or when nothing changes. */
  assess(): LadderStep | undefined {
    const window = this.#endWindow();
    if (window === undefined) return undefined;
    if (this.#sinceRise !== undefined && ++this.#sinceRise >= PROVEN_WINDOWS) {
      this.#sinceRise = undefined;
      this.#calmNeeded = CALM_WINDOWS;
    }
    this.#overloaded = this.#isOverloaded(window) ? this.#overloaded + 1 : 0;
    if (this.#overloaded >= OVERLOADED_WINDOWS) return this.#lower(window);
    this.#calm = this.#isCalm(window) ? this.#calm + 1 : 0;
    return this.#calm >= this.#calmNeeded ? this.#raise(window) : undefined;
  }

  #endWindow(): LoadWindow | undefined {
    const elapsedMs = this.#clock.nowMs() - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return undefined;
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    const window = {
      processed: sorted.length,
      skipped: this.#skipped,
      p95Ms: sorted[Math.min(sorted.length - 1, Math.floor(0.95 * sorted.length))] ?? NaN,
      processedFps: Math.round((sorted.length / elapsedMs) * 10_000) / 10,
    };
    this.#windowStartMs += elapsedMs;
    this.#latenciesMs = [];
    this.#skipped = 0;
    return window;
  }

  #isOverloaded({ processed, skipped, p95Ms }: LoadWindow): boolean {
    return skipped > MAX_SKIPPED_SHARE * (processed + skipped) || p95Ms > this.#budgetMs;
  }

  #isCalm({ processed, skipped, p95Ms }: LoadWindow): boolean {
    return processed > 0 && skipped === 0 && p95Ms < CALM_SHARE * this.#budgetMs;
  }

  #lower(window: LoadWindow): LadderStep | undefined {
    this.#calm = 0;
    this.#overloaded = 0;
    if (this.#sinceRise !== undefined) {
      this.#calmNeeded = Math.min(MAX_CALM_WINDOWS, this.#calmNeeded * 2);
      this.#sinceRise = undefined;
    }
    if (this.#level === this.rungs.length - 1) return undefined;
    this.#level += 1;
    return { rung: this.rung, level: this.#level, direction: 'down', window };
  }

  #raise(window: LoadWindow): LadderStep | undefined {
    this.#calm = 0;
    if (this.#level === 0) return undefined;
    this.#level -= 1;
    this.#sinceRise = 0;
    return { rung: this.rung, level: this.#level, direction: 'up', window };
  }
}

/** The rungs from full effort down: frames, then masks, then embeddings. */
function ladderFrom(detectEvery: number): Rung[] {
  const everything = { masks: true, embeddings: true };
  const every = [0, 1, 2, 3].map((more): Rung => ({
    stage: more === 0 ? FULL_EFFORT : `detect-every-${detectEvery + more}`,
    effort: { detectEvery: detectEvery + more, ...everything },
  }));
  const sparse = { detectEvery: detectEvery + 3, embeddings: true, masks: false };
  return [
    ...every,
    { stage: 'no-masks', effort: sparse },
    { stage: 'no-embeddings', effort: { ...sparse, embeddings: false } },
  ];
}
