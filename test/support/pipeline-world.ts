import { Subject } from 'rxjs';
import { VirtualClock } from '../../src/core/clock.js';
import { PresageError } from '../../src/core/errors.js';
import { FramePool, i420Layout, type Frame } from '../../src/core/video/frame.js';
import type { Draft } from '../../src/core/messages.js';
import type { Effort, SceneCondition, StreamPerception } from '../../src/core/percept.js';
import type { Source, SourceState } from '../../src/core/source.js';
import { ObjectMemory } from '../../src/memory/object-memory.js';
import { Tracker } from '../../src/memory/tracking/tracker.js';
import type { LadderStep } from '../../src/pipeline/effort-ladder.js';
import { StreamPipeline, type PipelineOptions } from '../../src/pipeline/stream-pipeline.js';

const FORMAT = { width: 32, height: 32, fps: 10, codec: 'raw' };
const BUDGET_MS = 100;

/**
 * A live camera and a perception that takes `costMs(effort)` for each frame, on one virtual clock.
 *
 * @param scene what the picture shows, asked for each frame
 */
export function pipelineWorld(
  options: Partial<PipelineOptions>,
  costMs: (effort: Effort) => number,
  scene: () => SceneCondition = () => 'clear',
) {
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
      return Promise.resolve({
        index,
        t,
        receivedAtMs,
        width,
        height,
        detections: [],
        inferenceMs: 1,
        scene: scene(),
      });
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
      eventPublished: () => undefined,
      effortChanged: (step) => steps.push(step),
    },
    ...options,
  });
  const running = pipeline.run();
  const connect = (): void => state$.next({ state: 'live', format: FORMAT });
  const disconnect = (): void =>
    state$.next({
      state: 'reconnecting',
      error: new PresageError('source_stalled', 'gone'),
      attempt: 1,
      delayMs: 1,
    });
  connect();
  let index = 0;
  const send = (): void => {
    const pixels = pool.take();
    if (!pixels) throw new Error('a frame was not given back');
    frame$.next(pool.lease(pixels, { index, t: index / 10, receivedAtMs: clock.nowMs() }));
    index += 1;
  };
  /**
   * So many times, each 100 ms after the one before or as soon as it is done: a frame, or several at once, of which all
   * but the first and the last are skipped (at most 4).
   */
  const film = async (times: number, atOnce = 1): Promise<void> => {
    for (let n = 0; n < times; n += 1) {
      const startMs = clock.nowMs();
      for (let k = 0; k < atOnce; k += 1) send();
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
  /** `state` or `state: reason`, in the order told. */
  const states = (): string[] =>
    drafts.flatMap((draft) => {
      if (draft.kind !== 'stream.state') return [];
      const { state, reason } = draft.data;
      return [reason === undefined ? state : `${state}: ${reason}`];
    });
  return { film, end, drafts, efforts, steps, loads, states, connect, disconnect, pipeline, running };
}
