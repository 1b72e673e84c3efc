import { z } from 'zod';
import type { EventObserved } from '../../core/messages.js';
import { TIME_EPSILON } from '../../core/ontology.js';
import type { ObjectHistory, Passage, Span } from '../../core/records/records.js';
import type { Box } from '../../core/maths/box.js';
import { BYTES, embeddingBytes } from '../size-model.js';
import { savedFloats } from '../state/saved-floats.js';
import { savedTrail, Trail } from '../trail.js';
import { savedTime, savedEmbedding, saveTime, saveEmbedding } from '../state/saved-state.js';
import { KeyframeSet, savedKeyframes } from './keyframe-set.js';

/** Maximum number of stays; beyond it the oldest two are joined. */
const MAX_SPANS = 32;
/** Interval at which appearances are offered to the keyframes, s. */
const APPEARANCE_STEP_S = 0.5;

const savedPassage = z
  .object({
    event: z.string(),
    t: z.number(),
    type: z.enum(['enter', 'appear', 'exit', 'disappear']),
  })
  .optional();

export const savedHistory = z.object({
  id: z.string().min(1),
  label: z.string(),
  spans: z.array(z.object({ from: z.number(), to: z.number() })).max(MAX_SPANS),
  entered: savedPassage,
  left: savedPassage,
  trail: savedTrail,
  keyframes: savedKeyframes,
});
/** The fields that change with every percept, saved separately. */
export const savedPresence = z.object({
  id: z.string(),
  to: z.number(),
  sampledAt: savedTime,
  embedding: savedEmbedding.optional(),
  tail: savedFloats,
});

/** The long-term record of one object: its stays, arrival, departure, path and appearances. */
export class LifeHistory {
  readonly id: string;
  readonly trail = new Trail();
  readonly keyframes = new KeyframeSet();
  #label: string;
  #spans: Span[] = [];
  #entered: Passage | undefined;
  #left: Passage | undefined;
  #embedding: Float32Array | undefined;
  #sampledAt = -Infinity;
  #mark = {};
  #trailMark: unknown;

  constructor(id: string, label: string) {
    this.id = id;
    this.#label = label;
  }

  get firstSeen(): number {
    return this.#spans[0]?.from ?? 0;
  }

  get lastSeen(): number {
    return this.#spans[this.#spans.length - 1]?.to ?? 0;
  }

  get bytes(): number {
    const { trail, keyframes } = this;
    return (
      BYTES.history +
      BYTES.span * this.#spans.length +
      trail.bytes +
      keyframes.bytes +
      embeddingBytes(this.#embedding)
    );
  }

  /** Appearance, smoothed over the observations. */
  get embedding(): Float32Array | undefined {
    return this.#embedding;
  }

  /** A new object whenever a field outside `savePresence` has changed. */
  get mark(): unknown {
    if (this.#trailMark !== this.trail.mark) this.#mark = {};
    this.#trailMark = this.trail.mark;
    return this.#mark;
  }

  relabel(label: string): void {
    if (label === this.#label) return;
    this.#label = label;
    this.#mark = {};
  }

  /** Keeps at most this many keyframes. */
  reduceAppearances(max: number): void {
    this.keyframes.reduceTo(max);
    this.#mark = {};
  }

  /** Starts a stay at `t`. */
  begin(t: number): void {
    this.#mark = {};
    this.#spans.push({ from: t, to: t });
    const [first, second] = this.#spans;
    if (this.#spans.length > MAX_SPANS && first && second)
      this.#spans.splice(0, 2, { from: first.from, to: second.to });
  }

  /** Extends the latest stay to `t`. */
  seen(t: number): void {
    const last = this.#spans.pop();
    if (last) this.#spans.push({ from: last.from, to: Math.max(last.to, t) });
  }

  /** @param box fractions of the frame; absent while the object is hidden and its embedding is an earlier one */
  observeAppearance(t: number, embedding: Float32Array, box: Box | undefined): void {
    this.#embedding = embedding;
    if (!box || t - this.#sampledAt < APPEARANCE_STEP_S - TIME_EPSILON) return;
    this.#sampledAt = t;
    if (this.keyframes.offer({ t, box, embedding })) this.#mark = {};
  }

  /** Records an event in which the object arrived or left. */
  note({ event }: EventObserved): void {
    const { id, t, type } = event;
    this.#mark = {};
    if (type === 'enter' || type === 'appear') this.#entered ??= { event: id, t, type };
    if (type === 'exit' || type === 'disappear') this.#left = { event: id, t, type };
  }

  record(): ObjectHistory {
    const from = this.#spans[this.#spans.length - 1]?.from ?? 0;
    const left = this.#left && this.#left.t >= from - TIME_EPSILON ? this.#left : undefined;
    return {
      id: this.id,
      label: this.#label,
      firstSeen: this.firstSeen,
      lastSeen: this.lastSeen,
      spans: [...this.#spans],
      ...(this.#entered && { entered: this.#entered }),
      ...(left && { left }),
      path: this.trail.view(),
      ...(this.#embedding && { embedding: this.#embedding }),
      keyframes: [...this.keyframes.frames].sort((a, b) => a.t - b.t),
    };
  }

  saveState(): z.input<typeof savedHistory> {
    return {
      id: this.id,
      label: this.#label,
      spans: this.#spans.map((span) => ({ ...span })),
      entered: this.#entered,
      left: this.#left,
      trail: this.trail.saveState(),
      keyframes: this.keyframes.saveState(),
    };
  }

  savePresence(): z.input<typeof savedPresence> {
    return {
      id: this.id,
      to: this.lastSeen,
      sampledAt: saveTime(this.#sampledAt),
      embedding: this.#embedding && saveEmbedding(this.#embedding),
      tail: this.trail.saveTail(),
    };
  }

  static restore(
    state: z.output<typeof savedHistory>,
    presence: z.output<typeof savedPresence>,
  ): LifeHistory {
    const history = new LifeHistory(state.id, state.label);
    history.#spans = state.spans;
    history.#entered = state.entered;
    history.#left = state.left;
    history.trail.restoreState(state.trail, presence.tail);
    history.#embedding = presence.embedding;
    history.keyframes.restoreState(state.keyframes);
    history.#sampledAt = presence.sampledAt;
    history.seen(presence.to);
    return history;
  }
}
