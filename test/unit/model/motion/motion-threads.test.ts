import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { FramePool, i420Layout, type Frame } from '../../../../src/core/video/frame.js';
import { MotionThreads, type StreamMotion } from '../../../../src/model/motion/motion-threads.js';

const ENTRY = fileURLToPath(new URL('../../../support/model/fake-motion-worker.mjs', import.meta.url));
/** Commands in the pictures of the fake worker. */
const [ANSWER, HOLD, EXIT, FAIL] = [0, 1, 2, 4];

let threads: MotionThreads | undefined;
afterEach(() => threads?.close());

async function open(timeoutMs = 30_000): Promise<MotionThreads> {
  threads = await MotionThreads.open({ entry: ENTRY, timeoutMs, sleep: () => Promise.resolve() });
  return threads;
}

function frame(command: number): Frame {
  const pool = new FramePool(i420Layout(4, 4), 1);
  const pixels = pool.take()!;
  pixels[0] = command;
  return pool.lease(pixels, { index: 0, t: 0, receivedAtMs: 0 });
}

/** Analyses a picture and returns the number of the stream's pictures that the fake worker has counted. */
async function analyze(stream: StreamMotion, command = ANSWER): Promise<number | undefined> {
  return (await stream.analyze(frame(command)))?.proposals[0]?.score;
}

it('separates the streams and settles the calls of each in order', async () => {
  const motion = await open();
  const streams = [motion.openStream(), motion.openStream(), motion.openStream()];
  const answers = await Promise.all(streams.flatMap((stream) => [analyze(stream), analyze(stream)]));
  expect(answers).toEqual([1, 2, 1, 2, 1, 2]);
  expect(motion.stats()).toEqual({ workers: 2, alive: 2, streams: 3, crashes: 0, lost: 0 });
});

it('opens a stream on the thread with the fewest, and releases one that has ended', async () => {
  const motion = await open();
  const [first, second] = [motion.openStream(), motion.openStream()];
  await analyze(first);
  first.close();
  first.close();
  expect(motion.stats().streams).toBe(1);
  expect(await analyze(motion.openStream())).toBe(1);
  expect(await analyze(second)).toBe(1);
});

it('loses one picture to a crash, continues with a new worker, and counts both', async () => {
  const motion = await open();
  const stream = motion.openStream();
  const answers = await Promise.all([
    analyze(stream),
    analyze(stream, EXIT),
    analyze(stream),
    analyze(stream),
  ]);
  expect(answers).toEqual([1, undefined, 1, 2]);
  expect(motion.stats()).toMatchObject({ crashes: 1, lost: 1, alive: 2 });
});

it('treats a worker that hangs as crashed', async () => {
  const motion = await open(1);
  expect(await analyze(motion.openStream(), HOLD)).toBeUndefined();
  expect(motion.stats()).toMatchObject({ crashes: 1, lost: 1 });
});

it('stops restarting a worker that crashes repeatedly, and serves the streams of the others', async () => {
  const motion = await open();
  const [crashing, other] = [motion.openStream(), motion.openStream()];
  for (let n = 0; n < 5; n += 1) expect(await analyze(crashing, EXIT)).toBeUndefined();
  expect(await analyze(crashing)).toBeUndefined();
  expect(await analyze(other)).toBe(1);
  expect(motion.stats()).toMatchObject({ alive: 1, crashes: 4, lost: 6 });
});

it('loses only the picture that the worker cannot read', async () => {
  const motion = await open();
  const stream = motion.openStream();
  expect(await Promise.all([analyze(stream, FAIL), analyze(stream)])).toEqual([undefined, 1]);
  expect(motion.stats()).toMatchObject({ crashes: 0, lost: 1 });
});

it('interrupts open calls when it is closed, and rejects further ones', async () => {
  const motion = await open();
  const stream = motion.openStream();
  const held = frame(HOLD);
  const calls = Promise.allSettled([stream.analyze(held), analyze(stream)]);
  const closing = motion.close();
  const words = new Int32Array(held.pixels.buffer, 0, 2);
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
  await closing;
  for (const call of await calls) expect(call).toMatchObject({ reason: { code: 'interrupted' } });
  await expect(stream.analyze(frame(ANSWER))).rejects.toMatchObject({ code: 'interrupted' });
});
