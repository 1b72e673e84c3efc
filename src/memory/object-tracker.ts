import type { Percept, TrackedObject } from '../core/stages.js';
import type { Observation } from './sampled-part.js';

/** A tracked object with the boxes (px) that became known only now, oldest first. */
export interface MemoryTrack extends TrackedObject {
  readonly backlog?: readonly Observation[];
}

/** Whatever turns percepts into tracked objects; see `tracking/tracker.ts`. */
export interface ObjectTracker {
  update(percept: Percept): readonly MemoryTrack[];
  interrupt(t: number): void;
  dump?(): Readonly<Record<string, number>>;
  /** Everything, as plain JSON. A tracker without it begins afresh after a restart. */
  saveState?(): unknown;
  /** Throws a PresageError (`storage_failed`). */
  restoreState?(state: unknown): void;
}
