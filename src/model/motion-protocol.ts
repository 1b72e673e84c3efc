import type { ErrorShape } from './worker-protocol.js';
import type { MotionAnswer } from './motion/motion-analyzer.js';

/** From a thread's owner to the worker. Pixels are a view on shared memory, so nothing is copied on the way. */
export type MotionRequest =
  | {
      readonly type: 'analyze';
      /** Which stream's background to use; one is made for a number not seen before. */
      readonly stream: number;
      readonly pixels: Uint8Array<SharedArrayBuffer>;
      readonly width: number;
      readonly height: number;
      /** Media time, s. */
      readonly t: number;
    }
  /** The stream's background is not needed any more. */
  | { readonly type: 'forget'; readonly stream: number }
  | { readonly type: 'close' };

export interface MotionReport extends MotionAnswer {
  readonly motionMs: number;
}

/** From the worker: `ready` first, then one answer or error per `analyze`, in the order of the requests. */
export type MotionResponse =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly answer: MotionReport }
  | { readonly type: 'error'; readonly error: ErrorShape };
