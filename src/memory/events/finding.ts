import { z } from 'zod';
import { SAMPLE_HZ, type EventType } from '../../core/ontology.js';
import type { ObjectSample } from '../../core/memory.js';
import type { TrackSegment } from '../track-segment.js';

export interface Participation {
  readonly segment: TrackSegment;
  readonly role?: string;
}

/** What a rule has found, before it becomes an event with an id. */
export interface Finding {
  readonly type: EventType;
  /** Media seconds, as the definition of the type says. */
  readonly t: number;
  readonly who: readonly Participation[];
  /** 0–1: how far beyond its thresholds the evidence lies; 0 = just so. */
  readonly clearness: number;
  /** That it happened at all, 0–1, where that has been learned; it is the confidence then. */
  readonly probability?: number;
  /** Zone or line. */
  readonly zone?: string;
  readonly direction?: 'a>b' | 'b>a';
}

export type Report = (finding: Finding) => void;

/** What a rule remembers, as plain JSON; a rule made for the same part or pair that takes it back goes on exactly. */
export interface Stateful {
  saveState(): unknown;
  /** Throws a ZodError when the state is not of its form. */
  restoreState(state: unknown): void;
}

/** A rule about one part of one object; fed with every sample once, in order. */
export interface ObjectRule extends Stateful {
  step(k: number, sample: ObjectSample, tell: Report): void;
  /** The part has ended: what was waiting for more is told or forgotten. */
  end?(tell: Report): void;
}

/** A sample, or none. */
export const savedSample = z
  .number()
  .int()
  .nullable()
  .transform((k) => k ?? undefined);

/** A run of samples over which a condition holds. */
export class Run {
  /** First sample of the present run; undefined while the condition is false. */
  start: number | undefined;

  /** Takes the condition at sample k. True at the one sample at which the run comes to span `least` samples. */
  step(k: number, on: boolean, least: number): boolean {
    if (!on) {
      this.start = undefined;
      return false;
    }
    this.start ??= k;
    return k - this.start === least;
  }
}

export function samplesIn(seconds: number): number {
  return Math.round(seconds * SAMPLE_HZ);
}

export function timeOf(k: number): number {
  return k / SAMPLE_HZ;
}

/** How far `value` lies beyond `threshold`, 1 when it is twice as far from zero (or, for `below`, at zero). */
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
