import type { Affine, Box } from './maths/box.js';
import type { Frame } from './video/frame.js';

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
  /** Appearance of the object, unit length: the cosine of two embeddings tells whether they show the same object. */
  readonly embedding?: Float32Array;
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
  readonly sceneEmbedding?: Float32Array;
  /** Detections that got neither mask nor embedding because there were too many; none when omitted. */
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
  /** What makes masks and embeddings, as `name@version`; absent where nothing does. */
  readonly segmenter?: string;
  readonly objectEmbeddings?: string;
  readonly sceneEmbeddings?: string;
}

/** How much is done for a stream. Under load it is lowered from the left to the right. */
export interface Effort {
  /** The detector looks at every k-th frame; the frames between get cheap updates (`partial`). ≥ 1 */
  readonly detectEvery: number;
  readonly masks: boolean;
  readonly embeddings: boolean;
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
