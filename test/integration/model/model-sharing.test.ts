/** Several streams that share the real detector: their order, and the effect of a lower effort. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FramePool, i420Layout, type Frame } from '../../../src/core/video/frame.js';
import type { Percept, StreamPerception } from '../../../src/core/percept.js';
import { openPerception, type DetectorPerception } from '../../../src/model/perception/perception.js';

const LAYOUT = i420Layout(320, 240);
let perception: DetectorPerception;

beforeAll(async () => {
  perception = await openPerception({ device: 'cpu', workers: 1, threads: 1 });
});
afterAll(() => perception.close());

/** Gives a stream `count` frames at once; resolves to the percepts, and reports each one as it arrives. */
function show(stream: StreamPerception, count: number, onPercept?: () => void): Promise<Percept[]> {
  const pool = new FramePool(LAYOUT, count);
  const perceive = async (frame: Frame): Promise<Percept> => {
    using picture = frame;
    const percept = await stream.perceive(picture);
    onPercept?.();
    return percept;
  };
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const pixels = pool.take();
      if (!pixels) throw new Error('the pool is too small');
      pixels.fill(16 + index).fill(128, LAYOUT.ySize);
      return perceive(pool.lease(pixels, { index, t: index / 10, receivedAtMs: 0 }));
    }),
  );
}

// Motion runs before the detector in a thread that a busy machine may delay: hence three attempts.
// In order of arrival the modest stream would be last in each attempt.
it('serves a modest stream while another one floods the detector', { retry: 2 }, async () => {
  await using flood = perception.openStream();
  await using modest = perception.openStream();
  const order: string[] = [];
  const flooding = show(flood, 12, () => order.push('flood'));
  await Promise.all([flooding, show(modest, 2, () => order.push('modest'))]);
  // Each of the modest stream's two frames waits for at most two of the flood: a running one, and one that has its turn.
  expect(order.lastIndexOf('modest')).toBeLessThan(6);
  expect(order).toHaveLength(14);
});

it('runs the detector on every second frame at that effort, and marks the others as partial', async () => {
  await using stream = perception.openStream();
  stream.setEffort({ detectEvery: 2, masks: true, embeddings: true });
  expect(stream.concurrency).toBe(2);
  const percepts = await show(stream, 6);
  expect(percepts.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(percepts.map(({ partial = false }) => partial)).toEqual([false, true, false, true, false, true]);
});

it('gives a closed stream no share of the workers', async () => {
  const stream = perception.openStream();
  const before = perception.stats().lanes;
  await stream.close();
  expect(perception.stats().lanes).toBe(before - 1);
});
