import type { StateChanges } from '../../core/state.js';

/** Collects the pieces that changed since the last `take`. */
export class PieceLedger {
  /** Marks of the stored pieces by name; a mark is a new value when the piece has changed. */
  #stored: ReadonlyMap<string, unknown> | undefined;
  #put: Record<string, unknown> = {};
  #seen = new Map<string, unknown>();

  /** Offers a piece; `mark` must change whenever the piece does. */
  offer(name: string, mark: unknown, make: () => unknown): void {
    this.#seen.set(name, mark);
    if (!this.#stored?.has(name) || this.#stored.get(name) !== mark) this.#put[name] = make();
  }

  /** The changes since the last call; pieces that were not offered are removed. */
  take(): StateChanges {
    const whole = this.#stored === undefined;
    const removed = [...(this.#stored?.keys() ?? [])].filter((name) => !this.#seen.has(name));
    const put = this.#put;
    this.#stored = this.#seen;
    this.#seen = new Map();
    this.#put = {};
    return { whole, put, removed };
  }
}
