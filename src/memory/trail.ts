import { scaleBox } from '../core/box.js';
import { TIME_EPSILON } from '../core/ontology.js';
import type { ObjectSample, TrailPoint } from '../core/stages.js';
import type { FrameSize } from './events/sights.js';

/** How much of an object's past is kept beyond its samples: 2 Hz for 2 min, then 0.2 Hz for 1 h. */
const TRAIL_STEP_S = 0.5;
const RECENT_POINTS = 120 / TRAIL_STEP_S;
const SPARSE_STEP_S = 5;
const SPARSE_POINTS = 3600 / SPARSE_STEP_S;

/** The thinned history of one object, across all its parts. Takes samples as they fall out of the 10 s window. */
export class Trail {
  #recent: TrailPoint[] = [];
  #sparse: TrailPoint[] = [];
  #view: readonly TrailPoint[] | undefined = [];

  get length(): number {
    return this.#recent.length + this.#sparse.length;
  }

  add(sample: ObjectSample, frame: FrameSize): void {
    const last = this.#recent[this.#recent.length - 1];
    if (last && sample.t - last.t < TRAIL_STEP_S - TIME_EPSILON) return;
    this.#recent.push({ t: sample.t, box: scaleBox(sample.box, 1 / frame.width, 1 / frame.height) });
    this.#view = undefined;
    if (this.#recent.length > RECENT_POINTS) this.#thin(this.#recent.shift());
  }

  /** The points, oldest first. The array does not change afterwards. */
  view(): readonly TrailPoint[] {
    return (this.#view ??= [...this.#sparse, ...this.#recent]);
  }

  #thin(point: TrailPoint | undefined): void {
    const last = this.#sparse[this.#sparse.length - 1];
    if (!point || (last && point.t - last.t < SPARSE_STEP_S - TIME_EPSILON)) return;
    this.#sparse.push(point);
    if (this.#sparse.length > SPARSE_POINTS) this.#sparse.shift();
  }
}
