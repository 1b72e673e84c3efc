import { PresageError } from '../../core/errors.js';

/** An inspection occupies the detector for some tenths of a second, which live streams need, too. */
const MAX_WAITING = 4;

export interface InspectionQueueStats {
  readonly inspected: number;
  readonly refused: number;
  readonly waiting: number;
}

/** Runs one inspection at a time, for all streams of a process; few may wait. */
export class InspectionQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #open = 0;
  #inspected = 0;
  #refused = 0;

  /**
   * @throws PresageError `overloaded` (retryable) when too many wait already; `interrupted` when the signal aborts before
   *   its turn; and what `inspect` rejects with
   */
  run<T>(inspect: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#open > MAX_WAITING) {
      this.#refused += 1;
      const message = `${MAX_WAITING} inspections wait already`;
      return Promise.reject(new PresageError('overloaded', message, { retryable: true }));
    }
    this.#open += 1;
    const turn = this.#tail.then(async () => {
      if (signal?.aborted === true)
        throw new PresageError('interrupted', 'the inspection was cancelled before it began');
      this.#inspected += 1;
      return inspect();
    });
    const done = turn.finally(() => (this.#open -= 1));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  stats(): InspectionQueueStats {
    return { inspected: this.#inspected, refused: this.#refused, waiting: Math.max(this.#open - 1, 0) };
  }
}
