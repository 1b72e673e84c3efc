import { z } from 'zod';
import { FAST, NEAR } from '../../../core/ontology.js';
import type { ObjectSample } from '../../../core/memory.js';
import { Rearm } from './approach-rule.js';
import { below, headingDifference, samplesIn, timeOf, type Stateful, type Report } from '../finding.js';
import type { Pair, PairMoment, PairRule } from '../pair.js';

const SPAN = samplesIn(3);
const SAME_HEADING = (30 * Math.PI) / 180;
const AHEAD = (45 * Math.PI) / 180;
const MAX_GAP_H = 4;
/** (largest − smallest) / mean of the gaps within the span must stay below this. */
const GAP_CHANGE = 0.25;

const directedSchema = z.object({ gaps: z.array(z.number()), rearm: z.unknown() });
const stateSchema = z.object({ ab: z.unknown(), ba: z.unknown() });

/** `follow`: for 3 s one goes behind the other, both moving the same way at a steady distance. */
class DirectedFollow implements Stateful {
  /** Gaps of the present run, in mean heights, at max the last 3 s. */
  #gaps: number[] = [];
  #rearm = new Rearm();

  /** The relative change of the gap when a follow is to be reported at this sample. */
  step(k: number, on: boolean, gap: number): number | undefined {
    if (on) this.#gaps.push(gap);
    else if (this.#gaps.length > 0) this.#gaps = [];
    if (this.#gaps.length > SPAN + 1) this.#gaps.shift();
    const change = this.#gaps.length > SPAN ? relativeChange(this.#gaps) : Infinity;
    return this.#rearm.step(k, on, change < GAP_CHANGE) ? change : undefined;
  }

  saveState(): unknown {
    return { gaps: [...this.#gaps], rearm: this.#rearm.saveState() };
  }

  restoreState(state: unknown): void {
    const { gaps, rearm } = directedSchema.parse(state);
    this.#gaps = gaps;
    this.#rearm.restoreState(rearm);
  }
}

export class FollowRule implements PairRule {
  #aBehind = new DirectedFollow();
  #bBehind = new DirectedFollow();

  constructor(private readonly pair: Pair) {}

  step(moment: PairMoment, report: Report): void {
    const { k, gap } = moment;
    const behind = whoIsBehind(moment);
    const ab = this.#aBehind.step(k, behind === 'a', gap);
    const ba = this.#bBehind.step(k, behind === 'b', gap);
    if (ab !== undefined) this.#emit(k, this.pair, ab, report);
    if (ba !== undefined) this.#emit(k, { a: this.pair.b, b: this.pair.a }, ba, report);
  }

  saveState(): unknown {
    return { ab: this.#aBehind.saveState(), ba: this.#bBehind.saveState() };
  }

  restoreState(state: unknown): void {
    const { ab, ba } = stateSchema.parse(state);
    this.#aBehind.restoreState(ab);
    this.#bBehind.restoreState(ba);
  }

  #emit(k: number, { a, b }: Pair, change: number, report: Report): void {
    const participants = [
      { segment: a, role: 'follower' },
      { segment: b, role: 'followed' },
    ];
    report({ type: 'follow', t: timeOf(k), participants, clearness: below(change, GAP_CHANGE) });
  }
}

/** The object that goes behind the other, the same way, 0.7–4 mean heights apart. */
export function whoIsBehind({ a, b, offset, gap }: PairMoment): 'a' | 'b' | undefined {
  if (!(gap > NEAR && gap < MAX_GAP_H && goTheSameWay(a, b))) return undefined;
  const direction = Math.atan2(offset[1], offset[0]);
  if (faces(a, direction)) return 'a';
  return faces(b, direction + Math.PI) ? 'b' : undefined;
}

function goTheSameWay(a: ObjectSample, b: ObjectSample): boolean {
  if (!a.velocity || !b.velocity || !a.speed || !b.speed) return false;
  if (!(a.speed > FAST && b.speed > FAST)) return false;
  return headingDifference(heading(a.velocity), heading(b.velocity)) < SAME_HEADING;
}

function faces({ velocity }: ObjectSample, direction: number): boolean {
  return velocity !== undefined && headingDifference(heading(velocity), direction) < AHEAD;
}

function heading(velocity: readonly [number, number]): number {
  return Math.atan2(velocity[1], velocity[0]);
}

function relativeChange(gaps: readonly number[]): number {
  let [min, max, sum] = [Infinity, 0, 0];
  for (const gap of gaps) {
    min = Math.min(min, gap);
    max = Math.max(max, gap);
    sum += gap;
  }
  return ((max - min) * gaps.length) / sum;
}
