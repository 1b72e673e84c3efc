import { z } from 'zod';
import { boxScale } from './filter/box-filter.js';
import type { TrackState } from './track.js';

/** Number of percepts over which the rate is averaged. */
const MEMORY = 20;
/** From this many false alarms in one percept the rate rises at once, to this share of them. */
const BURST = 5;
const BURST_SHARE = 0.5;
/** Tolerated false identities per percept: about one in 20 s at 10 per second. */
const TOLERATED = 0.005;
/** The gate of a track with one detection, in squared box scales: nearly one to each side. */
const GATE_AREA = 3;
/**
 * When chance continues false alarms with more than this probability, new objects cannot be distinguished from noise.
 */
const MAX_CHANCE = 0.25;
/** Detections that confirm a track in a quiet picture, and their maximum number. */
const MIN_HITS = 2;
const MAX_HITS = 8;

export const savedAlarms = z.object({ rate: z.number().min(0), area: z.number().min(0) });

/**
 * Number of detections that a new track needs. A detection without a successor is a false alarm; with λ of them in a
 * percept, the chance that one is followed by another within its gate is p = λ · gate / frame, and λ · pⁿ⁻¹ tracks of
 * n detections appear by chance (Bar-Shalom & Li, "Multitarget-Multisensor Tracking", 1995, §6: M of N track
 * formation).
 */
export class FalseAlarms {
  #rate = 0;
  /** Mean area of a false alarm's gate as a part of the frame. */
  #area = 0;

  /** False alarms per percept. */
  get rate(): number {
    return this.#rate;
  }

  /** @param alarms tracks that ended after one detection, in one percept */
  learn(alarms: readonly TrackState[], width: number, height: number): void {
    this.#rate += (alarms.length - this.#rate) / MEMORY;
    if (alarms.length >= BURST) this.#rate = Math.max(this.#rate, BURST_SHARE * alarms.length);
    for (const { box } of alarms) {
      const gate = Math.min((GATE_AREA * boxScale(box) ** 2) / (width * height), 1);
      this.#area += (gate - this.#area) / MEMORY;
    }
  }

  /** Detections that a new track needs; `Infinity` when no number of them distinguishes it from chance. */
  get hitsNeeded(): number {
    const chance = this.#rate * this.#area;
    if (chance > MAX_CHANCE) return Infinity;
    let hits = MIN_HITS;
    while (hits < MAX_HITS && this.#rate * chance ** (hits - 1) > TOLERATED) hits += 1;
    return hits;
  }

  saveState(): z.input<typeof savedAlarms> {
    return { rate: this.#rate, area: this.#area };
  }

  restoreState({ rate, area }: z.output<typeof savedAlarms>): void {
    this.#rate = rate;
    this.#area = area;
  }
}
