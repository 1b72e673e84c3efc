import type { Observable } from 'rxjs';
import type { Affine, Box, Point } from './box.js';
import type { PresageError } from './errors.js';
import type { Frame } from './frame.js';
import type { Draft, EventObserved, Explanation, Forecast, ObjectState, ObservedEvent } from './messages.js';
import type { EventType } from './ontology.js';
import type { Episode, Records, Relation } from './records.js';

/* ------------------------------------------------------------------ ingest */

export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  /** Nominal frames per second; 0 when the source does not say. */
  readonly fps: number;
  readonly codec: string;
}

/** Where a source stands. Each state carries only what is true of it. */
export type SourceState =
  | { readonly state: 'connecting'; readonly attempt: number }
  | { readonly state: 'live'; readonly format: VideoFormat }
  | {
      readonly state: 'reconnecting';
      readonly error: PresageError;
      readonly attempt: number;
      readonly delayMs: number;
    }
  /** With a reason when it ended before it should have, such as a file that is cut off. */
  | { readonly state: 'ended'; readonly reason?: string }
  | { readonly state: 'failed'; readonly error: PresageError };

export interface SourceStats {
  /** Frames decoded and offered, dropped ones included. */
  readonly delivered: number;
  /** Frames dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Media times that ran backwards or jumped and were carried on with. */
  readonly clockJumps: number;
  readonly reconnects: number;
}

/**
 * One camera or file. Subscribing `frame$` starts it, once; unsubscribing or closing stops it. Each frame is a lease
 * that its receiver disposes. `frame$` completes when the source has ended (a file) and errors with a PresageError
 * when it can't go on. Media time strictly increases over the frames, across reconnects too.
 */
export interface Source extends AsyncDisposable {
  /** The source's address without credentials. */
  readonly name: string;
  readonly frame$: Observable<Frame>;
  /** Replays the present state to a new subscriber; completes after `ended` or `failed`. */
  readonly state$: Observable<SourceState>;
  /** Frames leased and not yet disposed. */
  readonly liveFrames: number;
  /** Length in seconds where known (files). */
  readonly duration: number | undefined;
  stats(): SourceStats;
  close(): Promise<void>;
}

/* ------------------------------------------------------------------ model */

/** A binary mask of the whole frame, run-length encoded as COCO does (column by column, compressed string). */
export interface Mask {
  /** px; may be coarser than the frame, never of another aspect ratio. */
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

export interface Detection {
  /** A class of the detector, or `object` for what only motion or objectness tells. */
  readonly label: string;
  /** 0–1. Low scores (down to the perception's floor) are kept: the tracker's second stage uses them. */
  readonly score: number;
  /** How sure the label is, 0–1, where that is less sure than that something is there; `score` when omitted. */
  readonly labelScore?: number;
  /** Fractions of the frame, clamped to it. */
  readonly box: Box;
  /** What proposed it: the detector (when omitted), class-agnostic motion against the background, or a segmenter. */
  readonly origin?: 'detector' | 'motion' | 'segmenter';
  readonly mask?: Mask;
  /** Appearance of the object, unit length: the cosine of two tokens tells whether they show the same object. */
  readonly token?: Float32Array;
}

/** Whether the picture shows the scene: `covered` hides it (a hand, darkness, noise), `changed` is another one (a cut). */
export type SceneCondition = 'clear' | 'covered' | 'changed';

/** What perception says of one frame. */
export interface Percept {
  readonly index: number;
  readonly t: number;
  readonly receivedAtMs: number;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly Detection[];
  /** Milliseconds spent in the model, preprocessing included. */
  readonly inferenceMs: number;
  /** Only what moves was looked for: that something was not detected says nothing about it. */
  readonly partial?: boolean;
  /** Motion of the picture since the stream's last percept, px to px; absent when it stood still or is not known. */
  readonly camera?: Affine;
  /** `clear` when omitted. */
  readonly scene?: SceneCondition;
  /** What the last seconds showed as a whole, about once a second, unit length. */
  readonly clipToken?: Float32Array;
  /** Detections that got neither mask nor token because there were too many; none when omitted. */
  readonly unsegmented?: number;
}

export interface PerceptionInfo {
  readonly model: string;
  readonly sha256: string;
  /** Execution provider in use, e.g. `cpu`. */
  readonly device: string;
  readonly workers: number;
  /** Input canvas in px. */
  readonly canvas: readonly [width: number, height: number];
  /** What makes masks and tokens, as `name@version`; absent where nothing does. */
  readonly segmenter?: string;
  readonly objectTokens?: string;
  readonly clipTokens?: string;
}

/** How much is done for a stream. Under load it is lowered from the left to the right. */
export interface Effort {
  /** The detector looks at every k-th frame; the frames between get cheap updates (`partial`). ≥ 1 */
  readonly detectEvery: number;
  readonly masks: boolean;
  readonly tokens: boolean;
}

/** Perception of one stream: it remembers what it needs of the frames before (the background, the camera's motion). */
export interface StreamPerception extends AsyncDisposable {
  /** How many calls may run at once with gain. */
  readonly concurrency: number;
  /**
   * Frames must come with increasing `t`; results settle in their order. Reads the frame's pixels until the promise
   * settles; does not dispose the frame.
   */
  perceive(frame: Frame): Promise<Percept>;
  setEffort(effort: Effort): void;
  close(): Promise<void>;
}

/** What all streams of a process share: models, workers, devices. */
export interface Perception extends AsyncDisposable {
  readonly info: PerceptionInfo;
  openStream(): StreamPerception;
  close(): Promise<void>;
}

/* ------------------------------------------------------------------ memory */

/** An object as the tracker knows it after one percept. Boxes in px of the source frame. */
export interface TrackedObject {
  /** `o1`, `o2`, … stable for the life of the stream; an object that returns within the memory of its look keeps it. */
  readonly id: string;
  readonly label: string;
  readonly score: number;
  /** Estimate at the percept's time: filtered when seen, predicted while hidden. */
  readonly box: Box;
  /** Velocity of the box centre, px/s. */
  readonly velocity: Point;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** True when a detection supports it in this percept. */
  readonly seen: boolean;
  /** Newest mask, of this percept only. */
  readonly mask?: Mask;
  /** Appearance, smoothed over the sights, unit length. */
  readonly token?: Float32Array;
}

/** One sample of an object on the 10 Hz grid of the event definitions. */
export interface ObjectSample {
  readonly t: number;
  /** px */
  readonly box: Box;
  /** px */
  readonly position: Point;
  /** Median box height over the last second, px. */
  readonly height: number;
  /** Least-squares slope over the last 0.6 s, px/s; undefined before 0.6 s of history. */
  readonly velocity: Point | undefined;
  /** Body heights per second; undefined with the velocity. */
  readonly speed: number | undefined;
}

export interface TrailPoint {
  readonly t: number;
  /** Fractions of the frame. */
  readonly box: Box;
}

export interface ObjectRecord {
  readonly id: string;
  readonly label: string;
  readonly score: number;
  readonly upright: boolean;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly state: ObjectState['state'];
  /** Fractions of the frame. */
  readonly box: Box;
  /** Frame fractions per second. */
  readonly velocity: Point;
  /** Samples of the present unbroken part, oldest first, at most the last 10 s. */
  readonly samples: readonly ObjectSample[];
  /** Thinned history before the samples: 2 Hz for 2 min, then 0.2 Hz for 1 h; oldest first. */
  readonly trail: readonly TrailPoint[];
  /** Its outline in the newest percept, where that has one. */
  readonly mask?: Mask;
  /** Appearance, smoothed over the sights, unit length. */
  readonly token?: Float32Array;
}

/**
 * Where things happen in this view: a coarse grid with, per cell, the object-seconds observed and the events counted.
 * Rates (events per object-second) near a place are smoothed towards the whole view's rate.
 */
export interface PlaceStatistics {
  /** Object-seconds observed so far in the whole view. */
  readonly exposureS: number;
  /** Object-seconds observed around the position (fractions of the frame), smoothed. */
  exposureAt(position: Point): number;
  /** Events of the type so far. */
  count(type: EventType): number;
  /** Events of the type per object-second around the position (fractions of the frame); ≥ 0. */
  rateAt(type: EventType, position: Point): number;
  /** Events of the type per object-second in the whole view; 0 before anything was seen. */
  rate(type: EventType): number;
}

/** What a stretch of the stream showed as a whole, up to `t`. */
export interface ClipToken {
  readonly t: number;
  /** Unit length. */
  readonly token: Float32Array;
}

/** Memory at one moment. Immutable; holds no pixels. */
export interface MemorySnapshot {
  readonly t: number;
  /** px */
  readonly width: number;
  readonly height: number;
  /** Objects in view (hidden ones included), in order of id. */
  readonly objects: readonly ObjectRecord[];
  /** Objects that left within the last minutes, newest last, bounded. */
  readonly departed: readonly ObjectRecord[];
  /** Recent events, oldest first, bounded. */
  readonly events: readonly EventObserved[];
  /** Those of the last 12 s, then one in 10 s for 2 min; oldest first. */
  readonly clips: readonly ClipToken[];
  /** What held between objects in the last minute and, after that, what holds now; bounded. */
  readonly relations: readonly Relation[];
  readonly places: PlaceStatistics;
  readonly zones: Places;
}

/** Configured zones (polygons) and lines, points in frame fractions. */
export interface Places {
  readonly zones: Readonly<Record<string, readonly Point[]>>;
  readonly lines: Readonly<Record<string, readonly [Point, Point]>>;
}

/** What is reasoned about. */
export interface Observation {
  readonly snapshot: MemorySnapshot;
  /** Events that became certain with this percept, by `t`. Each is told once. */
  readonly events: readonly EventObserved[];
}

export interface MemoryUpdate extends Observation {
  /** Episodes that are over, each told once. */
  readonly episodes: readonly Episode[];
}

export interface Memory {
  /** Percepts must come with increasing `t`. */
  update(percept: Percept): MemoryUpdate;
  /** The stream was lost: whatever was in view is no longer known; nothing exits because of it. */
  interrupt(t: number): void;
  /** The recording has ended: the episode that was under way, if any. */
  finish(t: number): readonly Episode[];
  /** All that is held at present, to be asked (`RecordQueries`). Costs time in what is held: not for every percept. */
  records(): Records;
  dump(): Readonly<Record<string, number>>;
}

/* ------------------------------------------------------------------ reasoner */

export interface Forecaster {
  readonly name: string;
  /** The whole standard forecast at the snapshot's time, deterministic for the same history. */
  forecast(snapshot: MemorySnapshot): Forecast;
}

export interface Explainer {
  readonly name: string;
  /** Undefined when there is nothing to explain about this type of event. Rejects with PresageError. */
  explain(
    event: ObservedEvent,
    snapshot: MemorySnapshot,
    signal?: AbortSignal,
  ): Promise<Explanation | undefined>;
}

export interface Reasoner extends AsyncDisposable {
  /** What follows at once from an update: explanations by rules, forecasts, predictions, resolutions, scorecards. */
  step(update: Observation): readonly Draft[];
  /** The camera was lost at media time `t`: open predictions become void. */
  interrupt(t: number): readonly Draft[];
  /** What comes later, from slow backends. */
  readonly late$: Observable<Draft>;
  /** Resolves when nothing is pending on `late$`. `analyze` waits for it after every step. */
  settle(): Promise<void>;
  /** The recording has ended: the last resolutions and the final scorecard. */
  finish(t: number): readonly Draft[];
  /** State worth keeping across restarts (calibration, base rates), plain JSON. */
  saveState(): unknown;
  close(): Promise<void>;
}

/* ------------------------------------------------------------------ transport */

/**
 * The saved state of a memory in pieces by name, so that a store that has the last ones writes only what changed.
 * `put` replaces pieces, `gone` names those that are no more. `whole`: these are all the pieces there are.
 */
export interface StateChanges {
  readonly whole: boolean;
  readonly put: Readonly<Record<string, unknown>>;
  readonly gone: readonly string[];
}

/** JSON values that stages keep across restarts; durable with the next commit. */
export interface StateStore {
  /** Undefined when there is none. */
  load(streamId: string, key: string): unknown;
  /** Values of all keys that begin with the prefix, by the rest of their key. */
  loadAll(streamId: string, prefix: string): Readonly<Record<string, unknown>>;
  save(streamId: string, key: string, value: unknown): void;
  remove(streamId: string, key: string): void;
  /** Removes all keys that begin with the prefix. */
  removeAll(streamId: string, prefix: string): void;
}
