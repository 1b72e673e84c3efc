import type { Affine, Box } from './maths/box.js';
import type { Frame } from './video/frame.js';

/** A binary mask of the whole frame, run-length encoded as in COCO (column by column, compressed string). */
export interface Mask {
  /** px; may be coarser than the frame, never of another aspect ratio. */
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** One detected object in a frame. */
export interface Detection {
  /** A class of the detector, or `object` for a detection of motion or objectness alone. */
  readonly label: string;
  /** 0–1. Low scores (down to the perception's floor) are kept: the tracker's second stage uses them. */
  readonly score: number;
  /** Confidence of the label, 0–1, where it is lower than that of the presence of an object; `score` when omitted. */
  readonly labelScore?: number;
  /** Fractions of the frame, clamped to it. */
  readonly box: Box;
  /** Origin of the box: the detector (default), class-agnostic motion against the background, or a segmenter. */
  readonly origin?: 'detector' | 'motion' | 'segmenter';
  readonly mask?: Mask;
  /** Appearance of the object, unit length; the cosine of two appearances measures whether they show the same object. */
  readonly embedding?: Float32Array;
}

/** Visibility of the scene: `covered` when it is hidden (a hand, darkness, noise), `changed` when it is another one (a cut). */
export type SceneCondition = 'clear' | 'covered' | 'changed';

/** The result of perception for one frame. */
export interface Percept {
  readonly index: number;
  readonly t: number;
  readonly receivedAtMs: number;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly Detection[];
  /** Milliseconds spent in the model, preprocessing included. */
  readonly inferenceMs: number;
  /** True when the detector did not run on this frame: a missing detection is no evidence of absence. */
  readonly partial?: boolean;
  /** Motion of the picture since the stream's last percept, px to px; absent when it stood still or is unknown. */
  readonly camera?: Affine;
  /** `clear` when omitted. */
  readonly scene?: SceneCondition;
  /** Scene embedding, about once a second, unit length. */
  readonly sceneEmbedding?: Float32Array;
  /** Number of detections that got neither mask nor embedding because there were too many; default 0. */
  readonly unsegmented?: number;
}

/** Models and device of a perception. */
export interface PerceptionInfo {
  readonly model: string;
  readonly sha256: string;
  /** Execution provider in use, e.g. `cpu`. */
  readonly device: string;
  readonly workers: number;
  /** Input canvas in px. */
  readonly canvas: readonly [width: number, height: number];
  /** The models of masks and embeddings, as `name@version`; absent where there is none. */
  readonly segmenter?: string;
  readonly objectEmbeddings?: string;
  readonly sceneEmbeddings?: string;
}

/** Work per frame of a stream. Under load, the effort ladder reduces the fields from first to last. */
export interface Effort {
  /** The detector runs on every k-th frame; the frames between get partial percepts. ≥ 1 */
  readonly detectEvery: number;
  readonly masks: boolean;
  readonly embeddings: boolean;
}

/** Perception of one stream. It keeps state between frames: the background and the camera's motion. */
export interface StreamPerception extends AsyncDisposable {
  /** Maximum number of concurrent calls that increase the throughput. */
  readonly concurrency: number;
  /**
   * Frames must come with increasing `t`; results settle in their order. Reads the frame's pixels until the promise
   * settles; does not dispose the frame.
   */
  perceive(frame: Frame): Promise<Percept>;
  setEffort(effort: Effort): void;
  close(): Promise<void>;
}

/** Perception of all streams of a process, which share models, workers and devices. */
export interface Perception extends AsyncDisposable {
  readonly info: PerceptionInfo;
  openStream(): StreamPerception;
  close(): Promise<void>;
}
