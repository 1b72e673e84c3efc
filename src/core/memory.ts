import type { Box, Point } from './maths/box.js';
import type { EventObserved, ObjectState } from './messages.js';
import type { EventType } from './ontology.js';
import type { Mask, Percept } from './percept.js';
import type { Places, TrailPoint } from './places.js';
import type { Episode, Records, Relation } from './records/records.js';

export type { Places, TrailPoint };

/** State of a tracked object after one percept. Boxes in px of the source frame. */
export interface TrackedObject {
  /** `o1`, `o2`, … stable for the life of the stream; an object that returns while its appearance is kept has the same id. */
  readonly id: string;
  readonly label: string;
  readonly score: number;
  /** Estimate at the percept's time: filtered when seen, predicted while hidden. */
  readonly box: Box;
  /** Velocity of the box centre, px/s. */
  readonly velocity: Point;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** True when a detection supports it in this percept. */
  readonly seen: boolean;
  /** The mask in this percept. */
  readonly mask?: Mask;
  /** Appearance, smoothed over the observations, unit length. */
  readonly embedding?: Float32Array;
}

/** One sample of an object on the 10 Hz grid of the event definitions. */
export interface ObjectSample {
  readonly t: number;
  /** px */
  readonly box: Box;
  /** px */
  readonly position: Point;
  /** Median box height over the last second, px. */
  readonly height: number;
  /** Least-squares slope over the last 0.6 s, px/s; undefined before 0.6 s of history. */
  readonly velocity: Point | undefined;
  /** Body heights per second; undefined with the velocity. */
  readonly speed: number | undefined;
}

/** One object as the memory stores it. Boxes are fractions of the frame. */
export interface ObjectRecord {
  readonly id: string;
  readonly label: string;
  readonly score: number;
  readonly upright: boolean;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly state: ObjectState['state'];
  /** Fractions of the frame. */
  readonly box: Box;
  /** Frame fractions per second. */
  readonly velocity: Point;
  /** Samples of the present track segment, oldest first, at most the last 10 s. */
  readonly samples: readonly ObjectSample[];
  /** Thinned history before the samples: 2 Hz for 2 min, then 0.2 Hz for 1 h; oldest first. */
  readonly trail: readonly TrailPoint[];
  /** The mask in the newest percept, where that has one. */
  readonly mask?: Mask;
  /** Appearance, smoothed over the observations, unit length. */
  readonly embedding?: Float32Array;
}

/**
 * Statistics of places in this view: a coarse grid with, per cell, the object-seconds observed and the events counted.
 * Rates (events per object-second) near a place are smoothed towards the whole view's rate.
 */
export interface PlaceStatistics {
  /** Object-seconds observed so far in the whole view. */
  readonly exposureS: number;
  /** Object-seconds observed around the position (fractions of the frame), smoothed. */
  exposureAt(position: Point): number;
  /** Events of the type so far. */
  count(type: EventType): number;
  /** Events of the type per object-second around the position (fractions of the frame); ≥ 0. */
  rateAt(type: EventType, position: Point): number;
  /** Events of the type per object-second in the whole view; 0 before anything was seen. */
  rate(type: EventType): number;
}

/** Embedding of the last seconds of the whole scene up to `t`. */
export interface SceneEmbedding {
  readonly t: number;
  /** Unit length. */
  readonly embedding: Float32Array;
}

/** Memory at one moment. Immutable; holds no pixels. */
export interface MemorySnapshot {
  readonly t: number;
  /** px */
  readonly width: number;
  readonly height: number;
  /** Objects in view (hidden ones included), in order of id. */
  readonly objects: readonly ObjectRecord[];
  /** Objects that left within the last minutes, newest last, bounded. */
  readonly departed: readonly ObjectRecord[];
  /** Recent events, oldest first, bounded. */
  readonly events: readonly EventObserved[];
  /** Scene embeddings of the last 12 s, then one in 10 s for 2 min; oldest first. */
  readonly scenes: readonly SceneEmbedding[];
  /** Relations that ended in the last minute, then those that hold now; bounded. */
  readonly relations: readonly Relation[];
  readonly places: PlaceStatistics;
  readonly zones: Places;
}

/** Input of the reasoner after one percept. */
export interface Observation {
  readonly snapshot: MemorySnapshot;
  /** Events that became certain with this percept, by `t`. Each is reported once. */
  readonly events: readonly EventObserved[];
}

export interface MemoryUpdate extends Observation {
  /** Episodes that have ended, each reported once. */
  readonly episodes: readonly Episode[];
}

export interface Memory {
  /** Percepts must come with increasing `t`. */
  update(percept: Percept): MemoryUpdate;
  /** Ends all tracks at media time `t`, s, because the stream was lost; no object gets an `exit` event for it. */
  interrupt(t: number): void;
  /** Ends the recording at media time `t`, s. Returns the open episode, if any. */
  finish(t: number): readonly Episode[];
  /** Returns all stored records for `RecordQueries`. The cost grows with their number: do not call it for every percept. */
  records(): Records;
  dump(): Readonly<Record<string, number>>;
}
