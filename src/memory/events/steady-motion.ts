import { z } from 'zod';
import type { Point } from '../../core/maths/box.js';
import type { ObjectSample } from '../../core/memory.js';
import type { TrackSegment } from '../track-segment.js';
import type { ObjectRule, Report } from './finding.js';

/** Samples on each side that a steadied velocity is the mean of: 0.3 s, which is also what steadying delays. */
const AROUND = 3;

interface Step {
  readonly k: number;
  readonly sample: ObjectSample;
}

const stateSchema = z.object({
  /** Samples of the part. */
  steps: z.array(z.number().int()),
  done: z.number().int().min(0),
  rule: z.unknown(),
});

/**
 * Gives a rule about motion the samples of an estimated track with steadier velocities: the mean over ±0.3 s, without
 * lag, 0.3 s late. It equals the velocity of the definition on positions that are averaged over ±0.3 s: a detector's
 * errors of a few per cent of the body height otherwise make standing people move and walking people turn.
 */
export class SteadyMotion implements ObjectRule {
  /** Steps with a velocity, oldest first: up to three done, and those that wait for three more. */
  #steps: Step[] = [];
  #done = 0;

  constructor(
    private readonly segment: TrackSegment,
    private readonly rule: ObjectRule,
  ) {}

  step(k: number, sample: ObjectSample, tell: Report): void {
    if (!sample.velocity) return;
    this.#steps.push({ k, sample });
    if (this.#steps.length - this.#done > AROUND) this.#pass(tell);
  }

  end(tell: Report): void {
    while (this.#done < this.#steps.length) this.#pass(tell);
    this.rule.end?.(tell);
  }

  saveState(): unknown {
    return { steps: this.#steps.map(({ k }) => k), done: this.#done, rule: this.rule.saveState() };
  }

  restoreState(state: unknown): void {
    const { steps, done, rule } = stateSchema.parse(state);
    this.#steps = steps.flatMap((k) => {
      const sample = this.segment.at(k);
      return sample ? [{ k, sample }] : [];
    });
    this.#done = done;
    this.rule.restoreState(rule);
  }

  /** Passes on the oldest waiting step; near the ends of the part the mean has fewer samples on both sides. */
  #pass(tell: Report): void {
    const step = this.#steps[this.#done];
    if (!step) return;
    const span = Math.min(AROUND, this.#done, this.#steps.length - 1 - this.#done);
    const velocity = meanVelocity(this.#steps.slice(this.#done - span, this.#done + span + 1));
    const speed = Math.hypot(velocity[0], velocity[1]) / step.sample.height;
    this.rule.step(step.k, { ...step.sample, velocity, speed }, tell);
    this.#done += 1;
    if (this.#done > AROUND) {
      this.#steps.shift();
      this.#done -= 1;
    }
  }
}

function meanVelocity(steps: readonly Step[]): Point {
  let [x, y] = [0, 0];
  for (const { sample } of steps) {
    x += (sample.velocity?.[0] ?? 0) / steps.length;
    y += (sample.velocity?.[1] ?? 0) / steps.length;
  }
  return [x, y];
}
