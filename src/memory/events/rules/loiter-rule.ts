import { z } from 'zod';
import type { Point } from '../../../core/maths/box.js';
import type { ObjectSample } from '../../../core/memory.js';
import type { TrackSegment } from '../../track-segment.js';
import { packFloats, savedFloats } from '../../state/saved-floats.js';
import { savedPoint } from '../../state/saved-state.js';
import { below, samplesIn, timeOf, type ObjectRule, type Report } from '../finding.js';

/** Radius around the mean within which an object loiters, and beyond which it has left, in body heights. */
const WITHIN_H = 1.5;
const AWAY_H = 2;

const stateSchema = z.object({
  positions: savedFloats,
  next: z.number().int().min(0),
  loitersAt: savedPoint.optional(),
});

/**
 * `loiter`: the positions of the last `seconds` lie within 1.5 h of their mean; again only after the object was more
 * than 2 h away.
 */
export class LoiterRule implements ObjectRule {
  readonly #span: number;
  /** Positions of the last `span` + 1 samples, a ring. */
  #positions: Point[] = [];
  #next = 0;
  #loitersAt: Point | undefined;

  constructor(
    private readonly segment: TrackSegment,
    seconds: number,
  ) {
    this.#span = samplesIn(seconds);
  }

  step(k: number, { position, height }: ObjectSample, report: Report): void {
    this.#positions[this.#next] = position;
    this.#next = (this.#next + 1) % (this.#span + 1);
    if (this.#positions.length <= this.#span) return;
    if (this.#loitersAt && distance(position, this.#loitersAt) > AWAY_H * height) this.#loitersAt = undefined;
    if (this.#loitersAt) return;
    const mean = this.#mean();
    const radius = WITHIN_H * height;
    if (distance(position, mean) > radius) return;
    // The oldest position is the likeliest to be too far: one check usually suffices.
    if (distance(this.#positions[this.#next] ?? mean, mean) > radius) return;
    const farthest = this.#positions.reduce((max, p) => Math.max(max, distance(p, mean)), 0);
    if (farthest > radius) return;
    this.#loitersAt = mean;
    report({
      type: 'loiter',
      t: timeOf(k),
      participants: [{ segment: this.segment }],
      clearness: below(farthest, radius),
    });
  }

  saveState(): unknown {
    return {
      positions: packFloats(this.#positions.flat()),
      next: this.#next,
      loitersAt: this.#loitersAt && [...this.#loitersAt],
    };
  }

  restoreState(state: unknown): void {
    const { positions, next, loitersAt } = stateSchema.parse(state);
    this.#positions = Array.from({ length: positions.length / 2 }, (_, i) => [
      positions[2 * i] ?? 0,
      positions[2 * i + 1] ?? 0,
    ]);
    this.#next = next;
    this.#loitersAt = loitersAt;
  }

  #mean(): Point {
    let x = 0;
    let y = 0;
    for (const p of this.#positions) {
      x += p[0];
      y += p[1];
    }
    return [x / this.#positions.length, y / this.#positions.length];
  }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
