/** The real detector over real worker threads, on a frame of the example recording. */
import { execFileSync } from 'node:child_process';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import ffmpeg from '@ffmpeg-installer/ffmpeg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iou, type Box } from '../../../src/core/maths/box.js';
import { FramePool, i420Layout, type Frame } from '../../../src/core/video/frame.js';
import { runBareDetector } from '../../../src/model/detector/bare-detector.js';
import {
  bundledModelsDir,
  findModel,
  findOptionalModel,
  loadManifest,
  modelVersion,
} from '../../../src/model/runtime/manifest.js';
import { DetectorPool } from '../../../src/model/detector/detector-pool.js';
import { ModelSession } from '../../../src/model/runtime/ort.js';
import { openPerception, type DetectorPerception } from '../../../src/model/perception/perception.js';
import type { StreamPerception } from '../../../src/core/percept.js';
import { matching } from '../../support/model/matching.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const VIDEO = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
const LAYOUT = i420Layout(768, 576);

/** Detections of the float detector on the frame at 5 s; the people in it are clearly visible. */
const PEOPLE: readonly Box[] = [
  [0.8, 0.456, 0.045, 0.167],
  [0.674, 0.446, 0.043, 0.175],
  [0.741, 0.437, 0.049, 0.186],
  [0.469, 0.339, 0.035, 0.134],
];
const CAR: Box = [0.955, 0.088, 0.045, 0.078];

let street: Uint8Array;
let perception: DetectorPerception;
let stream: StreamPerception;
const pools: FramePool[] = [];

beforeAll(async () => {
  const args = [
    '-v',
    'error',
    '-ss',
    '5',
    '-i',
    VIDEO,
    '-frames:v',
    '1',
    '-pix_fmt',
    'yuv420p',
    '-f',
    'rawvideo',
    '-',
  ];
  street = execFileSync(ffmpeg.path, args, { maxBuffer: 2 * LAYOUT.byteLength });
  perception = await openPerception({ device: 'cpu', workers: 2, threads: 1 });
  stream = perception.openStream();
});

afterAll(async () => {
  await perception.close();
  expect(pools.map((pool) => pool.live).filter((live) => live > 0)).toEqual([]);
});

function frame(layout = LAYOUT, content: Uint8Array | number = street, index = 0): Frame {
  const pool = new FramePool(layout, 1);
  pools.push(pool);
  const pixels = pool.take()!;
  if (typeof content === 'number') pixels.fill(content);
  else pixels.set(content);
  return pool.lease(pixels, { index, t: index / 10, receivedAtMs: 0 });
}

describe('perceiving a street', () => {
  it('finds exactly the people and the car, at their places', async () => {
    using picture = frame(LAYOUT, street, 50);
    const { detections, ...percept } = await stream.perceive(picture);
    expect(percept).toEqual({
      index: 50,
      t: 5,
      receivedAtMs: 0,
      width: 768,
      height: 576,
      inferenceMs: expect.any(Number) as number,
    });
    const people = detections.filter(({ label, score }) => label === 'person' && score >= 0.6);
    expect(people).toHaveLength(PEOPLE.length);
    for (const box of PEOPLE)
      expect(Math.max(...people.map((found) => iou(found.box, box)))).toBeGreaterThan(0.85);
    const cars = detections.filter(({ label, score }) => label === 'car' && score >= 0.5);
    expect(Math.max(...cars.map((found) => iou(found.box, CAR)))).toBeGreaterThan(0.85);
  });

  it('reports only the requested labels, each detection unchanged', async () => {
    await using selective = await openPerception({
      device: 'cpu',
      workers: 1,
      threads: 1,
      labels: ['person', 'umbrella'],
    });
    using picture = frame();
    const { detections: all } = await stream.perceive(picture);
    const { detections } = await selective.openStream().perceive(picture);
    expect(detections).toEqual(all.filter(({ label }) => ['person', 'umbrella'].includes(label)));
    expect(detections.length).toBeGreaterThanOrEqual(PEOPLE.length);
    expect(all.length).toBeGreaterThan(detections.length);
  });

  it('finds nothing with a high score in a black picture', async () => {
    const black = new Uint8Array(LAYOUT.byteLength).fill(16, 0, LAYOUT.ySize).fill(128, LAYOUT.ySize);
    using picture = frame(LAYOUT, black);
    const { detections } = await stream.perceive(picture);
    expect(detections.filter(({ score }) => score >= 0.5)).toEqual([]);
  });

  it('gives the same result for the same picture', async () => {
    using picture = frame();
    const [one, again] = await Promise.all([stream.perceive(picture), stream.perceive(picture)]);
    expect(again.detections).toEqual(one.detections);
  });

  it('describes itself, with the canvas of the newest frame', async () => {
    using picture = frame();
    await stream.perceive(picture);
    const manifest = await loadManifest(bundledModelsDir());
    const objects = modelVersion(findModel(manifest, 'objects'));
    const scene = findOptionalModel(manifest, 'clip');
    expect(perception.info).toEqual({
      model: 'nanodet-int8',
      sha256: findModel(manifest, 'detector').sha256,
      device: 'cpu',
      workers: 2,
      canvas: [416, 320],
      segmenter: objects,
      objectEmbeddings: objects,
      ...(scene && { sceneEmbeddings: modelVersion(scene) }),
    });
    expect(perception.concurrency).toBe(2);
    expect(perception.tried).toEqual([{ device: 'cpu', ok: true }]);
  });

  it.each([
    ['one pixel', 1, 1],
    ['odd sides', 33, 7],
    ['8K', 7680, 4320],
  ])('handles a picture of %s', async (_, width, height) => {
    using picture = frame(i420Layout(width, height), 128);
    expect(await stream.perceive(picture)).toMatchObject({ width, height });
  });
});

it('settles many calls in order', async () => {
  const frames = Array.from({ length: 6 }, (_, index) =>
    index % 2 ? frame(i420Layout(64, 8), 90, index) : frame(LAYOUT, street, index),
  );
  const order: number[] = [];
  await Promise.all(frames.map((picture) => stream.perceive(picture).then(({ index }) => order.push(index))));
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  for (const picture of frames) picture[Symbol.dispose]();
});

it('leaves the event loop free while it computes', async () => {
  using picture = frame();
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  await Promise.all(Array.from({ length: 10 }, () => stream.perceive(picture)));
  lag.disable();
  // One inference on this thread would delay every sample by tens of milliseconds.
  expect(lag.percentile(50) / 1e6).toBeLessThan(20);
});

it('continues with a new worker when one crashes during a call', async () => {
  const entry = findModel(await loadManifest(bundledModelsDir()), 'detector');
  await using pool = await DetectorPool.open({
    workers: 1,
    detector: { ...entry.settings, path: join(bundledModelsDir(), entry.file), device: 'cpu', threads: 1 },
    entry: fileURLToPath(new URL('../../support/model/crashing-detector-worker.mjs', import.meta.url)),
  });
  using deadly = frame(i420Layout(1, 1), 0);
  using picture = frame();
  await expect(pool.openLane().detect(deadly)).rejects.toMatchObject({
    code: 'worker_crashed',
    retryable: true,
  });
  const { detections } = await pool.openLane().detect(picture);
  expect(detections.filter(({ label, score }) => label === 'person' && score >= 0.6)).toHaveLength(
    PEOPLE.length,
  );
});

it('runs the bare session over pictures, one time for each', async () => {
  const picture = { pixels: street, width: 768, height: 576 };
  const run = await runBareDetector({ pictures: [picture, picture], threads: 1 });
  expect(run.pictures).toBe(2);
  expect(Math.min(...run.inferenceMs)).toBeGreaterThan(0);
});

describe('opening', () => {
  it.each(['nanodet-int8.onnx', 'objects.onnx'])('rejects a %s that is not the pinned one', async (file) => {
    const modelsDir = tempFolder();
    await cp(bundledModelsDir(), modelsDir, { recursive: true });
    await writeFile(join(modelsDir, file), 'not a model');
    await expect(openPerception({ modelsDir, device: 'cpu' })).rejects.toMatchObject({
      code: 'model_hash_mismatch',
    });
  });

  it('rejects a canvas for which the network has no cells', async () => {
    await expect(openPerception({ longSidePx: 100 })).rejects.toMatchObject({ code: 'bad_option' });
  });

  it.each(['coreml', 'dml'] as const)('rejects %s by name on this platform, with a hint', async (device) => {
    const opened = openPerception({ device });
    await expect(opened).rejects.toMatchObject({
      code: 'device_unavailable',
      hint: matching(/--device auto/),
    });
  });

  it('selects a device that works with auto', async () => {
    await using automatic = await openPerception({ workers: 1 });
    using picture = frame();
    expect(automatic.tried.at(-1)).toMatchObject({ device: automatic.info.device, ok: true });
    expect((await automatic.openStream().perceive(picture)).detections.length).toBeGreaterThan(PEOPLE.length);
  });

  it('rejects a file that is not a model', async () => {
    const path = fileURLToPath(new URL('../../../package.json', import.meta.url));
    await expect(ModelSession.open(path, { device: 'cpu', threads: 1 })).rejects.toMatchObject({
      code: 'model_invalid',
    });
  });
});

it('interrupts its calls when it is closed, and can be closed again', async () => {
  const closing = await openPerception({ device: 'cpu', workers: 1, threads: 1 });
  using picture = frame();
  const open = expect(closing.openStream().perceive(picture)).rejects.toMatchObject({ code: 'interrupted' });
  await closing.close();
  await open;
  await closing.close();
  await expect(closing.openStream().perceive(picture)).rejects.toMatchObject({ code: 'interrupted' });
});
