import type { Percept } from '../core/percept.js';
import type { TrackedObject } from '../core/memory.js';
import type { BoxObservation } from './track-segment.js';

/** A tracked object with the boxes (px) that became known only with this percept, oldest first. */
export interface MemoryTrack extends TrackedObject {
  readonly backlog?: readonly BoxObservation[];
}

/** Turns percepts into tracked objects; see `tracking/tracker.ts`. */
export interface ObjectTracker {
  update(percept: Percept): readonly MemoryTrack[];
  interrupt(t: number): void;
  dump?(): Readonly<Record<string, number>>;
  /** The complete state as plain JSON. A tracker without this method starts empty after a restart. */
  saveState?(): unknown;
  /** @throws {PresageError} storage_failed — when the state is malformed */
  restoreState?(state: unknown): void;
  /** Never assigns an identity up to `o{number}` again, and skips `leftOut` more. */
  continueAfter?(number: number, leftOut: number): void;
}
