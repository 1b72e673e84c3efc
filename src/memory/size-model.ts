import type { EventObserved } from '../core/messages.js';
import type { Episode } from '../core/records/records.js';

/**
 * Sizes of memory's containers on the heap, bytes: an upper estimate for V8 on 64 bit without pointer compression
 * (header of an object 24, a boxed double 16, an array 32 and 16 more for its elements, 8 per element).
 * `test/unit/memory/memory-soak.test.ts` compares it with the heap.
 */
export const BYTES = {
  /** One ObjectSample with its box, position and velocity. */
  sample: 360,
  /** One TrailPoint with its box, and its entries in the trail and in the view of it. */
  trailPoint: 176,
  /** One Span and its entry. */
  span: 104,
  /** One Keyframe without its embedding. */
  keyframe: 168,
  /** One embedding without its floats. */
  embedding: 192,
  float: 4,
  /** An object's history without its contents, its id and its entries in the maps. */
  history: 640,
  /** An object in view or recently departed without its samples: records, rules, tracker estimate. */
  object: 3200,
  /** A track of the tracker, live or remembered, with its embeddings and past boxes. */
  track: 24_000,
  /** State of the rules of one pair within reach. */
  pair: 2400,
  relation: 192,
  /** An event without its participants. */
  event: 288,
  participant: 224,
  /** An episode without its lists. */
  episode: 240,
  reference: 8,
  /** A character of a text. */
  character: 1,
} as const;

export function embeddingBytes(embedding: Float32Array | undefined): number {
  return embedding ? BYTES.embedding + BYTES.float * embedding.length : 0;
}

export function eventBytes({ event }: EventObserved): number {
  return BYTES.event + BYTES.participant * event.participants.length;
}

export function relationBytes(): number {
  return BYTES.relation;
}

/** Ids count in full: the events and objects that share their strings may have been discarded. */
export function episodeBytes({ text, events, objects }: Episode): number {
  const ids = events.length + objects.length;
  return BYTES.episode + BYTES.character * text.length + (BYTES.reference + 32) * ids;
}
