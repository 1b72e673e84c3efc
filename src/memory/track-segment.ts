import { z } from 'zod';
import { boxPosition, type Box, type Point } from '../core/maths/box.js';
import { SAMPLE_HZ, TIME_EPSILON, UPRIGHT_LABELS } from '../core/ontology.js';
import type { ObjectSample } from '../core/memory.js';
import { packFloats, savedFloats } from './state/saved-floats.js';
import { savedBox } from './state/saved-state.js';

/**
 * Samples kept per segment: the 10 s that forecasts and `loiter` use, and the margin that the rules need around them.
 */
const MAX_SAMPLES = 10 * SAMPLE_HZ + 8;
/** Samples before the present one that enter the median height: 1 s. */
const HEIGHT_SPAN = SAMPLE_HZ;
/** Samples before the present one that enter the velocity: 0.6 s. */
const VELOCITY_SPAN = 6;

/** The participant in an event: shared by all segments of one object; changes with the tracker's estimate. */
export interface Subject {
  readonly id: string;
  label: string;
}

/** A box in px, as observed at media time `t`. */
export interface BoxObservation {
  readonly t: number;
  readonly box: Box;
}

/** Floats of a saved sample: box, height, velocity (NaN if undefined). The other fields follow from them. */
const WIDTH = 7;

const savedObservation = z.object({ t: z.number(), box: savedBox });
export const savedSegment = z.object({
  upright: z.boolean(),
  exact: z.boolean(),
  first: savedObservation,
  last: savedObservation,
  firstK: z.number().int().optional(),
  made: z.number().int().min(0),
  scoreSum: z.number(),
  observations: z.number().int().min(1),
  samples: savedFloats,
});

/**
 * An unbroken part of a track (never unseen for 1 s), sampled at 10 Hz: sample k stands for t = k / 10 s and is
 * interpolated between the observations around it, so it exists as soon as the object was observed at or after its
 * time. Keeps the last ~11 s.
 */
export class TrackSegment {
  readonly subject: Subject;
  /** True when the position is the bottom centre of the box; decided by the label at the start of the segment. */
  readonly upright: boolean;
  /** True for exact boxes: the rules do not allow for noise. */
  readonly exact: boolean;
  readonly first: BoxObservation;
  /** True once the object has been unseen for 1 s: no sample will follow. */
  ended = false;
  /** Index of the first sample; undefined while all observations lie between two sample times. */
  firstK: number | undefined;
  #last: BoxObservation;
  #samples: ObjectSample[] = [];
  #scoreSum = 0;
  #observations = 0;

  constructor(
    subject: Subject,
    first: BoxObservation,
    score: number,
    exact: boolean,
    upright: boolean = UPRIGHT_LABELS.has(subject.label),
  ) {
    this.subject = subject;
    this.exact = exact;
    this.upright = upright;
    this.first = first;
    this.#last = first;
    this.#score(score);
    this.#sampleUntil(first);
  }

  get last(): BoxObservation {
    return this.#last;
  }

  /** Index of the latest sample; one before the first while there is none. */
  get lastK(): number {
    return (this.firstK ?? this.#nextK()) + this.#made - 1;
  }

  /** Index of the oldest stored sample. */
  get oldestK(): number {
    return this.lastK - this.#samples.length + 1;
  }

  /** The stored samples, oldest first. The array changes with every observation. */
  get samples(): readonly ObjectSample[] {
    return this.#samples;
  }

  /** Mean detection score over the segment, 0–1. */
  get support(): number {
    return this.#scoreSum / this.#observations;
  }

  /** Sample k, or undefined when it does not exist yet, will never exist, or is no longer stored. */
  at(k: number): ObjectSample | undefined {
    return this.#samples[k - this.oldestK];
  }

  /** True when sample k exists, or never will. */
  isFinal(k: number): boolean {
    return this.ended || k <= this.lastK;
  }

  /** Adds an observation later than the last one; after a gap of 1 s or more the caller ends the segment instead. */
  observe(observation: BoxObservation, score: number): void {
    if (observation.t <= this.#last.t) return;
    this.#sampleUntil(observation);
    this.#last = observation;
    this.#score(score);
  }

  /**
   * Box in px nearest to time t: the sample of that time, or the first or last observation outside the stored range.
   */
  boxAt(t: number): Box {
    if (Math.abs(t - this.#last.t) <= TIME_EPSILON) return this.#last.box;
    if (Math.abs(t - this.first.t) <= TIME_EPSILON) return this.first.box;
    const k = Math.min(Math.max(Math.round(t * SAMPLE_HZ), this.oldestK), this.lastK);
    return this.at(k)?.box ?? this.#last.box;
  }

  saveState(): z.input<typeof savedSegment> {
    const save = ({ t, box }: BoxObservation): z.input<typeof savedObservation> => ({ t, box: [...box] });
    return {
      upright: this.upright,
      exact: this.exact,
      first: save(this.first),
      last: save(this.#last),
      firstK: this.firstK,
      made: this.#made,
      scoreSum: this.#scoreSum,
      observations: this.#observations,
      samples: packSamples(this.#samples),
    };
  }

  /** A segment that continues identically to the saved one. */
  static restore(subject: Subject, state: z.output<typeof savedSegment>): TrackSegment {
    const segment = new TrackSegment(subject, state.first, 0, state.exact, state.upright);
    segment.firstK = state.firstK;
    segment.#made = state.made;
    segment.#last = state.last;
    segment.#scoreSum = state.scoreSum;
    segment.#observations = state.observations;
    segment.#samples = unpackSamples(state.samples, segment.upright, segment.lastK);
    return segment;
  }

  #made = 0;

  #nextK(): number {
    return Math.ceil(this.first.t * SAMPLE_HZ - TIME_EPSILON);
  }

  #score(score: number): void {
    this.#scoreSum += score;
    this.#observations += 1;
  }

  #sampleUntil(to: BoxObservation): void {
    const until = Math.floor(to.t * SAMPLE_HZ + TIME_EPSILON);
    for (let k = this.lastK + 1; k <= until; k++) {
      this.firstK ??= k;
      this.#samples.push(this.#sample(k, interpolate(this.#last, to, k / SAMPLE_HZ)));
      this.#made += 1;
      if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    }
  }

  #sample(k: number, box: Box): ObjectSample {
    const before = this.#samples;
    const heights = [box[3]];
    for (let i = Math.max(0, before.length - HEIGHT_SPAN); i < before.length; i++) {
      heights.push((before[i] as ObjectSample).box[3]);
    }
    const height = median(heights);
    const position = boxPosition(box, this.upright);
    const velocity = before.length < VELOCITY_SPAN ? undefined : slope(before, position);
    const speed = velocity && Math.hypot(velocity[0], velocity[1]) / height;
    return { t: k / SAMPLE_HZ, box, position, height, velocity, speed };
  }
}

/** Encodes consecutive samples as base64 without the values that follow from the boxes and their order. */
export function packSamples(samples: readonly ObjectSample[]): string {
  return packFloats(
    samples.flatMap(({ box, height, velocity }) => [...box, height, ...(velocity ?? [NaN, NaN])]),
  );
}

/** @param lastK index of the last sample */
export function unpackSamples(floats: Float64Array, upright: boolean, lastK: number): ObjectSample[] {
  const n = Math.floor(floats.length / WIDTH);
  return Array.from({ length: n }, (_, i) => {
    const [x = 0, y = 0, w = 0, h = 0, height = 0, vx = NaN, vy = NaN] = floats.subarray(i * WIDTH);
    const box: Box = [x, y, w, h];
    const velocity: Point | undefined = Number.isNaN(vx) ? undefined : [vx, vy];
    const speed = velocity && Math.hypot(velocity[0], velocity[1]) / height;
    const t = (lastK - n + 1 + i) / SAMPLE_HZ;
    return { t, box, position: boxPosition(box, upright), height, velocity, speed };
  });
}

/** Box at time t between two observations; held constant outside of them. */
function interpolate(a: BoxObservation, b: BoxObservation, t: number): Box {
  if (t >= b.t) return b.box;
  if (t <= a.t) return a.box;
  const f = (t - a.t) / (b.t - a.t);
  const mix = (i: 0 | 1 | 2 | 3): number => a.box[i] + (b.box[i] - a.box[i]) * f;
  return [mix(0), mix(1), mix(2), mix(3)];
}

/** Median; sorts the values in place by insertion (there are few). */
function median(values: number[]): number {
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    let j = i;
    for (; j > 0 && (values[j - 1] as number) > value; j--) values[j] = values[j - 1] as number;
    values[j] = value;
  }
  const middle = values.length >> 1;
  const upper = values[middle] ?? 0;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? 0) + upper) / 2;
}

/** Least-squares slope, px/s, through the positions of the last six samples and the present one. */
function slope(before: readonly ObjectSample[], now: Point): Point {
  const half = VELOCITY_SPAN / 2;
  let x = half * now[0];
  let y = half * now[1];
  let norm = half * half;
  for (let i = 1; i <= VELOCITY_SPAN; i++) {
    const { position } = before[before.length - i] as ObjectSample;
    x += (half - i) * position[0];
    y += (half - i) * position[1];
    norm += (half - i) ** 2;
  }
  return [(x / norm) * SAMPLE_HZ, (y / norm) * SAMPLE_HZ];
}
