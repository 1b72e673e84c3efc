import { ClientError } from './client-error.js';

/** Items that an iterator holds for a slow reader unless told otherwise. */
const DEFAULT_BUFFER = 1000;

/** Where a flow's items go. */
export interface Sink<T> {
  next(item: T): void;
  /** Ends it with an error. */
  error(error: unknown): void;
  /** Ends it. */
  complete(): void;
}

/** Receives the items of a flow and its end. An exception in `next` does not end the flow. */
export interface Observer<T> {
  next?: (item: T) => void;
  error?: (error: unknown) => void;
  complete?: () => void;
}

/** An active subscription of a flow. */
export interface Subscription {
  readonly closed: boolean;
  unsubscribe(): void;
}

/** Options of the iterations and subscriptions of a flow. */
export interface FlowOptions {
  /** Ends iteration (with the signal's reason) and subscriptions. */
  readonly signal?: AbortSignal | undefined;
  /** Items that an iterator holds for a slow reader. Default 1000. */
  readonly buffer?: number | undefined;
  /** When that is not enough: the oldest item goes and is counted (default), or the iteration fails with `lagged`. */
  readonly overflow?: 'drop-oldest' | 'fail' | undefined;
}

/** An iterator of a flow. */
export interface FlowIterator<T> extends AsyncIterableIterator<T> {
  /** Items that were lost because the reader was too slow. */
  readonly dropped: number;
  next(): Promise<IteratorResult<T, undefined>>;
}

/**
 * A stream of items that can be read with `for await` and subscribed to like an RxJS Observable (`from(flow)` works). Nothing
 * happens before that, and each iteration or subscription is one of its own.
 */
export class Flow<T> implements AsyncIterable<T> {
  readonly #open: (sink: Sink<T>) => () => void;
  readonly #options: FlowOptions;
  readonly #onDropped: ((item: T) => void) | undefined;
  readonly #onThrow: ((thrown: unknown) => void) | undefined;

  /**
   * @param open begins to fill the sink and returns what stops it
   * @param onDropped told of each item that an iterator lost
   * @param onThrow receives an error that an observer throws; its subscription ends. Default: the error is uncaught
   */
  constructor(
    open: (sink: Sink<T>) => () => void,
    options: FlowOptions = {},
    onDropped?: (item: T) => void,
    onThrow?: (thrown: unknown) => void,
  ) {
    this.#onThrow = onThrow;
    this.#open = open;
    this.#options = options;
    this.#onDropped = onDropped;
    const symbol = (Symbol as { observable?: symbol }).observable;
    if (symbol !== undefined) Object.defineProperty(this, symbol, { value: () => this });
  }

  /** What RxJS looks for where nobody defined `Symbol.observable`. */
  ['@@observable'](): this {
    return this;
  }

  /** Starts to deliver items to an observer. @returns the subscription, which ends with `unsubscribe` */
  subscribe(observer: Observer<T> | ((item: T) => void) = {}): Subscription {
    const { next, error, complete } = typeof observer === 'function' ? { next: observer } : observer;
    const target = typeof observer === 'function' ? undefined : observer;
    const { signal } = this.#options;
    const opened: { closed: boolean; stop?: () => void } = { closed: false };
    const end = (): boolean => {
      if (opened.closed) return false;
      opened.closed = true;
      signal?.removeEventListener('abort', onAbort);
      opened.stop?.();
      return true;
    };
    const fail = (thrown: unknown): void => {
      if (!end()) return;
      // As RxJS does: an error that nobody hears is one of the program, not of the flow.
      if (error) safely(() => error.call(target, thrown));
      else queueMicrotask(() => rethrow(thrown));
    };
    const onAbort = (): void => fail(signal?.reason);
    if (signal?.aborted) {
      onAbort();
      return { closed: true, unsubscribe: () => undefined };
    }
    signal?.addEventListener('abort', onAbort);
    opened.stop = this.#open({
      next: (item) => {
        if (opened.closed || !next) return;
        if (!this.#onThrow) safely(() => next.call(target, item));
        else if (!this.#caught(() => next.call(target, item))) end();
      },
      error: fail,
      complete: () => {
        if (end() && complete) safely(() => complete.call(target));
      },
    });
    // It may have ended while it was opened.
    if (isClosed(opened)) opened.stop();
    return {
      get closed() {
        return opened.closed;
      },
      unsubscribe: () => void end(),
    };
  }

  /** False when the observer threw. */
  #caught(call: () => void): boolean {
    try {
      call();
      return true;
    } catch (thrown) {
      this.#onThrow?.(thrown);
      return false;
    }
  }

  [Symbol.asyncIterator](): FlowIterator<T> {
    return new Reader(this, this.#options, this.#onDropped);
  }
}

function isClosed({ closed }: { readonly closed: boolean }): boolean {
  return closed;
}

interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/** Reads a flow at its reader's pace, through a bounded buffer. */
class Reader<T> implements FlowIterator<T> {
  readonly #buffer: T[] = [];
  readonly #waiting: Waiting<T>[] = [];
  readonly #subscription: Subscription;
  readonly #limit: number;
  readonly #fail: boolean;
  readonly #onDropped: ((item: T) => void) | undefined;
  #ended: { readonly error?: unknown } | undefined;
  #dropped = 0;

  constructor(flow: Flow<T>, { buffer, overflow }: FlowOptions, onDropped: ((item: T) => void) | undefined) {
    this.#limit = Math.max(1, buffer ?? DEFAULT_BUFFER);
    this.#fail = overflow === 'fail';
    this.#onDropped = onDropped;
    this.#subscription = flow.subscribe({
      next: (item) => this.#take(item),
      error: (error) => this.#end({ error }),
      complete: () => this.#end({}),
    });
  }

  get dropped(): number {
    return this.#dropped;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#buffer.length > 0) return Promise.resolve({ done: false, value: this.#buffer.shift() as T });
    const ended = this.#ended;
    if (ended === undefined) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (!('error' in ended)) return Promise.resolve({ done: true, value: undefined });
    // An iteration fails once; whoever asks again is told that it is over.
    this.#ended = {};
    return rejected(ended.error);
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#buffer.length = 0;
    this.#subscription.unsubscribe();
    this.#end({});
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(item: T): void {
    const reader = this.#waiting.shift();
    if (reader) {
      reader.resolve({ done: false, value: item });
      return;
    }
    this.#buffer.push(item);
    if (this.#buffer.length <= this.#limit) return;
    this.#dropped += 1;
    this.#onDropped?.(this.#buffer.shift() as T);
    if (!this.#fail) return;
    this.#subscription.unsubscribe();
    const said = `The reader is too slow: more than ${this.#limit} items waited for it`;
    this.#end({ error: new ClientError('lagged', said) });
  }

  #end(ended: { readonly error?: unknown }): void {
    if (this.#ended !== undefined) return;
    this.#ended = ended;
    const [first, ...others] = this.#waiting.splice(0);
    if (first && 'error' in ended) {
      this.#ended = {};
      first.reject(ended.error);
    } else first?.resolve({ done: true, value: undefined });
    for (const other of others) other.resolve({ done: true, value: undefined });
  }
}

/** The reason of an abort is whatever the caller gave. */
function rejected(reason: unknown): Promise<never> {
  return Promise.resolve().then(() => rethrow(reason));
}

function rethrow(thrown: unknown): never {
  throw thrown instanceof Error ? thrown : new ClientError('closed', String(thrown), { cause: thrown });
}

/** A listener that throws can't keep the others from hearing; its error is one of the program. */
function safely(call: () => void): void {
  try {
    call();
  } catch (thrown) {
    queueMicrotask(() => rethrow(thrown));
  }
}
