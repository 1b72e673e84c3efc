import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { i420Layout } from '../../../../src/core/video/frame.js';
import { DetectorPool } from '../../../../src/model/detector/detector-pool.js';
import { matching } from '../../../support/model/matching.js';

const ENTRY = fileURLToPath(new URL('../../../support/model/fake-detector-worker.mjs', import.meta.url));
/** Commands in the pictures of the fake worker. */
const [ANSWER, HOLD, EXIT, THROW, FAIL] = [0, 1, 2, 3, 4];

let pool: DetectorPool | undefined;
afterEach(() => pool?.close());

/** A pool with one stream. */
async function open(workers: number, path = 'valid', timeoutMs = 60_000) {
  const detector = {
    strides: [8],
    scoreFloor: 0,
    nmsIou: 0.5,
    fuseIou: 0.6,
    device: 'cpu',
    threads: 1,
  } as const;
  const opened = await DetectorPool.open({
    workers,
    detector: { ...detector, longSidePx: 32, path },
    entry: ENTRY,
    timeoutMs,
    sleep: () => Promise.resolve(),
  });
  pool = opened;
  const lane = opened.openLane();
  return {
    detect: (frame: ReturnType<typeof picture>) => lane.detect(frame),
    stats: () => opened.stats(),
    close: () => opened.close(),
    openLane: () => opened.openLane(),
  };
}

function picture(command: number, width = 4) {
  const layout = i420Layout(width, 4);
  const pixels = new Uint8Array(new SharedArrayBuffer(Math.max(8, layout.byteLength)));
  pixels[0] = command;
  return { layout, pixels };
}

function release({ pixels }: ReturnType<typeof picture>): void {
  const words = new Int32Array(pixels.buffer, 0, 2);
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
}

it('settles in the order of the calls when a later one is ready first', async () => {
  const detectors = await open(2);
  const slow = picture(HOLD, 10);
  const settled: string[] = [];
  const note = (name: string) => () => settled.push(name);
  const first = detectors.detect(slow).then(note('first'));
  const others = [12, 14, 16].map((width) => detectors.detect(picture(ANSWER, width)).then(note(`${width}`)));
  // The free worker computes the others one by one; when none waits, all except the held one are computed.
  while (detectors.stats().inFlight > 1 || detectors.stats().waiting > 0) await new Promise(setImmediate);
  expect(settled).toEqual([]);
  release(slow);
  await Promise.all([first, ...others]);
  expect(settled).toEqual(['first', '12', '14', '16']);
});

it('runs at most as many calls at once as it has workers', async () => {
  const detectors = await open(2);
  const held = [picture(HOLD), picture(HOLD), picture(HOLD)];
  const answers = held.map((frame) => detectors.detect(frame));
  expect(detectors.stats()).toMatchObject({ inFlight: 2, waiting: 1 });
  held.forEach(release);
  expect(await Promise.all(answers)).toHaveLength(3);
});

it('rejects the call of a crashed worker, and handles the next ones with a new worker', async () => {
  const detectors = await open(1);
  for (const [command, why] of [
    [EXIT, /exited with code 7/],
    [THROW, /fake failure/],
  ] as const) {
    const crashed = detectors.detect(picture(command));
    const next = detectors.detect(picture(ANSWER, 6));
    await expect(crashed).rejects.toMatchObject({
      code: 'worker_crashed',
      retryable: true,
      message: matching(why),
    });
    expect((await next).detections[0]?.label).toBe('6x4');
  }
  expect(detectors.stats()).toMatchObject({ crashes: 2, alive: 1 });
});

it('stops restarting a worker that crashes repeatedly, and rejects every waiting call', async () => {
  const detectors = await open(1);
  const crashing = Array.from({ length: 4 }, () => detectors.detect(picture(EXIT)));
  const waiting = detectors.detect(picture(ANSWER));
  await expect(waiting).rejects.toMatchObject({
    code: 'worker_crashed',
    hint: matching(/doctor/),
  });
  for (const crashed of await Promise.allSettled(crashing)) expect(crashed.status).toBe('rejected');
  expect(detectors.stats()).toMatchObject({ crashes: 4, alive: 0, waiting: 0 });
  await expect(detectors.detect(picture(ANSWER))).rejects.toMatchObject({ code: 'worker_crashed' });
});

it('continues with the other workers when one stays dead', async () => {
  const detectors = await open(2);
  const held = picture(HOLD);
  const other = detectors.detect(held);
  const crashing = Array.from({ length: 4 }, () => detectors.detect(picture(EXIT)));
  while (detectors.stats().alive > 1) await new Promise(setImmediate);
  release(held);
  await other;
  await Promise.allSettled(crashing);
  expect((await detectors.detect(picture(ANSWER, 8))).detections[0]?.label).toBe('8x4');
});

it('treats a worker that hangs as crashed', async () => {
  const detectors = await open(1, 'valid', 1);
  await expect(detectors.detect(picture(HOLD))).rejects.toMatchObject({
    code: 'worker_crashed',
    retryable: true,
  });
  expect(detectors.stats()).toMatchObject({ crashes: 1, alive: 1 });
});

it('passes on the error of one picture and continues', async () => {
  const detectors = await open(1);
  await expect(detectors.detect(picture(FAIL))).rejects.toMatchObject({ code: 'inference_failed' });
  await expect(detectors.detect(picture(ANSWER))).resolves.toMatchObject({
    detections: expect.any(Array) as unknown,
  });
  expect(detectors.stats().crashes).toBe(0);
});

it('fails to open when a worker cannot load the model', async () => {
  await expect(open(2, 'invalid')).rejects.toMatchObject({
    code: 'model_invalid',
    message: 'fake model_invalid',
  });
});

it('interrupts open calls when it is closed, and rejects further ones', async () => {
  const detectors = await open(1);
  const held = picture(HOLD);
  const calls = [detectors.detect(held), detectors.detect(picture(ANSWER))];
  const settled = Promise.allSettled(calls);
  const closing = detectors.close();
  expect(detectors.close()).toBe(closing);
  release(held);
  await closing;
  for (const call of await settled)
    expect(call).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
  await expect(detectors.detect(picture(ANSWER))).rejects.toMatchObject({ code: 'interrupted' });
  expect(detectors.stats()).toMatchObject({ alive: 0, inFlight: 0, waiting: 0 });
});

it('does not delay a stream by the backlog of another', async () => {
  const { openLane, stats } = await open(1);
  const [flood, modest] = [openLane(), openLane()];
  const settled: string[] = [];
  const held = picture(HOLD);
  const calls = [flood.detect(held).then(() => settled.push('flood'))];
  for (let n = 0; n < 8; n += 1) calls.push(flood.detect(picture(ANSWER)).then(() => settled.push('flood')));
  for (let n = 0; n < 2; n += 1)
    calls.push(modest.detect(picture(ANSWER)).then(() => settled.push('modest')));
  expect(stats()).toMatchObject({ inFlight: 1, waiting: 10, lanes: 3 });
  release(held);
  await Promise.all(calls);
  // One picture of the flood was being computed, and another one has its turn between the two of the modest stream.
  expect(settled.slice(0, 4)).toEqual(['flood', 'modest', 'flood', 'modest']);
});

it('settles the calls of a stream while a picture of another one hangs', async () => {
  const { openLane } = await open(2);
  const [stuck, lively] = [openLane(), openLane()];
  const held = picture(HOLD);
  const hanging = stuck.detect(held);
  for (const width of [6, 8, 10]) {
    expect((await lively.detect(picture(ANSWER, width))).detections[0]?.label).toBe(`${width}x4`);
  }
  release(held);
  await hanging;
});

it('divides the workers among the streams with open calls', async () => {
  const { openLane } = await open(4);
  const [a, b] = [openLane(), openLane()];
  expect([a.concurrency, b.concurrency]).toEqual([4, 4]);
  const held = picture(HOLD);
  const busy = a.detect(held);
  expect([a.concurrency, b.concurrency]).toEqual([4, 2]);
  release(held);
  await busy;
  expect(b.concurrency).toBe(4);
});

it('rejects calls of a stream beyond its bound, and accepts calls again after some have settled', async () => {
  const { openLane } = await open(1);
  const lane = openLane();
  const held = picture(HOLD);
  const calls = [held, ...Array.from({ length: 16 }, () => picture(ANSWER))].map((frame) =>
    lane.detect(frame),
  );
  const tooMany = lane.detect(picture(ANSWER));
  const refused = expect(tooMany).rejects.toMatchObject({ code: 'inference_failed', retryable: true });
  release(held);
  await refused;
  await Promise.all(calls);
  await expect(lane.detect(picture(ANSWER))).resolves.toMatchObject({
    detections: expect.any(Array) as unknown,
  });
});

it('interrupts only the waiting calls of a closed lane', async () => {
  const { openLane, stats } = await open(1);
  const [leaving, staying] = [openLane(), openLane()];
  const held = picture(HOLD);
  const inWork = leaving.detect(held);
  const waiting = leaving.detect(picture(ANSWER));
  const other = staying.detect(picture(ANSWER, 6));
  leaving.close();
  const interrupted = expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
  release(held);
  await interrupted;
  await inWork;
  expect((await other).detections[0]?.label).toBe('6x4');
  await expect(leaving.detect(picture(ANSWER))).rejects.toMatchObject({ code: 'interrupted' });
  expect(stats().lanes).toBe(2);
});
