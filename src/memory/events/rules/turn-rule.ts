import { z } from 'zod';
import type { Point } from '../../../core/maths/box.js';
import { FAST, TIME_EPSILON } from '../../../core/ontology.js';
import type { ObjectSample } from '../../../core/memory.js';
import type { TrackSegment } from '../../track-segment.js';
import { beyond, headingDifference, samplesIn, timeOf, type ObjectRule, type Report } from '../finding.js';
import { usualChange } from '../noise.js';
import { packFloats, savedFloats } from '../../state/saved-floats.js';

const MIN_CHANGE = (60 * Math.PI) / 180;
/** Samples over which a change of heading counts, and seconds within which two turns are one. */
const WITHIN = samplesIn(1.5);
const ONE_TURN_S = 1.5;
/** A largest change that was not exceeded for this many samples is the largest of its turn. */
const SETTLED = samplesIn(0.3);
/**
 * On estimated tracks a turn changes the velocity by more than this many times the usual change by noise. The noise
 * of smoothed velocities is about half as large, so this is four times theirs.
 */
const CLEAR = 2;

interface Heading {
  readonly k: number;
  readonly angle: number;
  readonly fast: boolean;
  /** bh/s */
  readonly velocity: Point;
}

interface Change {
  readonly at: number;
  readonly size: number;
  /** Sample at which half of the change was reached. */
  readonly half: number;
}

const stateSchema = z.object({
  /** k, angle, fast (0 or 1), velocity: five floats each. */
  headings: savedFloats,
  largest: z.object({ at: z.number(), size: z.number(), half: z.number() }).optional(),
  reported: z.boolean(),
  lastT: z.number().nullable(),
});

/** `turn`: the heading changes by more than 60° within 1.5 s while the object moves before and after. */
export class TurnRule implements ObjectRule {
  #headings: Heading[] = [];
  #largest: Change | undefined;
  #reported = false;
  #lastT = -Infinity;

  constructor(private readonly segment: TrackSegment) {}

  step(k: number, { velocity: [vx, vy] = [0, 0], speed, height }: ObjectSample, report: Report): void {
    if (speed === undefined) return;
    const velocity = [vx / height, vy / height] as const;
    this.#headings.push({ k, angle: Math.atan2(vy, vx), fast: speed > FAST, velocity });
    if (this.#headings.length > WITHIN + 1) this.#headings.shift();
    const change = this.#change();
    if (change === undefined) {
      this.end(report);
      return;
    }
    if (!this.#largest || change.size > this.#largest.size) this.#largest = change;
    else if (k - this.#largest.at >= SETTLED) this.#emit(report);
  }

  end(report: Report): void {
    this.#emit(report);
    this.#largest = undefined;
    this.#reported = false;
  }

  saveState(): unknown {
    const headings = this.#headings.flatMap(({ k, angle, fast, velocity }) => [k, angle, +fast, ...velocity]);
    return {
      headings: packFloats(headings),
      largest: this.#largest,
      reported: this.#reported,
      lastT: Number.isFinite(this.#lastT) ? this.#lastT : null,
    };
  }

  restoreState(state: unknown): void {
    const { headings, largest, reported, lastT } = stateSchema.parse(state);
    this.#headings = Array.from({ length: headings.length / 5 }, (_, i) => {
      const [k = 0, angle = 0, fast = 0, x = 0, y = 0] = headings.subarray(5 * i, 5 * i + 5);
      return { k, angle, fast: fast === 1, velocity: [x, y] };
    });
    this.#largest = largest;
    this.#reported = reported;
    this.#lastT = lastT ?? -Infinity;
  }

  /** The largest change of heading that ends at the newest sample, if it is a turn. */
  #change(): Change | undefined {
    const all = this.#headings;
    const now = all[all.length - 1];
    if (!now?.fast) return undefined;
    let since = -1;
    let size = MIN_CHANGE;
    for (let i = all.length - 2; i >= 0; i--) {
      const { angle, fast } = all[i] as Heading;
      const d = headingDifference(now.angle, angle);
      if (fast && d > size) {
        size = d;
        since = i;
      }
    }
    const from = all[since];
    if (!from || !this.#isClear(from, now)) return undefined;
    const half =
      all.slice(since).find(({ angle }) => headingDifference(angle, from.angle) >= size / 2) ?? now;
    return { at: now.k, size, half: half.k };
  }

  #isClear({ velocity: [x, y] }: Heading, now: Heading): boolean {
    if (this.segment.exact) return true;
    return Math.hypot(now.velocity[0] - x, now.velocity[1] - y) > CLEAR * usualChange(this.segment, now.k);
  }

  #emit(report: Report): void {
    if (!this.#largest || this.#reported) return;
    this.#reported = true;
    const t = timeOf(this.#largest.half);
    if (t - this.#lastT < ONE_TURN_S - TIME_EPSILON) return;
    this.#lastT = t;
    const clearness = beyond(this.#largest.size, MIN_CHANGE);
    report({ type: 'turn', t, participants: [{ segment: this.segment }], clearness });
  }
}
