import { systemClock } from '../../core/clock.js';
import { toPresageError, type PresageError } from '../../core/errors.js';
import { guarded } from '../../core/guarded.js';
import type { VideoInspector } from '../../core/inspection.js';
import type { Places } from '../../core/memory.js';
import type { Draft } from '../../core/messages.js';
import type { Perception, StreamPerception } from '../../core/percept.js';
import type { Records } from '../../core/records/records.js';
import type { Source } from '../../core/source.js';
import type { StateStore } from '../../core/state.js';
import type { ContactModel } from '../../memory/events/contact/contact-classifier.js';
import { ObjectMemory } from '../../memory/object-memory.js';
import { Tracker } from '../../memory/tracking/tracker.js';
import { StreamPipeline, type PipelineOptions } from '../../pipeline/stream-pipeline.js';
import { createReasoner, type ReasonerDeps, type ReasonerMode } from '../../reasoner/create-reasoner.js';
import type { ForecastCycleStats } from '../../reasoner/predict/forecast-cycle.js';
import type { StreamReasoner } from '../../reasoner/reasoner.js';
import type { Archive } from '../../transport/archive/archive.js';
import type { StreamStatus } from '../../transport/http/status.js';
import { Publisher, type PublisherOptions } from '../../transport/messages/publisher.js';
import type { StreamView } from '../../transport/view/stream-view.js';
import {
  MEMORY_PREFIX,
  PLACES_KEY,
  POSITION_KEY,
  REASONER_KEY,
  voided,
  type Continuation,
  type Position,
} from './continuation.js';
import type { DraftSink } from './draft-sink.js';

/** A crash loses at most the changes of this interval, of the wait for the commit (100 ms) and of one frame; ms. */
const SAVE_EVERY_MS = 600;
/** Objects and relations are archived on every 8th save because they are larger. */
const ARCHIVE_EVERY = 8;

/** Options of the stages of a stream that are the same for all streams of a process. */
export interface StageOptions {
  /** Appearance takes part in the decision whether two tracks are the same object. Default false. */
  readonly appearance?: boolean | undefined;
  /** Memory limit of the object memory of one stream, MB. Default 64. */
  readonly memoryMb?: number | undefined;
  /** The detector runs on every k-th frame. Default 1. */
  readonly detectEvery?: number | undefined;
  /** Live: time limit for one frame, ms; above it, the effort per frame is reduced. Default: no limit. */
  readonly latencyBudgetMs?: number | undefined;
}

/** Creates the reasoners of streams from shared models. */
interface ReasonerProvider {
  readonly mode: ReasonerMode;
  depsFor(mode: PipelineOptions['mode']): ReasonerDeps;
}

export interface StreamSessionOptions {
  readonly id: string;
  readonly source: Source;
  readonly perception: Perception;
  /** Classifies contacts between objects; without it, contacts are decided from boxes alone. */
  readonly contacts?: ContactModel | undefined;
  readonly reasoner: ReasonerProvider;
  readonly places: Places;
  readonly stages?: StageOptions | undefined;
  readonly mode: PipelineOptions['mode'];
  readonly publisher: PublisherOptions;
  /** Receive frames and drafts after the publisher. */
  readonly sinks?: readonly DraftSink[] | undefined;
  /** Stores memory, reasoner state and position. Without it nothing is stored. */
  readonly keep?: { readonly store: StateStore; readonly archive: Archive } | undefined;
  /** State of an earlier run of the stream. */
  readonly continuation?: Continuation | undefined;
  /** Receives errors that do not end the stream, such as a saved memory that cannot be restored. */
  readonly onError?: ((error: PresageError) => void) | undefined;
  /** Pictures and video for viewers; closed with the session. */
  readonly view?: (StreamView & { close(): void }) | undefined;
  /** Runs the detector on recent video again, for explanations and questions. */
  readonly inspector?: VideoInspector | undefined;
  /** Pictures of events for a language-model server that reads images. */
  readonly keyframes?: ReasonerDeps['keyframes'];
  readonly observer?: PipelineOptions['observer'];
}

const DEFAULT_MEMORY_MB = 64;

/** Runs one stream from its source to its messages: perception, memory, reasoner, publisher, saved state. */
export class StreamSession implements AsyncDisposable {
  readonly #options: StreamSessionOptions;
  readonly #memory: ObjectMemory;
  readonly #reasoner: StreamReasoner | undefined;
  readonly #publisher: Publisher;
  readonly #sinks: readonly DraftSink[];
  readonly #perception: StreamPerception;
  readonly #pipeline: StreamPipeline;
  #running: Promise<void> | undefined;
  #saver: NodeJS.Timeout | undefined;
  #saves = 0;
  #ended = false;
  #load: { processed: number; atMs: number; fps: number } = {
    processed: 0,
    atMs: systemClock.nowMs(),
    fps: 0,
  };

  constructor(options: StreamSessionOptions) {
    this.#options = options;
    const { source, perception, contacts, places, stages = {}, reasoner, continuation, mode } = options;
    this.#memory = new ObjectMemory(new Tracker({ appearance: stages.appearance ?? false }), {
      places,
      contacts,
      budgetMb: stages.memoryMb ?? DEFAULT_MEMORY_MB,
    });
    this.#reasoner = createReasoner(reasoner.mode, {
      ...reasoner.depsFor(mode),
      state: continuation?.reasoner,
      video: options.inspector,
      keyframes: options.keyframes,
    });
    this.#publisher = new Publisher(options.publisher);
    this.#sinks = [{ add: (draft) => this.#publisher.publish(draft) }, ...(options.sinks ?? [])];
    if (continuation) this.#continue(continuation);
    this.#perception = perception.openStream();
    this.#pipeline = new StreamPipeline({
      source,
      perception: this.#perception,
      detectEvery: stages.detectEvery,
      latencyBudgetMs: stages.latencyBudgetMs,
      memory: this.#memory,
      reasoner: this.#reasoner,
      mode,
      clock: systemClock,
      startS: continuation?.startS ?? 0,
      onDraft: (draft) => this.#publish(draft),
      onFrame: (frame) => {
        for (const sink of this.#sinks) sink.addFrame?.(frame);
      },
      afterFrame: async (frame) => {
        for (const sink of this.#sinks) await sink.afterFrame?.(frame);
      },
      observer: options.observer,
    });
  }

  /** Runs until the source ends or `close`. @throws PresageError */
  run(): Promise<void> {
    this.#running = this.#run();
    return this.#running;
  }

  get id(): string {
    return this.#options.id;
  }

  /** Inspects the recent video; undefined where no video is stored. */
  get inspector(): VideoInspector | undefined {
    return this.#options.inspector;
  }

  /** Pictures and video for viewers; undefined where the stream cannot be viewed. */
  get view(): StreamView | undefined {
    return this.#options.view;
  }

  /** Counters of the forecasts; undefined without a reasoner. */
  forecastStats(): ForecastCycleStats | undefined {
    return this.#reasoner?.stats().forecasts;
  }

  /** Writes the content of the memory to the archive, with the next commit. */
  archiveNow(): void {
    const { id, keep } = this.#options;
    keep?.archive.keep(id, this.#memory.records(), systemClock.wall().getTime());
  }

  get places(): Places {
    return this.#memory.places;
  }

  /** Replaces zones and lines. Memory is kept; predictions about removed or moved places become void. */
  changePlaces(places: Places): void {
    const { id, keep } = this.#options;
    const gone = changedPlaces(this.#memory.places, places);
    this.#memory.places = places;
    keep?.store.save(id, PLACES_KEY, places);
    if (this.#ended) return;
    for (const draft of this.#reasoner?.forgetPlaces(gone, this.#pipeline.stats().mediatime) ?? [])
      this.#publish(draft);
  }

  /** The content of the memory. */
  records(): Records {
    return this.#memory.records();
  }

  /** Resolves when the message sinks can take more. */
  drained(): Promise<void> {
    return this.#publisher.drained();
  }

  /**
   * Ends the stream. Resolves after the last state is saved and the last message is published: log and sinks may be
   * closed then.
   */
  async close(reason?: string): Promise<void> {
    await this.#pipeline.close(reason);
    await this.#running?.catch(() => undefined);
    this.#options.view?.close();
    await this.#perception.close();
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
      reason: state.reason,
      format: state.source,
      processedFps: this.#load.fps,
      mediatime,
      stage,
      forecasts: this.#reasoner && forecastsOf(this.#reasoner),
      drops: { ...dropped, newer_frame: skipped - total(dropped) },
      reconnects,
    };
  }

  async #run(): Promise<void> {
    const { id, keep } = this.#options;
    if (keep) {
      keep.store.save(id, PLACES_KEY, this.places);
      const save = guarded(
        () => this.#save(false),
        (error) => this.#options.onError?.(error),
      );
      this.#saver = setInterval(save, SAVE_EVERY_MS).unref();
    }
    try {
      await this.#pipeline.run();
    } finally {
      await this.#end();
    }
  }

  #publish(draft: Draft): void {
    for (const sink of this.#sinks) sink.add?.(draft);
  }

  /** Restores memory. Objects in view may have left since, and open predictions cannot be resolved: they become void. */
  #continue({ startS, memory, numbers, objectsLeftOut }: Continuation): void {
    let restored = true;
    try {
      this.#memory.restoreState(memory);
    } catch (thrown) {
      restored = false;
      this.#options.onError?.(toPresageError(thrown, 'storage_failed'));
    }
    const used = numbers(restored ? 'unsaved' : 'all');
    this.#memory.continueAfter(used, objectsLeftOut);
    this.#reasoner?.continueAfter(used);
    this.#memory.interrupt(startS);
    this.#reasoner?.interrupt(startS);
    const { id, keep, places } = this.#options;
    const unresolved = keep?.archive.queries(id, places).unresolvedPredictions() ?? [];
    for (const draft of voided(unresolved, startS)) this.#publish(draft);
  }

  /** Saves everything in one commit, together with the position in the log that the state belongs to. */
  #save(ended: boolean): void {
    const { id, keep } = this.#options;
    if (!keep) return;
    const { store } = keep;
    const { whole, put, removed } = this.#memory.saveChanges();
    // A complete state replaces the pieces of a memory that could not be restored.
    if (whole) store.removeAll(id, MEMORY_PREFIX);
    for (const [name, piece] of Object.entries(put)) store.save(id, `${MEMORY_PREFIX}${name}`, piece);
    for (const name of removed) store.remove(id, `${MEMORY_PREFIX}${name}`);
    store.save(id, REASONER_KEY, this.#reasoner?.saveState());
    const { mediatime } = this.#pipeline.stats();
    const at = systemClock.wall().getTime();
    const position: Position = { version: 1, sequence: this.#publisher.sequence, mediatime, at, ended };
    store.save(id, POSITION_KEY, position);
    if (ended || this.#saves % ARCHIVE_EVERY === 0) this.archiveNow();
    this.#saves += 1;
  }

  async #end(): Promise<void> {
    clearInterval(this.#saver);
    this.#ended = true;
    this.#save(true);
    for (const sink of this.#sinks) await sink.settle?.();
    await this.#reasoner?.close();
    await this.#publisher.close();
    await this.#perception.close();
    // Closing the slow explainer may have published explanations, which changes the position.
    this.#save(true);
  }
}

/** Names of the zones and lines that were removed or moved. */
function changedPlaces(before: Places, after: Places): ReadonlySet<string> {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const changed = <T>(old: Readonly<Record<string, T>>, now: Readonly<Record<string, T>>): string[] =>
    Object.keys(old).filter((name) => !same(old[name], now[name]));
  return new Set([...changed(before.zones, after.zones), ...changed(before.lines, after.lines)]);
}

function forecastsOf(reasoner: StreamReasoner): NonNullable<StreamStatus['forecasts']> {
  const { forecasts, degraded } = reasoner.stats().forecasts;
  return { issued: forecasts, degraded };
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
