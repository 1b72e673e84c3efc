import type { StateChanges } from '../../core/state.js';

/** Collects what changed since pieces were last taken. */
export class PieceLedger {
  /** What is in the store, by name: anything that is a new object when the piece has changed. */
  #stored: ReadonlyMap<string, unknown> | undefined;
  #put: Record<string, unknown> = {};
  #seen = new Map<string, unknown>();

  /** Offers a piece; `mark` must be another value whenever the piece is. */
  offer(name: string, mark: unknown, make: () => unknown): void {
    this.#seen.set(name, mark);
    if (!this.#stored?.has(name) || this.#stored.get(name) !== mark) this.#put[name] = make();
  }

  /** The changes since the last call; what was not offered is gone. */
  take(): StateChanges {
    const whole = this.#stored === undefined;
    const gone = [...(this.#stored?.keys() ?? [])].filter((name) => !this.#seen.has(name));
    const put = this.#put;
    this.#stored = this.#seen;
    this.#seen = new Map();
    this.#put = {};
    return { whole, put, removed: gone };
  }
}
