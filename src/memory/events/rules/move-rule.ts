import { z } from 'zod';
import { FAST, SLOW } from '../../../core/ontology.js';
import type { ObjectSample } from '../../../core/memory.js';
import type { TrackSegment } from '../../track-segment.js';
import {
  below,
  beyond,
  Run,
  samplesIn,
  savedSample,
  timeOf,
  type ObjectRule,
  type Report,
} from '../finding.js';

/** Minimum durations of the speed on each side, in samples: standing then moving, moving then standing. */
const STOOD = samplesIn(1.0);
const MOVES = samplesIn(0.4);
const MOVED = samplesIn(0.6);
const STANDS = samplesIn(0.8);

const stateSchema = z.object({
  slow: savedSample,
  fast: savedSample,
  mayStart: z.boolean(),
  mayStop: z.boolean(),
});

/** `start_moving` and `stop`. Between the two states any speed is allowed, for any time. */
export class MoveRule implements ObjectRule {
  #slow = new Run();
  #fast = new Run();
  #mayStart = false;
  #mayStop = false;

  constructor(private readonly segment: TrackSegment) {}

  step(k: number, { speed }: ObjectSample, report: Report): void {
    if (speed === undefined) return;
    const slow = speed < SLOW;
    const fast = speed > FAST;
    // A run has two lengths: the one at which the new state begins, and the one at which it counts as the previous
    // state.
    const stands = this.#slow.step(k, slow, STANDS);
    const stood = slow && k - (this.#slow.start ?? k) === STOOD;
    const moves = this.#fast.step(k, fast, MOVES);
    const moved = fast && k - (this.#fast.start ?? k) === MOVED;

    if (stands && this.#mayStop) this.#emit('stop', this.#slow.start, below(speed, SLOW), report);
    if (stands) this.#mayStop = false;
    if (stood) this.#mayStart = true;
    if (moves && this.#mayStart) this.#emit('start_moving', this.#fast.start, beyond(speed, FAST), report);
    if (moves) this.#mayStart = false;
    if (moved) this.#mayStop = true;
  }

  saveState(): unknown {
    const [slow, fast] = [this.#slow.start ?? null, this.#fast.start ?? null];
    return { slow, fast, mayStart: this.#mayStart, mayStop: this.#mayStop };
  }

  restoreState(state: unknown): void {
    const { slow, fast, mayStart, mayStop } = stateSchema.parse(state);
    this.#slow.start = slow;
    this.#fast.start = fast;
    this.#mayStart = mayStart;
    this.#mayStop = mayStop;
  }

  #emit(type: 'stop' | 'start_moving', k: number | undefined, clearness: number, report: Report): void {
    if (k !== undefined) report({ type, t: timeOf(k), participants: [{ segment: this.segment }], clearness });
  }
}
