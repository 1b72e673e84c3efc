import type { Percept } from '../core/percept.js';
import type { TrackedObject } from '../core/memory.js';
import type { BoxObservation } from './track-segment.js';

/** A tracked object with the boxes (px) that became known only now, oldest first. */
export interface MemoryTrack extends TrackedObject {
  readonly backlog?: readonly BoxObservation[];
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
  /** No identity up to `o{number}` is given again, and `leftOut` more are left out. */
  continueAfter?(number: number, leftOut: number): void;
}
