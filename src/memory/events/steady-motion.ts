import { z } from 'zod';
import type { Point } from '../../core/maths/box.js';
import type { ObjectSample } from '../../core/memory.js';
import type { TrackSegment } from '../track-segment.js';
import type { ObjectRule, Report } from './finding.js';

/** Samples on each side over which a velocity is averaged: 0.3 s, which is also the delay. */
const AROUND = 3;

interface Step {
  readonly k: number;
  readonly sample: ObjectSample;
}

const stateSchema = z.object({
  /** Indices of samples of the segment. */
  steps: z.array(z.number().int()),
  done: z.number().int().min(0),
  rule: z.unknown(),
});

/**
 * Passes the samples of an estimated track to a rule about motion with smoothed velocities: the mean over ±0.3 s,
 * without phase lag, 0.3 s late. It equals the velocity of the definition on positions that are averaged over ±0.3 s:
 * a detector's errors of a few per cent of the body height otherwise make standing people move and walking people
 * turn.
 */
export class SteadyMotion implements ObjectRule {
  /** Steps with a velocity, oldest first: up to three processed ones, and those that wait for three more. */
  #steps: Step[] = [];
  #done = 0;

  constructor(
    private readonly segment: TrackSegment,
    private readonly rule: ObjectRule,
  ) {}

  step(k: number, sample: ObjectSample, report: Report): void {
    if (!sample.velocity) return;
    this.#steps.push({ k, sample });
    if (this.#steps.length - this.#done > AROUND) this.#pass(report);
  }

  end(report: Report): void {
    while (this.#done < this.#steps.length) this.#pass(report);
    this.rule.end?.(report);
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

  /** Passes on the oldest waiting step; near the ends of the segment the mean has fewer samples on both sides. */
  #pass(report: Report): void {
    const step = this.#steps[this.#done];
    if (!step) return;
    const span = Math.min(AROUND, this.#done, this.#steps.length - 1 - this.#done);
    const velocity = meanVelocity(this.#steps.slice(this.#done - span, this.#done + span + 1));
    const speed = Math.hypot(velocity[0], velocity[1]) / step.sample.height;
    this.rule.step(step.k, { ...step.sample, velocity, speed }, report);
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
