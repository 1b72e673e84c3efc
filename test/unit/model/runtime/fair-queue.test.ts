import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FairQueue } from '../../../../src/model/runtime/fair-queue.js';

it('serves lanes in turn, and the oldest value of a lane first', () => {
  const queue = new FairQueue<string>(4);
  const [a, b, c] = [queue.openLane(), queue.openLane(), queue.openLane()];
  ['a1', 'a2', 'a3'].forEach((value) => a.push(value));
  b.push('b1');
  ['c1', 'c2'].forEach((value) => c.push(value));
  expect(queue.drain()).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
});

it('serves a lane that was empty before the lane served last', () => {
  const queue = new FairQueue<string>(4);
  const [a, b] = [queue.openLane(), queue.openLane()];
  ['a1', 'a2'].forEach((value) => a.push(value));
  expect(queue.take()).toBe('a1');
  b.push('b1');
  expect(queue.take()).toBe('b1');
  expect(queue.take()).toBe('a2');
  expect(queue.take()).toBeUndefined();
});

it('rejects values for a full or closed lane, and returns the waiting values of a closed one', () => {
  const queue = new FairQueue<number>(2);
  const lane = queue.openLane();
  expect([lane.push(1), lane.push(2), lane.push(3)]).toEqual([true, true, false]);
  expect(queue.waiting).toBe(2);
  expect(lane.close()).toEqual([1, 2]);
  expect(lane.close()).toEqual([]);
  expect(lane.push(4)).toBe(false);
  expect(queue).toMatchObject({ lanes: 0, waiting: 0 });
});

it('does not serve a lane twice while another one waits', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 2, maxLength: 6 }), (counts) => {
      const queue = new FairQueue<number>(20);
      counts.forEach((count, name) => {
        const lane = queue.openLane();
        for (let n = 0; n < count; n += 1) lane.push(name);
      });
      const served = queue.drain();
      const left = [...counts];
      served.forEach((name, at) => {
        left[name] = (left[name] ?? 0) - 1;
        const next = served[at + 1];
        const othersWait = left.some((count, other) => other !== name && count > 0);
        if (next !== undefined && othersWait) expect(next).not.toBe(name);
      });
      expect(left.every((count) => count === 0)).toBe(true);
    }),
  );
});
