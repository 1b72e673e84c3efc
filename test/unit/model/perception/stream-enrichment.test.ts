import { expect, it } from 'vitest';
import { FramePool, i420Layout, type Frame } from '../../../../src/core/video/frame.js';
import type { Detection } from '../../../../src/core/percept.js';
import { GRID_LENGTH } from '../../../../src/model/perception/scene-encoder.js';
import type { SamAnswer } from '../../../../src/model/segment/sam/sam-thread.js';
import {
  StreamEnrichment,
  type StreamEnrichmentOptions,
} from '../../../../src/model/perception/stream-enrichment.js';

const AVAILABLE = { masks: true, embeddings: true, sceneEmbeddings: false };
const MASK = { size: [4, 4], counts: '04' } as const;

function frameAt(t: number): Frame {
  const pool = new FramePool(i420Layout(4, 4), 1);
  return pool.lease(pool.take()!, { index: 0, t, receivedAtMs: 0 });
}

function enrichment(options: Partial<StreamEnrichmentOptions> = {}): StreamEnrichment {
  return new StreamEnrichment({
    masks: 'auto',
    available: AVAILABLE,
    samEveryS: 1,
    encodeScene: () => Promise.resolve({}),
    ...options,
  });
}

function person(x: number, score = 0.9): Detection {
  return { label: 'person', score, box: [x, 0.2, 0.1, 0.3] };
}

it('drops masks before embeddings at a lower effort, except where masks are on', () => {
  const stream = enrichment();
  expect(stream.requestFor(0)).toMatchObject({ masks: true, embeddings: true });
  stream.setEffort({ masks: false, embeddings: true });
  expect(stream.requestFor(1)).toMatchObject({ masks: false, embeddings: true });
  stream.setEffort({ masks: false, embeddings: false });
  expect(stream.requestFor(2)).toMatchObject({ masks: false, embeddings: false });
  const on = enrichment({ masks: 'on' });
  on.setEffort({ masks: false, embeddings: false });
  expect(on.requestFor(3)).toMatchObject({ masks: true, embeddings: false });
  expect(enrichment({ masks: 'off' }).requestFor(0)).toMatchObject({ masks: false, embeddings: true });
});

it('requests only results of available models', () => {
  const stream = enrichment({ available: { masks: false, embeddings: false, sceneEmbeddings: false } });
  expect(stream.requestFor(0)).toEqual({ masks: false, embeddings: false, grid: false });
});

it('adds a scene embedding once a second, from the requested grids', async () => {
  const encoded: Float32Array[] = [];
  const stream = enrichment({
    available: { ...AVAILABLE, sceneEmbeddings: true },
    encodeScene: (grids) => Promise.resolve({ embedding: Float32Array.of(encoded.push(grids)) }),
  });
  const times: number[] = [];
  for (let i = 0; i <= 60; i++) {
    const t = i / 10;
    const { grid } = stream.requestFor(t);
    using frame = frameAt(t);
    const found = await stream.complete(
      frame,
      grid ? { grid: new Float32Array(GRID_LENGTH).fill(t) } : {},
      [],
    );
    if (found.sceneEmbedding) times.push(t);
  }
  expect(times.map((t) => Math.floor(t))).toEqual([3, 4, 5, 6]);
  expect(encoded).toHaveLength(4);
});

it('runs SAM at its own interval on the final boxes, and uses its masks', async () => {
  const promptCounts: number[] = [];
  const sam = {
    encode: (_: unknown, prompts: readonly unknown[]): Promise<SamAnswer> => {
      promptCounts.push(prompts.length);
      return Promise.resolve({ prompted: prompts.map(() => ({ mask: MASK, quality: 0.9 })), found: [] });
    },
  };
  const stream = enrichment({ sam, samEveryS: 0.5 });
  expect(stream.requestFor(0)).toMatchObject({ masks: false, embeddings: true });
  const masked: number[] = [];
  for (let i = 0; i <= 10; i++) {
    using frame = frameAt(i / 10);
    const { detections } = await stream.complete(frame, {}, [person(0.1), person(0.5)]);
    if (detections.every(({ mask }) => mask === MASK)) masked.push(i);
  }
  expect(promptCounts).toEqual([2, 2, 2]);
  expect(masked).toEqual([0, 5, 10]);
  stream.setEffort({ masks: false, embeddings: true });
  using late = frameAt(9);
  expect((await stream.complete(late, {}, [person(0.1)])).detections).toEqual([person(0.1)]);
});

it('adds new objects of the grid that are not background', async () => {
  const found: SamAnswer['found'] = [
    { mask: MASK, quality: 0.95, box: [0, 0, 1, 0.9] },
    { mask: MASK, quality: 0.92, box: [0.11, 0.2, 0.1, 0.3] },
    { mask: MASK, quality: 0.9, box: [0.7, 0.7, 0.1, 0.1] },
  ];
  const sam = { encode: (): Promise<SamAnswer> => Promise.resolve({ prompted: [{ quality: 0 }], found }) };
  const stream = enrichment({ sam, samGrid: { pointsPerSide: 8 } });
  using frame = frameAt(0);
  const { detections } = await stream.complete(frame, {}, [person(0.1)]);
  expect(detections).toEqual([
    person(0.1),
    { label: 'object', score: 0.9, box: [0.7, 0.7, 0.1, 0.1], origin: 'segmenter', mask: MASK },
  ]);
});

it('sends SAM only the best boxes when there are too many', async () => {
  let max = 0;
  const sam = {
    encode: (_: unknown, prompts: readonly unknown[]): Promise<SamAnswer> => {
      max = prompts.length;
      return Promise.resolve({ prompted: prompts.map(() => ({ mask: MASK, quality: 1 })), found: [] });
    },
  };
  using frame = frameAt(0);
  const crowd = Array.from({ length: 100 }, (_, i) => person(i / 200, i / 100));
  const { detections } = await enrichment({ sam }).complete(frame, {}, crowd);
  expect(max).toBe(64);
  expect(detections.filter(({ mask }) => mask).map(({ score }) => score)).toEqual(
    crowd.slice(36).map(({ score }) => score),
  );
});
