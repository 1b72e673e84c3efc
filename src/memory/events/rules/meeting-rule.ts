import { z } from 'zod';
import { FAR, NEAR } from '../../../core/ontology.js';
import { below, beyond, Run, samplesIn, savedSample, timeOf, type Report } from '../finding.js';
import type { Pair, PairMoment, PairRule } from '../pair.js';

const HOLD = samplesIn(0.8);

const stateSchema = z.object({
  near: savedSample,
  far: savedSample,
  wasFar: z.boolean(),
  met: z.boolean(),
});

/** `meet`: nearer than 0.7 h for 0.8 s after having been farther than 1.2 h; `separate`: back beyond that for 0.8 s. */
export class MeetingRule implements PairRule {
  #near = new Run();
  #far = new Run();
  #wasFar: boolean;
  #met = false;

  /** @param wasFar the two were observed far apart before the first moment */
  constructor(
    private readonly pair: Pair,
    wasFar: boolean,
  ) {
    this.#wasFar = wasFar;
  }

  step({ k, gap }: PairMoment, report: Report): void {
    const met = this.#near.step(k, gap < NEAR, HOLD);
    const apart = this.#far.step(k, gap > FAR, HOLD);
    if (met && this.#wasFar) {
      this.#wasFar = false;
      this.#met = true;
      this.#emit('meet', this.#near.start, below(gap, NEAR), report);
    }
    if (gap > FAR) this.#wasFar = true;
    if (apart && this.#met) {
      this.#met = false;
      this.#emit('separate', this.#far.start, beyond(gap, FAR), report);
    }
  }

  saveState(): unknown {
    const [near, far] = [this.#near.start ?? null, this.#far.start ?? null];
    return { near, far, wasFar: this.#wasFar, met: this.#met };
  }

  restoreState(state: unknown): void {
    const { near, far, wasFar, met } = stateSchema.parse(state);
    this.#near.start = near;
    this.#far.start = far;
    this.#wasFar = wasFar;
    this.#met = met;
  }

  #emit(type: 'meet' | 'separate', k: number | undefined, clearness: number, report: Report): void {
    const participants = [{ segment: this.pair.a }, { segment: this.pair.b }];
    if (k !== undefined) report({ type, t: timeOf(k), participants, clearness });
  }
}
