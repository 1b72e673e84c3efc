import { PresageError } from '../../core/errors.js';

/** A look takes some tenths of a second of the detector, which live streams need, too. */
const MAX_WAITING = 4;

export interface InspectionQueueStats {
  readonly inspected: number;
  readonly refused: number;
  readonly waiting: number;
}

/** Lets one look at a time at the models, for all streams of a process, and few wait. */
export class InspectionQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #open = 0;
  #looked = 0;
  #refused = 0;

  /**
   * @throws PresageError `overloaded` (retryable) when too many wait already; `interrupted` when the signal aborts before
   *   its turn; and what `look` rejects with
   */
  run<T>(look: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#open > MAX_WAITING) {
      this.#refused += 1;
      const message = `${MAX_WAITING} looks at the recent video wait already`;
      return Promise.reject(new PresageError('overloaded', message, { retryable: true }));
    }
    this.#open += 1;
    const turn = this.#tail.then(async () => {
      if (signal?.aborted === true)
        throw new PresageError('interrupted', 'nobody waits for this look any more');
      this.#looked += 1;
      return look();
    });
    const done = turn.finally(() => (this.#open -= 1));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  stats(): InspectionQueueStats {
    return { inspected: this.#looked, refused: this.#refused, waiting: Math.max(this.#open - 1, 0) };
  }
}
