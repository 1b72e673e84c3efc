import { expect, it } from 'vitest';
import { FramePool, i420Layout, type Frame } from '../../../../src/core/video/frame.js';
import { PresageError } from '../../../../src/core/errors.js';
import type { Detection, SceneCondition } from '../../../../src/core/percept.js';
import type { DetectorAnswer } from '../../../../src/model/detector/detector-protocol.js';
import { fuseProposals } from '../../../../src/model/perception/fusion.js';
import type { MotionReport } from '../../../../src/model/motion/motion-protocol.js';
import { StreamEnrichment } from '../../../../src/model/perception/stream-enrichment.js';
import {
  FusedPerception,
  type FusedPerceptionOptions,
} from '../../../../src/model/perception/stream-perception.js';

const PERSON: Detection = { label: 'person', score: 0.9, box: [0.4, 0.4, 0.1, 0.3] };
const BALL: Detection = { label: 'object', score: 0.8, box: [0.1, 0.1, 0.05, 0.05], origin: 'motion' };
const WALKER: Detection = { ...BALL, box: [0.41, 0.4, 0.1, 0.3] };
const fit = { contentWidth: 32, contentHeight: 32, canvasWidth: 32, canvasHeight: 32 };

function frame(index: number): Frame {
  const pool = new FramePool(i420Layout(4, 4), 1);
  return pool.lease(pool.take()!, { index, t: index / 10, receivedAtMs: 0 });
}

function report(proposals: Detection[], scene: SceneCondition = 'clear'): MotionReport {
  return { proposals, camera: undefined, scene, motionMs: 2 };
}

/** The answer of a worker. */
function answer(detections: Detection[], inferenceMs: number): DetectorAnswer {
  return { fit, detections, inferenceMs, unsegmented: 0 };
}

function perception(
  options: Partial<Pick<FusedPerceptionOptions, 'labels'>> & {
    motionOf?: (index: number) => MotionReport | undefined;
    detect?: FusedPerceptionOptions['detector']['detect'];
  },
) {
  const detected: number[] = [];
  const fused = new FusedPerception({
    motion: {
      analyze: ({ index }) => Promise.resolve((options.motionOf ?? (() => report([BALL, WALKER])))(index)),
      close: () => undefined,
    },
    detector: {
      concurrency: 2,
      detect:
        options.detect ??
        (({ index }, { proposals = [] }) => {
          detected.push(index);
          return Promise.resolve(answer(fuseProposals([PERSON], proposals), 10));
        }),
      close: () => undefined,
    },
    enrichment: new StreamEnrichment({
      masks: 'off',
      available: { masks: false, embeddings: false, sceneEmbeddings: false },
      encodeScene: () => Promise.resolve({}),
      samEveryS: 1,
    }),
    labels: options.labels,
  });
  return { fused, detected };
}

it('reports detections and remaining proposals, with the time of both', async () => {
  const { fused } = perception({});
  expect(await fused.perceive(frame(3))).toEqual({
    index: 3,
    t: 0.3,
    receivedAtMs: 0,
    width: 4,
    height: 4,
    detections: [PERSON, BALL],
    inferenceMs: 12,
  });
});

it('runs the detector on every k-th frame, and reports no outlines of people between', async () => {
  const { fused, detected } = perception({});
  fused.setEffort({ detectEvery: 3, masks: true, embeddings: true });
  const percepts = await Promise.all([0, 1, 2, 3, 4].map((index) => fused.perceive(frame(index))));
  expect(detected).toEqual([0, 3]);
  expect(percepts.map(({ partial }) => partial ?? false)).toEqual([false, true, true, false, true]);
  for (const { detections } of percepts.filter(({ partial }) => partial)) expect(detections).toEqual([BALL]);
});

it('settles in the order of the calls when a later frame is ready first', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const { fused } = perception({
    detect: async ({ index }) => {
      if (index === 0) await held;
      return answer([], 1);
    },
  });
  const order: number[] = [];
  const both = [0, 1].map((index) => fused.perceive(frame(index)).then(() => order.push(index)));
  await new Promise(setImmediate);
  expect(order).toEqual([]);
  release();
  await Promise.all(both);
  expect(order).toEqual([0, 1]);
});

it('rejects only the frame that fails', async () => {
  const { fused } = perception({
    detect: ({ index }) =>
      index === 0
        ? Promise.reject(new PresageError('worker_crashed', 'crashed', { retryable: true }))
        : Promise.resolve(answer([PERSON], 1)),
  });
  const [failed, next] = await Promise.allSettled([fused.perceive(frame(0)), fused.perceive(frame(1))]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'worker_crashed' } });
  expect(next.status).toBe('fulfilled');
});

it('continues with the detector alone where motion was lost', async () => {
  const { fused } = perception({ motionOf: () => undefined });
  expect((await fused.perceive(frame(0))).detections).toEqual([PERSON]);
});

it('drops detections on a covered lens, and reports the condition of the scene', async () => {
  const { fused } = perception({ motionOf: (index) => report([], index === 0 ? 'covered' : 'changed') });
  expect(await fused.perceive(frame(0))).toMatchObject({ detections: [], scene: 'covered' });
  expect(await fused.perceive(frame(1))).toMatchObject({ detections: [PERSON], scene: 'changed' });
});

it('reports only the requested labels, which may include `object`', async () => {
  const people = perception({ labels: new Set(['person']) });
  expect((await people.fused.perceive(frame(0))).detections).toEqual([PERSON]);
  const objects = perception({ labels: new Set(['object']) });
  expect((await objects.fused.perceive(frame(0))).detections).toEqual([BALL]);
});

it('rejects an invalid effort, and every frame after it is closed', async () => {
  const { fused } = perception({});
  expect(() => fused.setEffort({ detectEvery: 0, masks: true, embeddings: true })).toThrow(
    /detectEvery is 0/,
  );
  await fused.close();
  await expect(fused.perceive(frame(0))).rejects.toMatchObject({ code: 'interrupted' });
});
