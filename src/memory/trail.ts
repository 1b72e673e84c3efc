import { z } from 'zod';
import { scaleBox } from '../core/maths/box.js';
import { TIME_EPSILON } from '../core/ontology.js';
import type { ObjectSample, TrailPoint } from '../core/memory.js';
import type { FrameSize } from './events/rules/presence-rule.js';
import { packFloats, savedFloats } from './state/saved-floats.js';
import { BYTES } from './size-model.js';

/** Resolution of an object's past before its samples: 2 Hz for 2 min, then 0.2 Hz for 1 h. */
const TRAIL_STEP_S = 0.5;
export const RECENT_S = 120;
const RECENT_POINTS = RECENT_S / TRAIL_STEP_S;
const SPARSE_STEP_S = 5;
export const SPARSE_S = 3600;
const SPARSE_POINTS = SPARSE_S / SPARSE_STEP_S;
/** Points that are saved separately before the whole trail is saved again. */
const MAX_TAIL = 64;
/** Floats of a point: t and box. */
const WIDTH = 5;

export const savedTrail = z.object({ recent: savedFloats, sparse: savedFloats });

/** The thinned path of one object across all its segments. Receives samples as they leave the 10 s window. */
export class Trail {
  #recent: TrailPoint[] = [];
  #sparse: TrailPoint[] = [];
  #view: readonly TrailPoint[] | undefined = [];
  #tail: TrailPoint[] = [];
  #mark = {};

  /** A new object whenever the trail has changed by more than its `tail`. */
  get mark(): unknown {
    return this.#mark;
  }

  get length(): number {
    return this.#recent.length + this.#sparse.length;
  }

  get bytes(): number {
    return BYTES.trailPoint * this.length;
  }

  add(sample: ObjectSample, frame: FrameSize): void {
    const last = this.#recent[this.#recent.length - 1];
    if (last && sample.t - last.t < TRAIL_STEP_S - TIME_EPSILON) return;
    this.#push({ t: sample.t, box: scaleBox(sample.box, 1 / frame.width, 1 / frame.height) });
  }

  /** The points, oldest first. The array does not change afterwards. */
  view(): readonly TrailPoint[] {
    return (this.#view ??= [...this.#sparse, ...this.#recent]);
  }

  /** Thins all points to 0.2 Hz: the object left 2 min ago. */
  thin(): void {
    for (const point of this.#recent) this.#thin(point);
    this.#recent = [];
    this.#changed();
  }

  /** Keeps every second sparse point. Returns the number of removed points. */
  halve(): number {
    const before = this.#sparse.length;
    this.#sparse = this.#sparse.filter((_, i) => i % 2 === 0);
    this.#changed();
    return before - this.#sparse.length;
  }

  clear(): void {
    this.#recent = [];
    this.#sparse = [];
    this.#changed();
  }

  saveState(): z.input<typeof savedTrail> {
    return { recent: pack(this.#recent), sparse: pack(this.#sparse) };
  }

  /** The points since `mark` changed: few, where the whole trail need not be written again. */
  saveTail(): string {
    return pack(this.#tail);
  }

  /** @param tail result of `saveTail` at the same time or later */
  restoreState({ recent, sparse }: z.output<typeof savedTrail>, tail: Float64Array): void {
    this.#recent = unpack(recent);
    this.#sparse = unpack(sparse);
    const last = this.#recent[this.#recent.length - 1]?.t ?? -Infinity;
    for (const point of unpack(tail)) if (point.t > last) this.#push(point);
    this.#changed();
  }

  #push(point: TrailPoint): void {
    this.#recent.push(point);
    this.#tail.push(point);
    this.#view = undefined;
    if (this.#recent.length > RECENT_POINTS) this.#thin(this.#recent.shift());
    if (this.#tail.length > MAX_TAIL) this.#changed();
  }

  #changed(): void {
    this.#view = undefined;
    this.#tail = [];
    this.#mark = {};
  }

  #thin(point: TrailPoint | undefined): void {
    const last = this.#sparse[this.#sparse.length - 1];
    if (!point || (last && point.t - last.t < SPARSE_STEP_S - TIME_EPSILON)) return;
    this.#sparse.push(point);
    if (this.#sparse.length > SPARSE_POINTS) this.#sparse.shift();
  }
}

function pack(points: readonly TrailPoint[]): string {
  return packFloats(points.flatMap(({ t, box }) => [t, ...box]));
}

function unpack(floats: Float64Array): TrailPoint[] {
  const points: TrailPoint[] = [];
  for (let i = 0; i + WIDTH <= floats.length; i += WIDTH) {
    const [t = 0, x = 0, y = 0, w = 0, h = 0] = floats.subarray(i, i + WIDTH);
    points.push({ t, box: [x, y, w, h] });
  }
  return points;
}
