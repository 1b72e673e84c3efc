import { z } from 'zod';
import type { Keyframe } from '../../core/records/records.js';
import { cosine } from '../../core/maths/cosine.js';
import { BYTES, embeddingBytes } from '../size-model.js';
import { savedBox, savedEmbedding, saveEmbedding } from '../state/saved-state.js';

/** Maximum number of keyframes of one object. */
export const MAX_KEYFRAMES = 6;
/** A keyframe nearer than this (1 − cosine) to a stored one adds no information. */
const MIN_NEWS = 0.01;

export const savedKeyframes = z
  .array(z.object({ t: z.number(), box: savedBox, embedding: savedEmbedding }))
  .max(MAX_KEYFRAMES);

/**
 * The few appearances that best cover an object's variety: an online form of farthest-point selection (Gonzalez 1985;
 * the k-centre problem). Below the maximum every sufficiently new appearance is stored; after that an appearance that
 * lies farther from all others than the closest two from each other replaces the newer of those two. The minimum
 * distance between keyframes thereby only grows, and no appearance ever offered was farther from the set, at its
 * time, than that distance.
 */
export class KeyframeSet {
  #frames: Keyframe[] = [];
  /** Distances 1 − cosine between keyframes, row by row, in the order of `#frames`. */
  #distances: number[][] = [];

  get frames(): readonly Keyframe[] {
    return this.#frames;
  }

  get bytes(): number {
    return this.#frames.reduce((sum, { embedding }) => sum + BYTES.keyframe + embeddingBytes(embedding), 0);
  }

  /** Offers keyframes in order of time. Returns true when the keyframe is stored. */
  offer(frame: Keyframe): boolean {
    const to = this.#frames.map(({ embedding }) => 1 - cosine(embedding, frame.embedding));
    const news = Math.min(...to);
    if (news < MIN_NEWS) return false;
    if (this.#frames.length < MAX_KEYFRAMES) {
      this.#add(frame, to);
      return true;
    }
    const closest = this.#closest();
    if (news <= closest.distance) return false;
    this.#remove(closest.newer);
    to.splice(closest.newer, 1);
    this.#add(frame, to);
    return true;
  }

  /** Removes the newer of the closest two until `max` remain. Returns the number of removed keyframes. */
  reduceTo(max: number): number {
    const before = this.#frames.length;
    while (this.#frames.length > Math.max(max, 1)) this.#remove(this.#closest().newer);
    return before - this.#frames.length;
  }

  saveState(): z.input<typeof savedKeyframes> {
    return this.#frames.map(({ t, box, embedding }) => ({
      t,
      box: [...box],
      embedding: saveEmbedding(embedding),
    }));
  }

  restoreState(frames: z.output<typeof savedKeyframes>): void {
    this.#frames = [];
    this.#distances = [];
    for (const frame of frames)
      this.#add(
        frame,
        this.#frames.map(({ embedding }) => 1 - cosine(embedding, frame.embedding)),
      );
  }

  #add(frame: Keyframe, to: readonly number[]): void {
    this.#distances.forEach((row, i) => row.push(to[i] ?? 0));
    this.#distances.push([...to, 0]);
    this.#frames.push(frame);
  }

  #remove(i: number): void {
    this.#frames.splice(i, 1);
    this.#distances.splice(i, 1);
    for (const row of this.#distances) row.splice(i, 1);
  }

  #closest(): { newer: number; distance: number } {
    let [newer, distance] = [this.#frames.length - 1, Infinity];
    this.#distances.forEach((row, i) => {
      for (let j = 0; j < i; j++) {
        if ((row[j] ?? 0) >= distance) continue;
        distance = row[j] ?? 0;
        newer = i;
      }
    });
    return { newer, distance };
  }
}
