import { TestScheduler } from 'rxjs/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { latestMap, losslessMap } from '../../../src/core/operators.js';

let scheduler: TestScheduler;
beforeEach(() => {
  scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
});

/** A call that takes as many frames of virtual time as its value and settles inside the scheduler. */
function taking(frames: Readonly<Record<string, number>>, failing = ''): (value: string) => Promise<string> {
  return (value) => {
    const call: PromiseLike<string> = {
      then: (resolve, reject) => {
        scheduler.schedule(() => {
          if (value === failing) void reject?.(new Error(value));
          else void resolve?.(value.toUpperCase());
        }, frames[value] ?? 1);
        return call as never;
      },
    };
    // A real promise would settle in a microtask, outside virtual time.
    return call as Promise<string>;
  };
}

describe('latestMap in virtual time', () => {
  it.each([
    [
      'maps each value where calls end before the next one',
      'a---b---c|',
      { a: 2, b: 2, c: 2 },
      '--A---B---(C|)',
      '',
    ],
    ['replaces the waiting value by a newer one', 'abcd------|', { a: 5, d: 2 }, '-----A-D--|', 'bc'],
    ['completes only after the last result', 'a|', { a: 4 }, '----(A|)', ''],
    ['drops nothing while one value waits', 'ab|', { a: 3, b: 3 }, '---A--(B|)', ''],
  ])('%s', (_, source, frames, output, drops) => {
    scheduler.run(({ hot, expectObservable, flush }) => {
      const dropped: string[] = [];
      const mapped = hot(source).pipe(
        latestMap(taking(frames), { concurrency: 1, onDrop: (value) => dropped.push(value) }),
      );
      expectObservable(mapped).toBe(output);
      flush();
      expect(dropped.join('')).toBe(drops);
    });
  });

  it('keeps the order of values when a later call ends first', () => {
    scheduler.run(({ hot, expectObservable }) => {
      const mapped = hot('ab-------|').pipe(
        latestMap(taking({ a: 5, b: 1 }), { concurrency: 2, onDrop: () => expect.fail('dropped') }),
      );
      expectObservable(mapped).toBe('-----(AB)|');
    });
  });

  it('drops the waiting value when the source or a call fails, and when it is unsubscribed', () => {
    scheduler.run(({ hot, expectObservable, flush }) => {
      const dropped: string[] = [];
      const options = { concurrency: 1, onDrop: (value: string) => dropped.push(value) };
      expectObservable(hot('ab#').pipe(latestMap(taking({ a: 9 }), options))).toBe('--#');
      expectObservable(hot('cd---').pipe(latestMap(taking({ c: 3 }, 'c'), options))).toBe(
        '---#',
        undefined,
        new Error('c'),
      );
      expectObservable(hot('ef---').pipe(latestMap(taking({ e: 9 }), options)), '---!').toBe('----');
      flush();
      expect(dropped.sort()).toEqual(['b', 'd', 'f']);
    });
  });
});

describe('losslessMap in virtual time', () => {
  it('maps every value with bounded concurrency, in order', () => {
    scheduler.run(({ hot, expectObservable }) => {
      // Two calls at once: b ends at 3 and holds its slot until a ends at 6, then c and d start.
      const mapped = hot('(abcd|)').pipe(losslessMap(taking({ a: 6, b: 3, c: 4, d: 2 }), 2));
      expectObservable(mapped).toBe('------(AB)(CD|)');
    });
  });

  it('passes on an error of the source at once', () => {
    scheduler.run(({ hot, expectObservable }) => {
      expectObservable(hot('a-#').pipe(losslessMap(taking({ a: 9 }), 1))).toBe('--#');
    });
  });
});
