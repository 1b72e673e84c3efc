import { concatMap, Observable, Subscription, type OperatorFunction } from 'rxjs';
import type { Clock } from '../core/clock.js';
import { PresageError, toPresageError } from '../core/errors.js';
import { guarded } from '../core/guarded.js';
import type { Frame } from '../core/video/frame.js';
import type { Draft, ObjectState, StreamState } from '../core/messages.js';
import type { Episode } from '../core/records/records.js';
import { latestMap, losslessMap } from '../core/operators.js';
import type { Memory, MemorySnapshot } from '../core/memory.js';
import type { Percept, SceneCondition, StreamPerception } from '../core/percept.js';
import type { Reasoner } from '../core/reasoner.js';
import type { Source, SourceState } from '../core/source.js';
import { EffortLadder, FULL_EFFORT, type LadderStep } from './effort-ladder.js';
import { LoadMeter } from './load-meter.js';

export interface PipelineOptions {
  source: Source;
  perception: StreamPerception;
  memory: Memory;
  /** Without one the stream publishes objects and events only. */
  reasoner?: Reasoner | undefined;
  /** `live`: newest frame first, drops counted. `lossless`: every frame, as fast as possible, deterministic. */
  mode: 'live' | 'lossless';
  clock: Clock;
  /** Media time at which the stream begins, s: above 0 where it goes on after a restart. Default 0. */
  startS?: number;
  /** The detector runs on every k-th frame, even without load. Default 1. */
  detectEvery?: number | undefined;
  /**
   * Live: time limit of a frame from its arrival to the end of its processing, ms. When frames take longer or are skipped,
   * the effort per frame is reduced. Without a limit, the effort is always full.
   */
  latencyBudgetMs?: number | undefined;
  /** Receives every draft, in order. */
  onDraft: (draft: Draft) => void;
  /** Called with each processed frame before its drafts. */
  onFrame?: ((frame: Frame) => void) | undefined;
  /** Called with each processed frame after its drafts; the pipeline waits for a returned promise. */
  afterFrame?: ((frame: Frame) => Promise<void> | void) | undefined;
  observer?: PipelineObserver | undefined;
}

/** Receives measurements. All times in ms. */
export interface PipelineObserver {
  frameProcessed(frame: ProcessedFrame): void;
  frameDropped(edge: 'source' | 'perception', reason: string): void;
  /** The load lowered or raised the effort. */
  effortChanged(step: LadderStep): void;
  /** From the arrival of the deciding frame to the moment its event was handed out. */
  eventPublished(latencyMs: number): void;
}

interface ProcessedFrame {
  /** From the frame's arrival to the end of its processing. */
  readonly totalMs: number;
  readonly inferenceMs: number;
  readonly memoryMs: number;
  readonly reasonerMs: number;
  /** Detections that got neither mask nor embedding because there were too many. */
  readonly unsegmented: number;
}

export interface PipelineStats {
  readonly processed: number;
  readonly skipped: number;
  /** Media time of the newest processed frame, s. */
  readonly mediatime: number;
  readonly state: StreamState;
  /** Effort per frame: `full`, or the reductions due to load. */
  readonly stage: string;
}

/** Why a stream is degraded while its picture does not show its scene. */
const SCENE_REASONS = { clear: undefined, covered: 'covered', changed: 'scene-changed' } as const;
const OVERLOADED = 'perception is slower than the stream: frames are skipped';

interface Seen {
  readonly frame: Frame;
  readonly percept: Percept;
}

/**
 * One stream, from source to drafts: source → perception → memory → reasoner. Frames may be dropped only before
 * perception; from there on everything is kept and in order.
 */
export class StreamPipeline implements AsyncDisposable {
  readonly #options: PipelineOptions;
  readonly #load: LoadMeter;
  readonly #ladder: EffortLadder | undefined;
  readonly #subscriptions = new Subscription();
  #processed = 0;
  #skipped = 0;
  #mediatime: number;
  #state: StreamState = { state: 'connecting' };
  #live: StreamState['source'];
  #scene: SceneCondition = 'clear';
  #overloaded = false;
  #outcome: { resolve: () => void; reject: (error: PresageError) => void } | undefined;
  #endReason: string | undefined;
  #closed = false;
  #closeReason = 'stopped';

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#mediatime = options.startS ?? 0;
    const { clock, mode, perception, detectEvery = 1, latencyBudgetMs } = options;
    this.#load = new LoadMeter(clock);
    perception.setEffort({ detectEvery, masks: true, embeddings: true });
    if (mode === 'live' && latencyBudgetMs !== undefined)
      this.#ladder = new EffortLadder({ clock, budgetMs: latencyBudgetMs, detectEvery });
  }

  stats(): PipelineStats {
    return {
      processed: this.#processed,
      skipped: this.#skipped + sum(this.#options.source.stats().dropped),
      mediatime: this.#mediatime,
      state: this.#state,
      stage: this.#ladder?.rung.stage ?? FULL_EFFORT,
    };
  }

  /**
   * Runs until the source ends (resolves), is closed (resolves), or fails for good.
   * @throws PresageError of the source, the model or the output.
   */
  async run(): Promise<void> {
    const { source, reasoner } = this.#options;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#outcome = { resolve, reject };
        this.#subscribe();
      });
    } catch (thrown) {
      const error = toPresageError(thrown);
      this.#finish({ state: 'failed', reason: error.message });
      throw error;
    } finally {
      await source.close();
    }
    await reasoner?.settle();
    const reason = this.#closed ? this.#closeReason : this.#endReason;
    this.#finish({ state: 'ended', ...(reason === undefined ? {} : { reason }) });
  }

  /** Stops the stream; `run` resolves. Idempotent. @param reason published with its last state */
  async close(reason = this.#closeReason): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeReason = reason;
    this.#subscriptions.unsubscribe();
    await this.#options.source.close();
    this.#outcome?.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #subscribe(): void {
    const { source, reasoner } = this.#options;
    // A listener that throws ends this stream; RxJS would throw it uncaught and end the process.
    const fail = (error: PresageError): void => this.#outcome?.reject(error);
    this.#subscriptions.add(
      source.state$.subscribe({
        next: guarded((state) => this.#onSourceState(state), fail),
        error: () => undefined,
      }),
    );
    if (reasoner)
      this.#subscriptions.add(reasoner.late$.subscribe(guarded((draft) => this.#publish([draft]), fail)));
    const seen$ = source.frame$.pipe(
      this.#perceive(),
      concatMap((seen) => this.#absorb(seen)),
    );
    this.#subscriptions.add(
      seen$.subscribe({
        error: (error: unknown) => this.#outcome?.reject(toPresageError(error)),
        complete: () => this.#outcome?.resolve(),
      }),
    );
  }

  #perceive(): OperatorFunction<Frame, Seen> {
    const { perception, mode } = this.#options;
    const see = async (frame: Frame): Promise<Seen> => {
      try {
        return { frame, percept: await perception.perceive(frame) };
      } catch (error) {
        frame[Symbol.dispose]();
        throw error;
      }
    };
    if (mode === 'lossless') return losslessMap(see, perception.concurrency);
    const onDrop = (frame: Frame): void => {
      frame[Symbol.dispose]();
      this.#skipped += 1;
      this.#load.skipped();
      this.#ladder?.skipped();
      this.#options.observer?.frameDropped('perception', 'newer_frame');
    };
    return latestMap(see, {
      get concurrency() {
        return perception.concurrency;
      },
      onDrop,
    });
  }

  #absorb({ frame, percept }: Seen): Observable<never> {
    return new Observable((subscriber) => {
      this.#process(frame, percept).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
    });
  }

  async #process(frame: Frame, percept: Percept): Promise<void> {
    try {
      if (this.#closed) return;
      const { memory, reasoner, clock, observer, mode } = this.#options;
      this.#noteScene(percept.scene ?? 'clear');
      const startMs = clock.nowMs();
      const update = memory.update(percept);
      const memoryEndMs = clock.nowMs();
      const drafts: Draft[] = [objectsDraft(update.snapshot), ...update.events.map(eventDraft)];
      if (reasoner) drafts.push(...reasoner.step(update));
      drafts.push(...update.episodes.map((episode) => summaryDraft(episode, percept.t)));
      this.#mediatime = percept.t;
      this.#processed += 1;
      this.#options.onFrame?.(frame);
      this.#publish(drafts);
      const endMs = clock.nowMs();
      update.events.forEach(() => observer?.eventPublished(endMs - percept.receivedAtMs));
      observer?.frameProcessed({
        totalMs: endMs - percept.receivedAtMs,
        inferenceMs: percept.inferenceMs,
        memoryMs: memoryEndMs - startMs,
        reasonerMs: endMs - memoryEndMs,
        unsegmented: percept.unsegmented ?? 0,
      });
      if (mode === 'live') this.#reportLoad(endMs - percept.receivedAtMs);
      else await reasoner?.settle();
      await this.#options.afterFrame?.(frame);
    } finally {
      frame[Symbol.dispose]();
    }
  }

  #onSourceState(state: SourceState): void {
    switch (state.state) {
      case 'connecting':
        if (this.#state.state !== 'reconnecting' || state.attempt === 0)
          this.#setState({ state: 'connecting' });
        break;
      case 'live': {
        const { width, height, fps, codec } = state.format;
        this.#live = { width, height, fps, codec };
        this.#publishStanding();
        break;
      }
      case 'reconnecting':
        this.#interrupt();
        this.#setState({ state: 'reconnecting', reason: state.error.message });
        break;
      case 'ended':
        this.#endReason = state.reason;
        break; // published, like a failure, after the frames in progress are done
      case 'failed':
        break;
    }
  }

  #interrupt(): void {
    this.#options.memory.interrupt(this.#mediatime);
    this.#publish(this.#options.reasoner?.interrupt(this.#mediatime) ?? []);
  }

  /** While the scene is hidden or after it has changed, the state of the objects in view is unknown. */
  #noteScene(scene: SceneCondition): void {
    if (scene === this.#scene && scene !== 'changed') return;
    this.#scene = scene;
    if (scene !== 'clear') this.#interrupt();
    // What is still under way when the connection is lost does not make the stream live again.
    if (this.#state.state === 'live' || this.#state.state === 'degraded') this.#publishStanding();
  }

  /** Publishes the state of a connected stream: `degraded` with a hidden scene or overload, else `live`. */
  #publishStanding(why?: string, load?: StreamState['load']): void {
    const hidden = SCENE_REASONS[this.#scene];
    const reason = hidden ?? why ?? (this.#overloaded ? OVERLOADED : undefined);
    this.#setState({
      state: hidden !== undefined || this.#overloaded ? 'degraded' : 'live',
      ...(reason === undefined ? {} : { reason }),
      ...(this.#live && { source: this.#live }),
      ...(load && { load }),
    });
  }

  #reportLoad(latencyMs: number): void {
    this.#load.processed();
    this.#ladder?.processed(latencyMs);
    const step = this.#ladder?.assess();
    if (step) this.#changeEffort(step);
    const change = this.#load.assess();
    if (change === undefined) return;
    this.#overloaded = change.degraded;
    this.#publishLoad(undefined, change.processedFps);
  }

  #changeEffort(step: LadderStep): void {
    const { perception, observer, latencyBudgetMs } = this.#options;
    perception.setEffort(step.rung.effort);
    observer?.effortChanged(step);
    const { p95Ms, skipped, processedFps } = step.window;
    const late = `frames took ${Math.round(p95Ms)} ms of ${latencyBudgetMs ?? 0} ms`;
    const why =
      step.direction === 'up'
        ? 'there is room for more again'
        : `to keep up with the stream: ${skipped > 0 ? `${skipped} frames were skipped, ${late}` : late}`;
    this.#publishLoad(why, processedFps);
  }

  #publishLoad(why: string | undefined, processedFps: number): void {
    if (this.#state.state !== 'live' && this.#state.state !== 'degraded') return;
    const { skipped, stage } = this.stats();
    this.#publishStanding(why, { processedFps, skipped, stage });
  }

  #setState(state: StreamState): void {
    this.#state = state;
    this.#publish([{ kind: 'stream.state', mediatime: this.#mediatime, data: state }]);
  }

  #finish(state: StreamState): void {
    this.#subscriptions.unsubscribe();
    this.#publish(this.#options.reasoner?.finish(this.#mediatime) ?? []);
    const episodes = this.#options.memory.finish(this.#mediatime);
    this.#publish(episodes.map((episode) => summaryDraft(episode, this.#mediatime)));
    this.#setState(this.#live ? { ...state, source: this.#live } : state);
  }

  #publish(drafts: readonly Draft[]): void {
    for (const draft of drafts) this.#options.onDraft(draft);
  }
}

function eventDraft(observed: MemorySnapshot['events'][number]): Draft {
  return {
    kind: 'event.observed',
    mediatime: observed.observedAt,
    subject: observed.event.id,
    data: observed,
  };
}

function summaryDraft({ from, to, text, events, objects }: Episode, mediatime: number): Draft {
  const data = { from, to, text, events: [...events], objects: [...objects] };
  return { kind: 'summary.created', mediatime, data };
}

function objectsDraft(snapshot: MemorySnapshot): Draft {
  const objects = snapshot.objects.map((object): ObjectState => ({
    id: object.id,
    label: object.label,
    score: object.score,
    box: [...object.box],
    velocity: [...object.velocity],
    age: snapshot.t - object.firstSeen,
    state: object.state,
    ...(object.mask && { mask: { size: [...object.mask.size], counts: object.mask.counts } }),
  }));
  return { kind: 'objects.updated', mediatime: snapshot.t, data: { objects } };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
