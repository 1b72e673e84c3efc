import { z } from 'zod';
import { UNSEEN_S } from '../../core/ontology.js';

/** After a silence this long nothing is predicted any more; identities are then recognised by place, s... */
const LONGEST_STEP_S = 2 * UNSEEN_S;
/** ...unless the stream is that slow: then after this many of its usual intervals... */
const LONGEST_STEPS = 2.5;
/** ...of at most this long, s: nothing can be followed at one picture a minute. */
const SLOWEST_S = 15;
/** The usual interval is the median of this many. */
const REMEMBERED = 5;
/** Known after this many. */
const MIN_KNOWN = 3;

export const savedPace = z.array(z.number().positive()).max(REMEMBERED);

/** How fast percepts come. */
export class Pace {
  #intervals: number[] = [];

  learn(interval: number): void {
    if (interval === Infinity) return;
    this.#intervals.push(interval);
    if (this.#intervals.length > REMEMBERED) this.#intervals.shift();
  }

  /** Usual time between percepts, s; 0 while not known. */
  get typical(): number {
    if (this.#intervals.length < MIN_KNOWN) return 0;
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    return Math.min(sorted[Math.floor(sorted.length / 2)] ?? 0, SLOWEST_S);
  }

  /** Longest time between percepts over which objects are followed, s. */
  get longestStep(): number {
    return Math.max(LONGEST_STEP_S, LONGEST_STEPS * this.typical);
  }

  saveState(): z.input<typeof savedPace> {
    return [...this.#intervals];
  }

  restoreState(intervals: z.output<typeof savedPace>): void {
    this.#intervals = [...intervals];
  }
}
