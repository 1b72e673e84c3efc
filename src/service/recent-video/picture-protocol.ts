import type { PxRegion } from '../../core/image/crop-i420.js';
import type { MarkedObject } from '../../render/overlay/draw-mark.js';

/** Requests to the picture worker. */
export type PictureWork =
  /** I420 in shared memory, which must not change until the answer. */
  | {
      readonly type: 'encode';
      readonly pixels: Uint8Array<SharedArrayBuffer>;
      readonly width: number;
      readonly height: number;
    }
  /** A part of a JPEG as I420. */
  | { readonly type: 'cut'; readonly jpeg: Uint8Array; readonly region: PxRegion }
  /** A part of a JPEG as JPEG. */
  | { readonly type: 'crop'; readonly jpeg: Uint8Array; readonly region: PxRegion }
  /** A JPEG scaled down so that no side exceeds the limit, with the boxes and names of objects. */
  | {
      readonly type: 'mark';
      readonly jpeg: Uint8Array;
      readonly maxSidePx: number;
      readonly objects: readonly MarkedObject[];
    };

export interface CutAnswer {
  /** Of the region's size. */
  readonly pixels: Uint8Array<SharedArrayBuffer>;
}

export interface JpegAnswer {
  readonly jpeg: Uint8Array;
  /** Time that the worker took, ms. */
  readonly ms: number;
}

export type PictureAnswer = CutAnswer | JpegAnswer;
