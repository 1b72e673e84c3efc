/** Several streams at the real detector: who waits for whom, and what a lowered effort does. */
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

/** Shows a stream so many frames at once; resolves to the percepts, and tells of each as it comes. */
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

// Before the detector, motion is looked for in a thread that the system may let wait on a busy machine: hence three tries.
// Served in order of arrival the modest stream would come last in each.
it('serves a modest stream while another one floods the detector', { retry: 2 }, async () => {
  await using flood = perception.openStream();
  await using modest = perception.openStream();
  const order: string[] = [];
  const flooding = show(flood, 12, () => order.push('flood'));
  await Promise.all([flooding, show(modest, 2, () => order.push('modest'))]);
  // Each of the modest stream's two frames waits for two of the flood at most: one in work, one that has its turn.
  expect(order.lastIndexOf('modest')).toBeLessThan(6);
  expect(order).toHaveLength(14);
});

it('lets the detector look at every second frame when told so, and calls the others partial', async () => {
  await using stream = perception.openStream();
  stream.setEffort({ detectEvery: 2, masks: true, embeddings: true });
  expect(stream.concurrency).toBe(2);
  const percepts = await show(stream, 6);
  expect(percepts.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(percepts.map(({ partial = false }) => partial)).toEqual([false, true, false, true, false, true]);
});

it('gives a stream that is closed no share of the workers any more', async () => {
  const stream = perception.openStream();
  const before = perception.stats().lanes;
  await stream.close();
  expect(perception.stats().lanes).toBe(before - 1);
});
