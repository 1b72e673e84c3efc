import { scaleBox } from '../core/box.js';
import { FAST, SAMPLE_HZ, SLOW } from '../core/ontology.js';
import type { ObjectRecord, ObjectSample, TrackedObject } from '../core/stages.js';
import type { FrameSize } from './events/sights.js';
import type { SampledPart, Subject } from './sampled-part.js';
import { Trail } from './trail.js';

/** Samples that a record shows: the last 10 s and the present one. */
const WINDOW_SAMPLES = 10 * SAMPLE_HZ + 1;
/** Before a speed is defined, an object that the tracker sees faster than this is moving, bh/s. */
const MOVING_AT_FIRST = (SLOW + FAST) / 2;

/** What memory knows of one object, over all parts of its life, and the immutable records it makes of it. */
export class RememberedObject {
  readonly subject: Subject;
  /** The present unbroken part; undefined when the object is not in view. */
  part: SampledPart | undefined;
  firstSeen: number;
  #track: TrackedObject;
  #trail = new Trail();
  /** First sample of the present part that is not in the trail yet. */
  #untrailedK = 0;
  #moving = false;
  #samples: readonly ObjectSample[] = [];
  #samplesK = -1;

  constructor(track: TrackedObject) {
    this.subject = { id: track.id, label: track.label };
    this.firstSeen = track.firstSeen;
    this.#track = track;
  }

  /** Points of the trail, and samples held. */
  get counts(): { trail: number; samples: number } {
    return { trail: this.#trail.length, samples: this.part?.samples.length ?? this.#samples.length };
  }

  begin(part: SampledPart): void {
    this.part = part;
    this.#untrailedK = part.firstK ?? 0;
    this.#samplesK = -1;
  }

  /** Takes the tracker's present view, after the part has been given its observations. */
  update(track: TrackedObject, frame: FrameSize): void {
    this.#track = track;
    this.subject.label = track.label;
    this.firstSeen = Math.min(this.firstSeen, this.part?.first.t ?? track.firstSeen);
    const { part } = this;
    if (!part || part.lastK === this.#samplesK) return;
    this.#trailUntil(part, part.lastK - WINDOW_SAMPLES, frame);
    this.#samples = part.samples.slice(-WINDOW_SAMPLES);
    this.#samplesK = part.lastK;
    this.#moving = this.#isMoving(this.#samples[this.#samples.length - 1]);
  }

  /** The part is over: its last samples move into the trail. */
  end(frame: FrameSize): void {
    if (this.part) this.#trailUntil(this.part, this.part.lastK, frame);
    this.part = undefined;
  }

  record(frame: FrameSize): ObjectRecord {
    const [sx, sy] = [1 / frame.width, 1 / frame.height];
    const { id, label, score, box, velocity, lastSeen, seen, mask, token } = this.#track;
    return {
      id,
      label,
      score,
      upright: this.part?.upright ?? false,
      firstSeen: this.firstSeen,
      lastSeen,
      state: !seen ? 'hidden' : this.#moving ? 'moving' : 'standing',
      box: scaleBox(box, sx, sy),
      velocity: [velocity[0] * sx, velocity[1] * sy],
      samples: this.#samples,
      trail: this.#trail.view(),
      ...(mask && seen && { mask }),
      ...(token && { token }),
    };
  }

  #isMoving(sample: ObjectSample | undefined): boolean {
    if (!sample) return this.#moving;
    if (sample.speed === undefined) {
      const { velocity } = this.#track;
      return Math.hypot(velocity[0], velocity[1]) > MOVING_AT_FIRST * sample.height;
    }
    if (sample.speed > FAST) return true;
    return sample.speed >= SLOW && this.#moving;
  }

  #trailUntil(part: SampledPart, k: number, frame: FrameSize): void {
    for (let n = Math.max(this.#untrailedK, part.oldestK); n <= k; n++) {
      const sample = part.at(n);
      if (sample) this.#trail.add(sample, frame);
    }
    this.#untrailedK = Math.max(this.#untrailedK, k + 1);
  }
}
