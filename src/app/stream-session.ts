import { systemClock } from '../core/clock.js';
import type { Draft } from '../core/messages.js';
import type { Perception, Places, Source, StateStore, StreamPerception } from '../core/stages.js';
import { ObjectMemory } from '../memory/object-memory.js';
import { Tracker } from '../memory/tracking/tracker.js';
import { StreamPipeline, type PipelineOptions } from '../pipeline/stream-pipeline.js';
import { createReasoner } from '../reasoner/reasoner.js';
import { Publisher, type PublisherOptions } from '../transport/publisher.js';
import type { StreamStatus } from '../transport/status.js';
import type { Metrics } from './metrics.js';
import { openaiOptions } from './openai-options.js';
import type { Settings } from './option-table.js';

/** What was learned is saved this often, ms. */
const SAVE_EVERY_MS = 30_000;

export interface StreamSessionOptions {
  readonly id: string;
  readonly source: Source;
  readonly perception: Perception;
  readonly places: Places;
  readonly settings: Settings;
  readonly mode: PipelineOptions['mode'];
  readonly publisher: PublisherOptions;
  /** Where what was learned lives; nothing is kept without it. */
  readonly store?: StateStore | undefined;
  readonly metrics?: Metrics | undefined;
  /** Sees every draft after it was published. */
  readonly onDraft?: ((draft: Draft) => void) | undefined;
  readonly onFrame?: PipelineOptions['onFrame'];
  readonly afterFrame?: PipelineOptions['afterFrame'];
}

/** Everything that one stream needs, from its source to its messages. */
export class StreamSession implements AsyncDisposable {
  readonly #options: StreamSessionOptions;
  readonly #memory: ObjectMemory;
  readonly #reasoner: ReturnType<typeof createReasoner>;
  readonly #publisher: Publisher;
  readonly #perception: StreamPerception;
  readonly #pipeline: StreamPipeline;
  #saver: NodeJS.Timeout | undefined;
  #load: { processed: number; atMs: number; fps: number } = {
    processed: 0,
    atMs: systemClock.nowMs(),
    fps: 0,
  };

  constructor(options: StreamSessionOptions) {
    this.#options = options;
    const { id, source, perception, places, settings, store, metrics, mode } = options;
    this.#memory = new ObjectMemory(new Tracker(), { places });
    this.#reasoner = createReasoner(settings.reasoner, {
      openai: openaiOptions(settings),
      state: store?.load(id, 'reasoner'),
    });
    const placeState = store?.load(id, 'places');
    if (placeState !== undefined) this.#memory.restoreState(placeState);
    this.#publisher = new Publisher(options.publisher);
    this.#perception = perception.openStream();
    this.#pipeline = new StreamPipeline({
      source,
      perception: this.#perception,
      detectEvery: settings.detectEvery,
      latencyBudgetMs: settings.latencyBudget,
      memory: this.#memory,
      reasoner: this.#reasoner,
      mode,
      clock: systemClock,
      onDraft: (draft) => this.#tell(draft),
      onFrame: options.onFrame,
      afterFrame: options.afterFrame,
      observer: metrics?.observer(id),
    });
  }

  /** Runs until the source ends or `close`. @throws PresageError */
  async run(): Promise<void> {
    if (this.#options.store) this.#saver = setInterval(() => this.#save(), SAVE_EVERY_MS).unref();
    try {
      await this.#pipeline.run();
    } finally {
      await this.#end();
    }
  }

  /** Resolves when the outputs can take more. */
  drained(): Promise<void> {
    return this.#publisher.drained();
  }

  close(): Promise<void> {
    return this.#pipeline.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  status(): StreamStatus {
    const { id, source } = this.#options;
    const { processed, mediatime, state, stage, skipped } = this.#pipeline.stats();
    const nowMs = systemClock.nowMs();
    if (nowMs - this.#load.atMs > 1000) {
      const fps = ((processed - this.#load.processed) / (nowMs - this.#load.atMs)) * 1000;
      this.#load = { processed, atMs: nowMs, fps: Math.round(fps * 10) / 10 };
    }
    const { dropped, reconnects } = source.stats();
    return {
      id,
      source: source.name,
      state: state.state,
      ...(state.reason === undefined ? {} : { reason: state.reason }),
      ...(state.source === undefined ? {} : { format: state.source }),
      processedFps: this.#load.fps,
      mediatime,
      stage,
      drops: { ...dropped, newer_frame: skipped - total(dropped) },
      reconnects,
    };
  }

  #tell(draft: Draft): void {
    const { id, metrics, onDraft } = this.#options;
    this.#publisher.publish(draft);
    metrics?.messageTold(id, draft.kind);
    if (draft.kind === 'stream.state') {
      metrics?.streamUp(id, draft.data.state === 'live' || draft.data.state === 'degraded');
    }
    onDraft?.(draft);
  }

  #save(): void {
    const { id, store } = this.#options;
    store?.save(id, 'reasoner', this.#reasoner?.saveState());
    store?.save(id, 'places', this.#memory.saveState());
  }

  async #end(): Promise<void> {
    clearInterval(this.#saver);
    this.#save();
    await this.#perception.close();
    await this.#reasoner?.close();
    await this.#publisher.close();
  }
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
