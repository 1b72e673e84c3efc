import type { Box } from '../maths/box.js';
import type { EventObserved } from '../messages.js';
import type { Places, TrailPoint } from '../memory.js';

/** What memory, or the archive on disk, can be asked about: plain records, times in media seconds, boxes in fractions. */

/** From `from` to `to`, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** One look at an object that stands for the looks like it. */
export interface Keyframe {
  readonly t: number;
  readonly box: Box;
  /** Appearance at that moment, unit length. */
  readonly embedding: Float32Array;
}

/** How an object's stay began or ended. */
export interface Passage {
  /** Id of the event that tells it. */
  readonly event: string;
  readonly t: number;
  /** `enter` or `exit` over the border of the view; `appear` or `disappear` elsewhere. */
  readonly type: 'enter' | 'appear' | 'exit' | 'disappear';
}

/** All that is known of one object. */
export interface ObjectHistory {
  readonly id: string;
  readonly label: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** When it was in view, oldest first, bounded: the oldest are merged. */
  readonly spans: readonly Span[];
  /** The first time it came; absent while that is not yet certain. */
  readonly entered?: Passage;
  /** The last time it went; absent while it is in view. */
  readonly left?: Passage;
  /** Where it was: thinned, oldest first. */
  readonly path: readonly TrailPoint[];
  /** Appearance, smoothed over the sights, unit length. */
  readonly embedding?: Float32Array;
  /** Looks that together cover how it appeared, oldest first. */
  readonly keyframes: readonly Keyframe[];
}

export const RELATION_KINDS = ['near', 'moving-towards', 'touching', 'carrying', 'following'] as const;
export type RelationKind = (typeof RELATION_KINDS)[number];
/** Kinds that hold between two objects in either direction: `a` is then the object that came first. */
export const SYMMETRIC_RELATIONS: ReadonlySet<RelationKind> = new Set<RelationKind>(['near', 'touching']);

/** Something that held between two objects for a time: `a` near, moving towards, touching, carrying, following `b`. */
export interface Relation extends Span {
  readonly kind: RelationKind;
  readonly a: string;
  readonly b: string;
  /** It still holds; `to` is then the present. */
  readonly open: boolean;
}

/** What a part of the stream held, between two pauses of activity. */
export interface Episode extends Span {
  readonly text: string;
  /** Ids. */
  readonly events: readonly string[];
  readonly objects: readonly string[];
}

/** Everything there is to search. Each list is in order of time (objects: of their first sight). */
export interface Records {
  readonly objects: readonly ObjectHistory[];
  readonly events: readonly EventObserved[];
  readonly relations: readonly Relation[];
  readonly episodes: readonly Episode[];
  readonly places: Places;
}
