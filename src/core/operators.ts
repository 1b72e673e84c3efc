import { Observable, type OperatorFunction } from 'rxjs';

export interface LatestMapOptions<T> {
  /** Maximum number of calls of the function in flight, ≥ 1; read before each call, so it may be a getter. */
  readonly concurrency: number;
  /** Called with each value that is replaced while it waits; it releases and counts the value. */
  onDrop: (value: T) => void;
}

/**
 * Maps with at most `concurrency` calls in flight and one value waiting; a newer value replaces the waiting one.
 * Results are emitted in the order of their values, whichever call ends first. An error ends the stream; values that wait
 * at that time, or at unsubscription, go to `onDrop`.
 */
export function latestMap<T, R>(
  fn: (value: T) => Promise<R>,
  options: LatestMapOptions<T>,
): OperatorFunction<T, R> {
  return orderedMap(fn, options, 1);
}

/**
 * Maps every value, drops none, emits results in order, with `concurrency` calls in flight. The operator does not bound the
 * number of waiting values: the source must be bounded by credit (see FramePool).
 */
export function losslessMap<T, R>(fn: (value: T) => Promise<R>, concurrency: number): OperatorFunction<T, R> {
  return orderedMap(fn, { concurrency, onDrop: () => undefined }, Infinity);
}

interface Slot<R> {
  done: boolean;
  result?: R;
}

function orderedMap<T, R>(
  fn: (value: T) => Promise<R>,
  options: LatestMapOptions<T>,
  maxWaiting: number,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((subscriber) => {
      const waiting: T[] = [];
      const running: Slot<R>[] = [];
      let ended = false;

      const dropWaiting = (): void => waiting.splice(0).forEach((value) => options.onDrop(value));
      const fail = (error: unknown): void => {
        dropWaiting();
        subscriber.error(error);
      };
      const flush = (): void => {
        while (running[0]?.done) subscriber.next(running.shift()?.result as R);
        while (running.length < options.concurrency && waiting.length > 0 && !subscriber.closed) {
          start(waiting.shift() as T);
        }
        if (ended && running.length === 0 && waiting.length === 0) subscriber.complete();
      };
      const start = (value: T): void => {
        const slot: Slot<R> = { done: false };
        running.push(slot);
        fn(value).then((result) => {
          slot.done = true;
          slot.result = result;
          if (!subscriber.closed) flush();
        }, fail);
      };

      const subscription = source.subscribe({
        next: (value) => {
          waiting.push(value);
          while (waiting.length > maxWaiting && running.length >= options.concurrency) {
            options.onDrop(waiting.shift() as T);
          }
          flush();
        },
        error: fail,
        complete: () => {
          ended = true;
          flush();
        },
      });
      return () => {
        subscription.unsubscribe();
        dropWaiting();
      };
    });
}
