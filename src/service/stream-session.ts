import { systemClock } from '../core/clock.js';
import { toPresageError, type PresageError } from '../core/errors.js';
import { guarded } from '../core/guarded.js';
import type { Draft } from '../core/messages.js';
import type { VideoInspector } from '../core/inspection.js';
import type { Records } from '../core/records/records.js';
import type { Perception, StreamPerception } from '../core/percept.js';
import type { Places } from '../core/memory.js';
import type { Source } from '../core/source.js';
import type { StateStore } from '../core/state.js';
import type { ContactModel } from '../memory/events/contact/contact-classifier.js';
import { ObjectMemory } from '../memory/object-memory.js';
import { Tracker } from '../memory/tracking/tracker.js';
import { StreamPipeline, type PipelineOptions } from '../pipeline/stream-pipeline.js';
import { createReasoner } from '../reasoner/create-reasoner.js';
import type { StreamReasoner } from '../reasoner/reasoner.js';
import { Publisher, type PublisherOptions } from '../transport/messages/publisher.js';
import type { StreamStatus } from '../transport/http/status.js';
import type { Archive } from '../transport/archive/archive.js';
import type { ClipRecorder } from './clips/clip-recorder.js';
import {
  MEMORY_PREFIX,
  PLACES_KEY,
  POSITION_KEY,
  REASONER_KEY,
  voided,
  type Continuation,
  type Position,
} from './continuation.js';
import type { EvidenceRecorder } from './evidence/evidence-recorder.js';
import type { Metrics } from './metrics.js';
import { openaiOptions } from './openai-options.js';
import type { Settings } from '../cli/options/option-table.js';
import type { StreamPictures } from './dashboard/stream-pictures.js';
import type { RecentVideo } from './recent-video/recent-video.js';
import type { ReasonerModels } from './reasoner-models.js';

/** A crash loses at most what memory took in during this, the wait for the commit (100 ms) and one frame; ms. */
const SAVE_EVERY_MS = 600;
/** Records of objects and relations are taken into the archive with every so manieth save: they are larger. */
const ARCHIVE_EVERY = 8;

export interface StreamSessionOptions {
  readonly id: string;
  readonly source: Source;
  readonly perception: Perception;
  /** Tells contacts of things; without it their boxes alone decide. */
  readonly contacts?: ContactModel | undefined;
  readonly reasonerModels: Pick<ReasonerModels, 'mode' | 'partsFor'>;
  readonly places: Places;
  readonly settings: Settings;
  readonly mode: PipelineOptions['mode'];
  readonly publisher: PublisherOptions;
  /** Where memory and what was learned live; nothing is kept without it. */
  readonly keep?:
    | {
        readonly store: StateStore;
        readonly archive: Archive;
        readonly evidence?: EvidenceRecorder | undefined;
        readonly clips?: ClipRecorder | undefined;
      }
    | undefined;
  /** What an earlier run of the stream left. */
  readonly continuation?: Continuation | undefined;
  /** Told when the saved memory could not be taken back. */
  readonly onError?: ((error: PresageError) => void) | undefined;
  /** Takes the frames, for what is looked at again and for pictures. */
  readonly video?: RecentVideo | undefined;
  /** What viewers see. */
  readonly pictures?: StreamPictures | undefined;
  /** Lets the reasoner look at them again. */
  readonly inspector?: VideoInspector | undefined;
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
  readonly #reasoner: StreamReasoner | undefined;
  readonly #publisher: Publisher;
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
    const { id, source, perception, contacts, places, settings, continuation, metrics, mode } = options;
    this.#memory = new ObjectMemory(new Tracker({ appearance: settings.reid }), {
      places,
      contacts,
      budgetMb: settings.memoryBudget,
    });
    const { reasonerModels } = options;
    this.#reasoner = createReasoner(reasonerModels.mode, {
      ...reasonerModels.partsFor(mode),
      openai: openaiOptions(settings),
      state: continuation?.reasoner,
      video: options.inspector,
    });
    this.#publisher = new Publisher(options.publisher);
    if (continuation) this.#continue(continuation);
    this.#perception = perception.openStream();
    this.#pipeline = new StreamPipeline({
      source,
      perception: this.#perception,
      detectEvery: settings.detectEvery,
      latencyBudgetMs: settings.latencyBudget || undefined,
      memory: this.#memory,
      reasoner: this.#reasoner,
      mode,
      clock: systemClock,
      startS: continuation?.startS ?? 0,
      onDraft: (draft) => this.#tell(draft),
      onFrame: (frame) => {
        options.video?.add(frame);
        options.pictures?.addFrame(frame);
        options.onFrame?.(frame);
      },
      afterFrame: async (frame) => {
        options.pictures?.annotate(frame);
        // Whatever is then looked at is the same each time.
        if (mode === 'lossless') await options.video?.settle();
        await options.afterFrame?.(frame);
      },
      observer: metrics?.observer(id),
    });
    const reasoner = this.#reasoner;
    if (reasoner) metrics?.watchForecasts(id, () => reasoner.stats().forecasts);
  }

  /** Runs until the source ends or `close`. @throws PresageError */
  run(): Promise<void> {
    this.#running = this.#run();
    return this.#running;
  }

  get id(): string {
    return this.#options.id;
  }

  /** The recent video; undefined where none is kept. */
  get inspector(): VideoInspector | undefined {
    return this.#options.inspector;
  }

  /** What viewers see; undefined where nobody can watch. */
  get pictures(): StreamPictures | undefined {
    return this.#options.pictures;
  }

  /** Puts what memory holds into the archive, with the next commit. */
  archiveNow(): void {
    const { id, keep } = this.#options;
    keep?.archive.keep(id, this.#memory.records(), systemClock.wall().getTime());
  }

  get places(): Places {
    return this.#memory.places;
  }

  /** Other zones and lines from now on. Memory forgets nothing; predictions of those that went or moved become void. */
  changePlaces(places: Places): void {
    const { id, keep } = this.#options;
    const gone = changedPlaces(this.#memory.places, places);
    this.#memory.places = places;
    keep?.store.save(id, PLACES_KEY, places);
    if (this.#ended) return;
    for (const draft of this.#reasoner?.forgetPlaces(gone, this.#pipeline.stats().mediatime) ?? [])
      this.#tell(draft);
  }

  /** All that memory holds. */
  records(): Records {
    return this.#memory.records();
  }

  /** Resolves when the outputs can take more. */
  drained(): Promise<void> {
    return this.#publisher.drained();
  }

  /** Resolves when the last is saved and told, too: what it goes to may be closed then. */
  async close(reason?: string): Promise<void> {
    await this.#pipeline.close(reason);
    await this.#running?.catch(() => undefined);
    this.#options.pictures?.close();
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
      ...(state.reason === undefined ? {} : { reason: state.reason }),
      ...(state.source === undefined ? {} : { format: state.source }),
      processedFps: this.#load.fps,
      mediatime,
      stage,
      ...(this.#reasoner && { forecasts: forecastsOf(this.#reasoner) }),
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

  #tell(draft: Draft): void {
    const { id, metrics, onDraft } = this.#options;
    this.#publisher.publish(draft);
    this.#options.pictures?.add(draft);
    metrics?.messagePublished(id, draft.kind);
    if (draft.kind === 'stream.state') {
      metrics?.streamUp(id, draft.data.state === 'live' || draft.data.state === 'degraded');
    }
    this.#options.keep?.evidence?.add(draft);
    this.#options.keep?.clips?.add(draft);
    onDraft?.(draft);
  }

  /** Memory goes on where it was; what was in view then may have gone since, and what was expected cannot be judged. */
  #continue({ startS, memory, numbers, objectsLeftOut }: Continuation): void {
    let restored = true;
    try {
      this.#memory.restoreState(memory);
    } catch (thrown) {
      restored = false;
      this.#options.onError?.(toPresageError(thrown, 'storage_failed'));
    }
    const given = numbers(restored ? 'unsaved' : 'all');
    this.#memory.continueAfter(given, objectsLeftOut);
    this.#reasoner?.continueAfter(given);
    this.#memory.interrupt(startS);
    this.#reasoner?.interrupt(startS);
    const { id, keep, places } = this.#options;
    const unresolved = keep?.archive.queries(id, places).unresolvedPredictions() ?? [];
    for (const draft of voided(unresolved, startS)) this.#tell(draft);
  }

  /** Everything goes into one commit, with the position in the log that it belongs to. */
  #save(ended: boolean): void {
    const { id, keep } = this.#options;
    if (!keep) return;
    const { store } = keep;
    const { whole, put, removed: gone } = this.#memory.saveChanges();
    // Pieces of a memory that could not be taken back, or that has dropped them since, belong to no other.
    if (whole) store.removeAll(id, MEMORY_PREFIX);
    for (const [name, piece] of Object.entries(put)) store.save(id, `${MEMORY_PREFIX}${name}`, piece);
    for (const name of gone) store.remove(id, `${MEMORY_PREFIX}${name}`);
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
    await this.#options.keep?.evidence?.settle();
    await this.#options.keep?.clips?.close();
    await this.#reasoner?.close();
    await this.#publisher.close();
    await this.#perception.close();
    // What the slow explainer said while it closed has a sequence, too.
    this.#save(true);
  }
}

/** Names of the zones and lines of before that are not there any more, or not where they were. */
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
