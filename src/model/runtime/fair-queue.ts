/** One stream's place in a `FairQueue`. */
export interface QueueLane<T> {
  /** False when the lane is full or closed; the value was not taken. */
  push(value: T): boolean;
  readonly closed: boolean;
  /** Takes the lane out of the turn and returns what still waited in it. Idempotent. */
  close(): T[];
}

/**
 * A queue with a lane for each stream, emptied lane by lane in turn: a stream that floods its lane waits for itself, and
 * takes nothing from the others. Within a lane, first in is first out.
 */
export class FairQueue<T> {
  readonly #capacity: number;
  /** Lanes in the order of their turns; the one that was served last is at the end. */
  readonly #lanes: Lane<T>[] = [];

  /** @param capacity most values that wait in one lane, ≥ 1 */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity is ${capacity}, expected a whole number from 1`);
    this.#capacity = capacity;
  }

  get lanes(): number {
    return this.#lanes.length;
  }

  get waiting(): number {
    return this.#lanes.reduce((sum, { values }) => sum + values.length, 0);
  }

  openLane(): QueueLane<T> {
    const lane: Lane<T> = { values: [], open: true };
    this.#lanes.push(lane);
    return {
      push: (value) => {
        if (!lane.open || lane.values.length >= this.#capacity) return false;
        lane.values.push(value);
        return true;
      },
      get closed() {
        return !lane.open;
      },
      close: () => {
        if (lane.open) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
        lane.open = false;
        return lane.values.splice(0);
      },
    };
  }

  /** The next value, of the lane that has waited longest for its turn. */
  take(): T | undefined {
    const turn = this.#lanes.findIndex(({ values }) => values.length > 0);
    if (turn < 0) return undefined;
    const [lane] = this.#lanes.splice(turn, 1);
    if (!lane) return undefined;
    this.#lanes.push(lane);
    return lane.values.shift();
  }

  /** Everything that waits, in the order of the turns. */
  drain(): T[] {
    const drained: T[] = [];
    for (let value = this.take(); value !== undefined; value = this.take()) drained.push(value);
    return drained;
  }
}

interface Lane<T> {
  readonly values: T[];
  open: boolean;
}
