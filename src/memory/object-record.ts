import { z } from 'zod';
import { scaleBox } from '../core/maths/box.js';
import { FAST, SAMPLE_HZ, SLOW } from '../core/ontology.js';
import type { ObjectRecord, ObjectSample, TrackedObject } from '../core/memory.js';
import type { FrameSize } from './events/rules/presence-rule.js';
import type { LifeHistory } from './history/life-history.js';
import { packSamples, TrackSegment, savedSegment, unpackSamples, type Subject } from './track-segment.js';
import { savedFloats } from './state/saved-floats.js';
import { savedBox, savedPoint } from './state/saved-state.js';

/** Samples in a record: the last 10 s and the present one. */
const WINDOW_SAMPLES = 10 * SAMPLE_HZ + 1;
/** Speed threshold of moving by the tracker's estimate, before a speed is defined, bh/s. */
const MOVING_AT_FIRST = (SLOW + FAST) / 2;

export const savedObject = z.object({
  track: z.object({
    id: z.string(),
    label: z.string(),
    score: z.number(),
    box: savedBox,
    velocity: savedPoint,
    firstSeen: z.number(),
    lastSeen: z.number(),
    seen: z.boolean(),
  }),
  firstSeen: z.number(),
  upright: z.boolean(),
  moving: z.boolean(),
  frame: z.object({ width: z.number(), height: z.number() }),
  segment: savedSegment.optional(),
  untrailedK: z.number().int(),
  /** For an object whose segment has ended; otherwise the samples are those of the segment. */
  samples: z.object({ floats: savedFloats, lastK: z.number().int() }).optional(),
});

/** State of one object that is in view or left recently; creates its immutable records. */
export class RememberedObject {
  readonly subject: Subject;
  readonly history: LifeHistory;
  /** The present unbroken segment; undefined when the object is not in view. */
  segment: TrackSegment | undefined;
  firstSeen: number;
  #track: TrackedObject;
  /** Frame of the boxes of the track. */
  #frame: FrameSize = { width: 1, height: 1 };
  #upright = false;
  /** First sample of the present segment that is not in the trail yet. */
  #untrailedK = 0;
  #moving = false;
  #samples: readonly ObjectSample[] = [];
  #samplesK = -1;
  #mark = {};

  constructor(track: TrackedObject, history: LifeHistory) {
    this.subject = { id: track.id, label: track.label };
    this.history = history;
    this.firstSeen = track.firstSeen;
    this.#track = track;
  }

  /** Number of samples in memory. */
  get samples(): number {
    return this.segment?.samples.length ?? this.#samples.length;
  }

  /** A new object after every change. */
  get mark(): unknown {
    return this.#mark;
  }

  begin(segment: TrackSegment): void {
    this.segment = segment;
    this.#upright = segment.upright;
    this.#untrailedK = segment.firstK ?? 0;
    this.#samplesK = -1;
    this.history.begin(segment.first.t);
    this.#mark = {};
  }

  /** Applies the tracker's present estimate, after the segment has received its observations. */
  update(track: TrackedObject, frame: FrameSize): void {
    this.#mark = {};
    this.#track = track;
    this.#frame = frame;
    this.subject.label = track.label;
    this.firstSeen = Math.min(this.firstSeen, this.segment?.first.t ?? track.firstSeen);
    this.#remember(track, frame);
    const { segment } = this;
    if (!segment || segment.lastK === this.#samplesK) return;
    this.#trailUntil(segment, segment.lastK - WINDOW_SAMPLES, frame);
    this.#samples = segment.samples.slice(-WINDOW_SAMPLES);
    this.#samplesK = segment.lastK;
    this.#moving = this.#isMoving(this.#samples[this.#samples.length - 1]);
  }

  /** Ends the segment: its last samples move into the trail. */
  end(): void {
    if (!this.segment) return;
    this.#mark = {};
    this.#trailUntil(this.segment, this.segment.lastK, this.#frame);
    this.segment = undefined;
  }

  record(): ObjectRecord {
    const [sx, sy] = [1 / this.#frame.width, 1 / this.#frame.height];
    const { id, label, score, box, velocity, lastSeen, seen, mask, embedding } = this.#track;
    return {
      id,
      label,
      score,
      upright: this.#upright,
      firstSeen: this.firstSeen,
      lastSeen,
      state: !seen ? 'hidden' : this.#moving ? 'moving' : 'standing',
      box: scaleBox(box, sx, sy),
      velocity: [velocity[0] * sx, velocity[1] * sy],
      samples: this.#samples,
      trail: this.history.trail.view(),
      ...(mask && seen && { mask }),
      ...(embedding && { embedding }),
    };
  }

  saveState(): z.input<typeof savedObject> {
    const { id, label, score, box, velocity, firstSeen, lastSeen, seen } = this.#track;
    return {
      track: { id, label, score, box: [...box], velocity: [...velocity], firstSeen, lastSeen, seen },
      firstSeen: this.firstSeen,
      upright: this.#upright,
      moving: this.#moving,
      frame: { ...this.#frame },
      untrailedK: this.#untrailedK,
      ...(this.segment
        ? { segment: this.segment.saveState() }
        : { samples: { floats: packSamples(this.#samples), lastK: this.#samplesK } }),
    };
  }

  /** An object that continues identically to the saved one; only the mask of its last percept is lost. */
  static restore(state: z.output<typeof savedObject>, history: LifeHistory): RememberedObject {
    const { embedding } = history;
    const object = new RememberedObject({ ...state.track, ...(embedding && { embedding }) }, history);
    object.firstSeen = state.firstSeen;
    object.#upright = state.upright;
    object.#moving = state.moving;
    object.#frame = state.frame;
    object.#untrailedK = state.untrailedK;
    if (state.segment) {
      object.segment = TrackSegment.restore(object.subject, state.segment);
      object.#samples = object.segment.samples.slice(-WINDOW_SAMPLES);
      object.#samplesK = object.segment.lastK;
    } else if (state.samples) {
      const { floats, lastK } = state.samples;
      object.#samples = unpackSamples(floats, state.upright, lastK);
      object.#samplesK = lastK;
    }
    return object;
  }

  #remember(track: TrackedObject, { width, height }: FrameSize): void {
    this.history.relabel(track.label);
    if (this.segment) this.history.seen(this.segment.last.t);
    const { embedding, seen, box, lastSeen } = track;
    if (embedding)
      this.history.observeAppearance(
        lastSeen,
        embedding,
        seen ? scaleBox(box, 1 / width, 1 / height) : undefined,
      );
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

  #trailUntil(segment: TrackSegment, k: number, frame: FrameSize): void {
    for (let n = Math.max(this.#untrailedK, segment.oldestK); n <= k; n++) {
      const sample = segment.at(n);
      if (sample) this.history.trail.add(sample, frame);
    }
    this.#untrailedK = Math.max(this.#untrailedK, k + 1);
  }
}
