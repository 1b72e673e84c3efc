import { z } from 'zod';
import { FAST, NEAR, REARM_S } from '../../../core/ontology.js';
import {
  below,
  beyond,
  Run,
  samplesIn,
  savedSample,
  timeOf,
  type Stateful,
  type Report,
} from '../finding.js';
import type { Pair, PairMoment, PairRule } from '../pair.js';
import { savedTime, saveTime } from '../../state/saved-state.js';

const HOLD = samplesIn(0.4);
/** Maximum time to the closest approach, s. */
const WITHIN_S = 3;

const rearmSchema = z.object({
  runStart: savedSample,
  foundInRun: z.boolean(),
  reportedAny: z.boolean(),
  last: savedTime,
  previous: savedTime,
});
const stateSchema = z.object({ run: savedSample, rearm: z.unknown() });

/**
 * Of the findings inside runs of a condition, keeps those before which the condition was false for 1 s. Runs without
 * a finding count as true only where they follow within 1 s on one that counted.
 */
export class Rearm implements Stateful {
  #runStart: number | undefined;
  #foundInRun = false;
  #reportedAny = false;
  /** Last sample of the last run that counted. */
  #last = -Infinity;
  #previous = -Infinity;

  /** Adds the condition at sample k and whether it has a finding. Returns true when the finding is to be reported. */
  step(k: number, on: boolean, found: boolean): boolean {
    if (!on) {
      if (this.#runStart !== undefined) this.#endRun(this.#runStart);
      return false;
    }
    this.#runStart ??= k;
    this.#previous = k;
    if (!found || this.#foundInRun) return false;
    this.#foundInRun = true;
    if (this.#runStart - this.#last < samplesIn(REARM_S)) return false;
    this.#reportedAny = true;
    return true;
  }

  saveState(): unknown {
    return {
      runStart: this.#runStart ?? null,
      foundInRun: this.#foundInRun,
      reportedAny: this.#reportedAny,
      last: saveTime(this.#last),
      previous: saveTime(this.#previous),
    };
  }

  restoreState(state: unknown): void {
    const { runStart, foundInRun, reportedAny, last, previous } = rearmSchema.parse(state);
    this.#runStart = runStart;
    this.#foundInRun = foundInRun;
    this.#reportedAny = reportedAny;
    this.#last = last;
    this.#previous = previous;
  }

  #endRun(start: number): void {
    const soon = start - this.#last < samplesIn(REARM_S);
    if (this.#foundInRun || (this.#reportedAny && soon)) this.#last = this.#previous;
    this.#runStart = undefined;
    this.#foundInRun = false;
  }
}

/** `approach`: at their present velocities the two come within 0.7 h in at most 3 s, closing faster than 0.35 h/s. */
export class ApproachRule implements PairRule {
  #run = new Run();
  #rearm = new Rearm();

  constructor(private readonly pair: Pair) {}

  step(moment: PairMoment, report: Report): void {
    const clearness = approachClearness(moment);
    const on = clearness !== undefined;
    const found = this.#run.step(moment.k, on, HOLD);
    const start = this.#run.start;
    if (!this.#rearm.step(moment.k, on, found) || start === undefined || clearness === undefined) return;
    report({
      type: 'approach',
      t: timeOf(start),
      participants: [{ segment: this.pair.a }, { segment: this.pair.b }],
      clearness,
    });
  }

  saveState(): unknown {
    return { run: this.#run.start ?? null, rearm: this.#rearm.saveState() };
  }

  restoreState(state: unknown): void {
    const { run, rearm } = stateSchema.parse(state);
    this.#run.start = run;
    this.#rearm.restoreState(rearm);
  }
}

/** Clearness of an approach, 0–1; undefined when the two do not approach. */
function approachClearness(moment: PairMoment): number | undefined {
  const closest = closestApproach(moment);
  if (!closest || !(closest.gap < NEAR && closest.closing > FAST)) return undefined;
  return Math.min(below(closest.gap, NEAR), beyond(closest.closing, FAST));
}

/**
 * The minimum gap (mean heights) that two objects reach within 3 s at their present velocities, and the closing
 * speed, mean heights/s; undefined when they move apart, or it takes longer.
 */
export function closestApproach({
  a,
  b,
  offset,
  distance,
  meanHeight,
}: PairMoment): { gap: number; closing: number } | undefined {
  if (!a.velocity || !b.velocity) return undefined;
  const wx = b.velocity[0] - a.velocity[0];
  const wy = b.velocity[1] - a.velocity[1];
  const dot = -(offset[0] * wx + offset[1] * wy);
  const when = dot / Math.max(wx * wx + wy * wy, 1e-9);
  if (!(when > 0 && when <= WITHIN_S)) return undefined;
  const gap = Math.hypot(offset[0] + wx * when, offset[1] + wy * when) / meanHeight;
  const closing = dot / Math.max(distance, 1e-9) / meanHeight;
  return { gap, closing };
}
