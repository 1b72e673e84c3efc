import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { FramePool, i420Layout, type Frame } from '../../../../src/core/video/frame.js';
import { MotionThreads, type StreamMotion } from '../../../../src/model/motion/motion-threads.js';

const ENTRY = fileURLToPath(new URL('../../../support/model/fake-motion-worker.mjs', import.meta.url));
/** What the fake worker does with a picture. */
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

/** How many pictures the worker says it has seen of the stream. */
async function look(stream: StreamMotion, command = ANSWER): Promise<number | undefined> {
  return (await stream.analyze(frame(command)))?.proposals[0]?.score;
}

it('keeps the streams apart and answers each in order', async () => {
  const motion = await open();
  const streams = [motion.openStream(), motion.openStream(), motion.openStream()];
  const answers = await Promise.all(streams.flatMap((stream) => [look(stream), look(stream)]));
  expect(answers).toEqual([1, 2, 1, 2, 1, 2]);
  expect(motion.stats()).toEqual({ workers: 2, alive: 2, streams: 3, crashes: 0, lost: 0 });
});

it('gives a new stream to the thread with the fewest, and forgets one that has ended', async () => {
  const motion = await open();
  const [first, second] = [motion.openStream(), motion.openStream()];
  await look(first);
  first.close();
  first.close();
  expect(motion.stats().streams).toBe(1);
  expect(await look(motion.openStream())).toBe(1);
  expect(await look(second)).toBe(1);
});

it('loses one picture to a crash, goes on with a new worker, and counts both', async () => {
  const motion = await open();
  const stream = motion.openStream();
  const answers = await Promise.all([look(stream), look(stream, EXIT), look(stream), look(stream)]);
  expect(answers).toEqual([1, undefined, 1, 2]);
  expect(motion.stats()).toMatchObject({ crashes: 1, lost: 1, alive: 2 });
});

it('takes a worker that is stuck for one that crashed', async () => {
  const motion = await open(1);
  expect(await look(motion.openStream(), HOLD)).toBeUndefined();
  expect(motion.stats()).toMatchObject({ crashes: 1, lost: 1 });
});

it('gives up a worker that crashes again and again, and serves the streams of the others', async () => {
  const motion = await open();
  const [doomed, lucky] = [motion.openStream(), motion.openStream()];
  for (let n = 0; n < 5; n += 1) expect(await look(doomed, EXIT)).toBeUndefined();
  expect(await look(doomed)).toBeUndefined();
  expect(await look(lucky)).toBe(1);
  expect(motion.stats()).toMatchObject({ alive: 1, crashes: 4, lost: 6 });
});

it('loses a picture that the worker cannot read, and no other', async () => {
  const motion = await open();
  const stream = motion.openStream();
  expect(await Promise.all([look(stream, FAIL), look(stream)])).toEqual([undefined, 1]);
  expect(motion.stats()).toMatchObject({ crashes: 0, lost: 1 });
});

it('interrupts what is open when it is closed, and refuses more', async () => {
  const motion = await open();
  const stream = motion.openStream();
  const held = frame(HOLD);
  const calls = Promise.allSettled([stream.analyze(held), look(stream)]);
  const closing = motion.close();
  const words = new Int32Array(held.pixels.buffer, 0, 2);
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
  await closing;
  for (const call of await calls) expect(call).toMatchObject({ reason: { code: 'interrupted' } });
  await expect(stream.analyze(frame(ANSWER))).rejects.toMatchObject({ code: 'interrupted' });
});
