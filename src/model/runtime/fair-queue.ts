/** One stream's lane in a `FairQueue`. */
export interface QueueLane<T> {
  /** Appends a value. Returns false, without adding it, when the lane is full or closed. */
  push(value: T): boolean;
  readonly closed: boolean;
  /** Removes the lane from the queue and returns the values that waited in it. Idempotent. */
  close(): T[];
}

/**
 * A queue with one lane per stream, served round-robin: a stream that fills its lane delays only itself. Each lane is first
 * in, first out.
 */
export class FairQueue<T> {
  readonly #capacity: number;
  /** Lanes in the order of their turns; the lane served last is at the end. */
  readonly #lanes: Lane<T>[] = [];

  /** @param capacity maximum number of waiting values in one lane, ≥ 1 */
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

  /** Removes and returns the next value of the non-empty lane that was served least recently. */
  take(): T | undefined {
    const turn = this.#lanes.findIndex(({ values }) => values.length > 0);
    if (turn < 0) return undefined;
    const [lane] = this.#lanes.splice(turn, 1);
    if (!lane) return undefined;
    this.#lanes.push(lane);
    return lane.values.shift();
  }

  /** Removes and returns all waiting values, in the order of the turns. */
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
