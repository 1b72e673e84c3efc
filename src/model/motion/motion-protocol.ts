import type { MotionAnswer } from './motion-analyzer.js';

/** One picture of a stream. Pixels are a view on shared memory, so that sending does not copy them. */
export interface MotionWork {
  readonly type: 'analyze';
  /** Number of the stream whose background to use; the worker creates one for a new number. */
  readonly stream: number;
  readonly pixels: Uint8Array<SharedArrayBuffer>;
  readonly width: number;
  readonly height: number;
  /** Media time, s. */
  readonly t: number;
}

/** Releases the background of a stream; there is no answer. */
export interface MotionForget {
  readonly type: 'forget';
  readonly stream: number;
}

export interface MotionReport extends MotionAnswer {
  readonly motionMs: number;
}
