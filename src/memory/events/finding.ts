import { z } from 'zod';
import { SAMPLE_HZ, type EventType } from '../../core/ontology.js';
import type { ObjectSample } from '../../core/memory.js';
import type { TrackSegment } from '../track-segment.js';

export interface Participation {
  readonly segment: TrackSegment;
  readonly role?: string;
}

/** Result of a rule before it becomes an event with an id. */
export interface Finding {
  readonly type: EventType;
  /** Media seconds, by the definition of the type. */
  readonly t: number;
  readonly participants: readonly Participation[];
  /** Distance of the evidence beyond its thresholds, 0–1; 0 = exactly at them. */
  readonly clearness: number;
  /** Probability that the event happened, 0–1, where a learned model gives one; used as the confidence. */
  readonly probability?: number;
  /** Zone or line. */
  readonly zone?: string;
  readonly direction?: 'a>b' | 'b>a';
}

export type Report = (finding: Finding) => void;

/** State of a rule as plain JSON; a rule of the same segment or pair that restores it continues identically. */
export interface Stateful {
  saveState(): unknown;
  /** @throws {ZodError} when the state is malformed */
  restoreState(state: unknown): void;
}

/** A rule about one segment of one object; receives every sample once, in order. */
export interface ObjectRule extends Stateful {
  step(k: number, sample: ObjectSample, report: Report): void;
  /** The segment has ended: pending findings are reported or dropped. */
  end?(report: Report): void;
}

/** Index of a sample, or null. */
export const savedSample = z
  .number()
  .int()
  .nullable()
  .transform((k) => k ?? undefined);

/** A run of samples over which a condition holds. */
export class Run {
  /** First sample of the present run; undefined while the condition is false. */
  start: number | undefined;

  /** Adds the condition at sample k. Returns true at the one sample at which the run reaches `min` samples. */
  step(k: number, on: boolean, min: number): boolean {
    if (!on) {
      this.start = undefined;
      return false;
    }
    this.start ??= k;
    return k - this.start === min;
  }
}

export function samplesIn(seconds: number): number {
  return Math.round(seconds * SAMPLE_HZ);
}

export function timeOf(k: number): number {
  return k / SAMPLE_HZ;
}

/**
 * Relative distance of `value` beyond `threshold`, 0–1: 1 when it is twice as far from zero (or, for `below`, at
 * zero).
 */
export function beyond(value: number, threshold: number): number {
  return clamp(value / threshold - 1);
}

export function below(value: number, threshold: number): number {
  return clamp(1 - value / threshold);
}

/** Absolute difference of two headings, rad, 0–π. */
export function headingDifference(a: number, b: number): number {
  const d = (((a - b + Math.PI) % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI);
  return Math.abs(d - Math.PI);
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
