import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.js';
import { FramePool, i420Layout, type Frame } from '../../../src/core/frame.js';
import type { Draft } from '../../../src/core/messages.js';
import type { Effort, Source, SourceState, StreamPerception } from '../../../src/core/stages.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import type { LadderStep } from '../../../src/pipeline/effort-ladder.js';
import { StreamPipeline, type PipelineOptions } from '../../../src/pipeline/stream-pipeline.js';

const FORMAT = { width: 32, height: 32, fps: 10, codec: 'raw' };
const BUDGET_MS = 100;

/** A live camera and a perception that takes `costMs(effort)` for each frame, on one virtual clock. */
function world(options: Partial<PipelineOptions>, costMs: (effort: Effort) => number) {
  const clock = new VirtualClock();
  const pool = new FramePool(i420Layout(FORMAT.width, FORMAT.height), 4);
  const frame$ = new Subject<Frame>();
  const state$ = new Subject<SourceState>();
  const close = (): Promise<void> => Promise.resolve();
  const source: Source = {
    name: 'drawn',
    frame$,
    state$,
    get liveFrames() {
      return pool.live;
    },
    duration: undefined,
    stats: () => ({ delivered: 0, dropped: {}, clockJumps: 0, reconnects: 0 }),
    close,
    [Symbol.asyncDispose]: close,
  };
  const efforts: Effort[] = [];
  const perception: StreamPerception = {
    concurrency: 1,
    setEffort: (effort) => void efforts.push(effort),
    perceive: ({ index, t, receivedAtMs, layout: { width, height } }) => {
      const effort = efforts.at(-1);
      if (effort) clock.advance(costMs(effort));
      return Promise.resolve({ index, t, receivedAtMs, width, height, detections: [], inferenceMs: 1 });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  const drafts: Draft[] = [];
  const steps: LadderStep[] = [];
  const pipeline = new StreamPipeline({
    source,
    perception,
    memory: new ObjectMemory(new Tracker(), { places: { zones: {}, lines: {} } }),
    mode: 'live',
    clock,
    latencyBudgetMs: BUDGET_MS,
    onDraft: (draft) => drafts.push(draft),
    observer: {
      frameProcessed: () => undefined,
      frameDropped: () => undefined,
      eventTold: () => undefined,
      effortChanged: (step) => steps.push(step),
    },
    ...options,
  });
  const running = pipeline.run();
  state$.next({ state: 'live', format: FORMAT });
  let index = 0;
  /** Frames until so many have been processed, each 100 ms after the one before or as soon as it is done. */
  const film = async (frames: number): Promise<void> => {
    for (let n = 0; n < frames; n += 1) {
      const startMs = clock.nowMs();
      const pixels = pool.take();
      if (!pixels) throw new Error('a frame was not given back');
      frame$.next(pool.lease(pixels, { index, t: index / 10, receivedAtMs: startMs }));
      index += 1;
      while (pool.live > 0) await new Promise(setImmediate);
      clock.advance(Math.max(0, 100 - (clock.nowMs() - startMs)));
    }
  };
  const end = async (): Promise<void> => {
    frame$.complete();
    await running;
  };
  const loads = (): unknown[] =>
    drafts.flatMap((draft) => (draft.kind === 'stream.state' && draft.data.load ? [draft.data.load] : []));
  return { film, end, drafts, efforts, steps, loads, pipeline };
}

it('lowers the effort until frames are in time, tells each step, and climbs back', async () => {
  let heavy = true;
  const { film, end, efforts, steps, loads, drafts, pipeline } = world({}, ({ detectEvery }) =>
    heavy && detectEvery < 3 ? 150 : 20,
  );
  await film(60);
  expect(efforts.map(({ detectEvery }) => detectEvery)).toEqual([1, 2, 3]);
  expect(pipeline.stats().stage).toBe('detect-every-3');
  heavy = false;
  await film(200);
  expect(efforts.map(({ detectEvery }) => detectEvery).slice(-3)).toEqual([3, 2, 1]);
  expect(pipeline.stats().stage).toBe('full');
  expect(loads()).toHaveLength(steps.length);
  expect(loads().map((load) => (load as { stage: string }).stage)).toEqual(steps.map(({ rung }) => rung.stage));
  const reasons = drafts.flatMap((draft) => (draft.kind === 'stream.state' ? [draft.data.reason] : []));
  expect(reasons).toContain('to keep up with the stream: frames took 150 ms of 100 ms');
  await end();
});

it('keeps full effort where there is no budget, however long a frame takes', async () => {
  const { film, end, efforts, loads } = world({ latencyBudgetMs: undefined }, () => 500);
  await film(30);
  expect(efforts).toEqual([{ detectEvery: 1, masks: true, tokens: true }]);
  expect(loads()).toEqual([]);
  await end();
});

it('never lowers the effort of a recording, and heeds the cadence that was asked for', async () => {
  const { film, end, efforts } = world({ mode: 'lossless', detectEvery: 2 }, () => 500);
  await film(30);
  expect(efforts).toEqual([{ detectEvery: 2, masks: true, tokens: true }]);
  await end();
});
