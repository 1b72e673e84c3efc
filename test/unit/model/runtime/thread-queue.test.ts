import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import type { MotionReport, MotionWork } from '../../../../src/model/motion/motion-protocol.js';
import { ThreadQueue } from '../../../../src/model/runtime/thread-queue.js';

const ENTRY = fileURLToPath(new URL('../../../support/model/fake-motion-worker.mjs', import.meta.url));
/** Commands in the pictures of the fake worker: answer at once, or when the second word has become 1. */
const [ANSWER, HOLD] = [0, 1];

async function open(): Promise<ThreadQueue<MotionWork, MotionReport>> {
  const queue = new ThreadQueue<MotionWork, MotionReport>({
    role: 'motion',
    entry: ENTRY,
    workerData: undefined,
    deadHint: 'none',
  });
  onTestFinished(() => queue.close());
  await queue.start();
  return queue;
}

function work(command: number): MotionWork {
  const pixels = new Uint8Array(new SharedArrayBuffer(8));
  pixels[0] = command;
  return { type: 'analyze', stream: 1, pixels, width: 1, height: 1, t: 0 };
}

function release({ pixels }: MotionWork): void {
  const words = new Int32Array(pixels.buffer);
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
}

it('does not start a call whose signal aborts while it waits', async () => {
  const queue = await open();
  const held = work(HOLD);
  const inWork = queue.run(held);
  const given = new AbortController();
  const dropped = queue.run(work(ANSWER), given.signal);
  const served = queue.run(work(ANSWER), new AbortController().signal);
  given.abort(new Error('too late'));
  await expect(dropped).rejects.toThrow('too late');
  release(held);
  await inWork;
  // The worker counts its calls: the held one and this.
  expect((await served).proposals[0]?.score).toBe(2);
});

it('rejects the present call when its signal aborts, and continues with the next', async () => {
  const queue = await open();
  const held = work(HOLD);
  const given = new AbortController();
  const inWork = queue.run(held, given.signal);
  const next = queue.run(work(ANSWER));
  given.abort(new Error('too late'));
  await expect(inWork).rejects.toThrow('too late');
  release(held);
  expect((await next).proposals[0]?.score).toBe(2);
});

it('does not start a call whose signal is aborted already', async () => {
  const queue = await open();
  await expect(queue.run(work(ANSWER), AbortSignal.abort(new Error('aborted')))).rejects.toThrow('aborted');
  expect((await queue.run(work(ANSWER))).proposals[0]?.score).toBe(1);
});
