import { FAST, TIME_EPSILON } from '../../core/ontology.js';
import type { ObjectSample } from '../../core/stages.js';
import type { SampledPart } from '../sampled-part.js';
import { beyond, headingDifference, samplesIn, timeOf, type ObjectRule, type Tell } from './finding.js';

const LEAST_CHANGE = (60 * Math.PI) / 180;
/** Samples over which a change of heading counts, and seconds within which two turns are one. */
const WITHIN = samplesIn(1.5);
const ONE_TURN_S = 1.5;
/** A largest change that was not surpassed for this many samples is taken as the largest of its turn. */
const SETTLED = samplesIn(0.3);

interface Heading {
  readonly k: number;
  readonly angle: number;
  readonly fast: boolean;
}

interface Change {
  readonly at: number;
  readonly size: number;
  /** Sample at which half of the change was reached. */
  readonly half: number;
}

/** `turn`: the heading changes by more than 60° within 1.5 s while the object moves before and after. */
export class TurnRule implements ObjectRule {
  #headings: Heading[] = [];
  #largest: Change | undefined;
  #told = false;
  #lastT = -Infinity;

  constructor(private readonly part: SampledPart) {}

  step(k: number, { velocity, speed }: ObjectSample, tell: Tell): void {
    if (velocity === undefined || speed === undefined) return;
    this.#headings.push({ k, angle: Math.atan2(velocity[1], velocity[0]), fast: speed > FAST });
    if (this.#headings.length > WITHIN + 1) this.#headings.shift();
    const change = this.#change();
    if (change === undefined) {
      this.end(tell);
      return;
    }
    if (!this.#largest || change.size > this.#largest.size) this.#largest = change;
    else if (k - this.#largest.at >= SETTLED) this.#tell(tell);
  }

  end(tell: Tell): void {
    this.#tell(tell);
    this.#largest = undefined;
    this.#told = false;
  }

  /** The largest change of heading that ends at the newest sample, if it is a turn. */
  #change(): Change | undefined {
    const all = this.#headings;
    const now = all[all.length - 1];
    if (!now?.fast) return undefined;
    let since = -1;
    let size = LEAST_CHANGE;
    for (let i = all.length - 2; i >= 0; i--) {
      const { angle, fast } = all[i] as Heading;
      const d = headingDifference(now.angle, angle);
      if (fast && d > size) {
        size = d;
        since = i;
      }
    }
    const from = all[since];
    if (!from) return undefined;
    const half =
      all.slice(since).find(({ angle }) => headingDifference(angle, from.angle) >= size / 2) ?? now;
    return { at: now.k, size, half: half.k };
  }

  #tell(tell: Tell): void {
    if (!this.#largest || this.#told) return;
    this.#told = true;
    const t = timeOf(this.#largest.half);
    if (t - this.#lastT < ONE_TURN_S - TIME_EPSILON) return;
    this.#lastT = t;
    const clearness = beyond(this.#largest.size, LEAST_CHANGE);
    tell({ type: 'turn', t, who: [{ part: this.part }], clearness });
  }
}
