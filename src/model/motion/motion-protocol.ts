import type { MotionAnswer } from './motion-analyzer.js';

/** One picture of a stream. Pixels are a view on shared memory, so nothing is copied on the way to the worker. */
export interface MotionWork {
  readonly type: 'analyze';
  /** Which stream's background to use; one is made for a number not seen before. */
  readonly stream: number;
  readonly pixels: Uint8Array<SharedArrayBuffer>;
  readonly width: number;
  readonly height: number;
  /** Media time, s. */
  readonly t: number;
}

/** Not answered: the stream's background is not needed any more. */
export interface MotionForget {
  readonly type: 'forget';
  readonly stream: number;
}

export interface MotionReport extends MotionAnswer {
  readonly motionMs: number;
}
