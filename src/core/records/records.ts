import type { Box } from '../maths/box.js';
import type { EventObserved } from '../messages.js';
import type { Places, TrailPoint } from '../places.js';

/* Records of memory and of the archive on disk: plain data, times in media seconds, boxes in fractions of the frame. */

/** A closed interval of media time, s. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** An observation whose appearance represents the similar ones of the object. */
export interface Keyframe {
  readonly t: number;
  readonly box: Box;
  /** Appearance at that moment, unit length. */
  readonly embedding: Float32Array;
}

/** Beginning or end of an object's stay. */
export interface Passage {
  /** Id of the event. */
  readonly event: string;
  readonly t: number;
  /** `enter` or `exit` over the border of the view; `appear` or `disappear` elsewhere. */
  readonly type: 'enter' | 'appear' | 'exit' | 'disappear';
}

/** The history of one object. */
export interface ObjectHistory {
  readonly id: string;
  readonly label: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Times in view, oldest first, bounded: the oldest are merged. */
  readonly spans: readonly Span[];
  /** First arrival; absent until the event is certain. */
  readonly entered?: Passage;
  /** Last departure; absent while the object is in view. */
  readonly left?: Passage;
  /** Thinned path, oldest first. */
  readonly path: readonly TrailPoint[];
  /** Appearance, smoothed over the observations, unit length. */
  readonly embedding?: Float32Array;
  /** Keyframes that together cover the appearances of the object, oldest first. */
  readonly keyframes: readonly Keyframe[];
}

export const RELATION_KINDS = ['near', 'moving-towards', 'touching', 'carrying', 'following'] as const;
export type RelationKind = (typeof RELATION_KINDS)[number];
/** Kinds that hold between two objects in either direction: `a` is the object that was seen first. */
export const SYMMETRIC_RELATIONS: ReadonlySet<RelationKind> = new Set<RelationKind>(['near', 'touching']);

/** An interval in which a relation holds: `a` is near, moving towards, touching, carrying or following `b`. */
export interface Relation extends Span {
  readonly kind: RelationKind;
  readonly a: string;
  readonly b: string;
  /** True while the relation holds; `to` is then the present. */
  readonly open: boolean;
}

/** The events and objects between two pauses of activity. */
export interface Episode extends Span {
  readonly text: string;
  /** Ids of events. */
  readonly events: readonly string[];
  /** Ids of objects. */
  readonly objects: readonly string[];
}

/** All records to search. Each list is in order of time (objects: by `firstSeen`). */
export interface Records {
  readonly objects: readonly ObjectHistory[];
  readonly events: readonly EventObserved[];
  readonly relations: readonly Relation[];
  readonly episodes: readonly Episode[];
  readonly places: Places;
}
