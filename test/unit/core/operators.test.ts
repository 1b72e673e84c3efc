import { Subject, firstValueFrom, from, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { latestMap, losslessMap } from '../../../src/core/operators.js';

/** A function whose calls end when the test ends them. */
function controlled(): {
  fn: (value: number) => Promise<number>;
  started: number[];
  end: (value: number) => void;
} {
  const ends = new Map<number, () => void>();
  const started: number[] = [];
  return {
    started,
    fn: (value) => {
      started.push(value);
      return new Promise((resolve) => ends.set(value, () => resolve(value * 10)));
    },
    end: (value) => ends.get(value)?.(),
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('latestMap', () => {
  it('keeps one value waiting and drops the older one', async () => {
    const { fn, started, end } = controlled();
    const source = new Subject<number>();
    const dropped: number[] = [];
    const out: number[] = [];
    source
      .pipe(latestMap(fn, { concurrency: 1, onDrop: (v) => dropped.push(v) }))
      .subscribe((v) => out.push(v));
    [1, 2, 3, 4].forEach((v) => source.next(v));
    expect(started).toEqual([1]);
    expect(dropped).toEqual([2, 3]);
    end(1);
    await settle();
    end(4);
    await settle();
    expect(out).toEqual([10, 40]);
  });

  it('emits results in the order of the values even when a later call ends first', async () => {
    const { fn, end } = controlled();
    const source = new Subject<number>();
    const out: number[] = [];
    source.pipe(latestMap(fn, { concurrency: 2, onDrop: () => undefined })).subscribe((v) => out.push(v));
    source.next(1);
    source.next(2);
    end(2);
    await settle();
    expect(out).toEqual([]);
    end(1);
    await settle();
    expect(out).toEqual([10, 20]);
  });

  it('drops the waiting value when it is unsubscribed', () => {
    const { fn } = controlled();
    const source = new Subject<number>();
    const dropped: number[] = [];
    const subscription = source
      .pipe(latestMap(fn, { concurrency: 1, onDrop: (v) => dropped.push(v) }))
      .subscribe();
    source.next(1);
    source.next(2);
    subscription.unsubscribe();
    expect(dropped).toEqual([2]);
  });

  it('passes an error of the function on and drops the waiting value', async () => {
    const source = new Subject<number>();
    const dropped: number[] = [];
    let error: unknown;
    const fn = (): Promise<number> => Promise.reject(new Error('no'));
    source
      .pipe(latestMap(fn, { concurrency: 1, onDrop: (v) => dropped.push(v) }))
      .subscribe({ error: (thrown: unknown) => (error = thrown) });
    source.next(1);
    source.next(2);
    await settle();
    expect((error as Error).message).toBe('no');
    expect(dropped).toEqual([2]);
  });
});

describe('losslessMap', () => {
  it('maps every value in order with bounded concurrency and completes after the last', async () => {
    let running = 0;
    let max = 0;
    const fn = async (value: number): Promise<number> => {
      running += 1;
      max = Math.max(max, running);
      for (let turns = 0; turns < value % 3; turns++) await settle();
      running -= 1;
      return value;
    };
    const values = Array.from({ length: 20 }, (_, i) => i);
    expect(await firstValueFrom(from(values).pipe(losslessMap(fn, 3), toArray()))).toEqual(values);
    expect(max).toBe(3);
  });
});
