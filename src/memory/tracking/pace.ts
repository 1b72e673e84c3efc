import { z } from 'zod';
import { UNSEEN_S } from '../../core/ontology.js';

/** After a gap this long the tracker predicts nothing; identities are then recognised by place, s; */
const MAX_STEP_S = 2 * UNSEEN_S;
/** in a slow stream after this many of its usual intervals */
const MAX_STEP_INTERVALS = 2.5;
/** of at most this long, s: objects cannot be tracked at one picture a minute. */
const SLOWEST_S = 15;
/** Number of intervals whose median is the usual interval, */
const REMEMBERED = 5;
/** and the minimum number for an estimate. */
const MIN_KNOWN = 3;

export const savedPace = z.array(z.number().positive()).max(REMEMBERED);

/** Estimates the interval between percepts. */
export class Pace {
  #intervals: number[] = [];

  learn(interval: number): void {
    if (interval === Infinity) return;
    this.#intervals.push(interval);
    if (this.#intervals.length > REMEMBERED) this.#intervals.shift();
  }

  /** Usual time between percepts, s; 0 while unknown. */
  get typical(): number {
    if (this.#intervals.length < MIN_KNOWN) return 0;
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    return Math.min(sorted[Math.floor(sorted.length / 2)] ?? 0, SLOWEST_S);
  }

  /** Longest time between percepts over which objects are tracked, s. */
  get longestStep(): number {
    return Math.max(MAX_STEP_S, MAX_STEP_INTERVALS * this.typical);
  }

  saveState(): z.input<typeof savedPace> {
    return [...this.#intervals];
  }

  restoreState(intervals: z.output<typeof savedPace>): void {
    this.#intervals = [...intervals];
  }
}
