import type { PxRegion } from '../../core/image/crop-i420.js';

/** What the picture worker is asked. */
export type PictureWork =
  /** I420 on shared memory, which nobody may write to until the answer. */
  | {
      readonly type: 'encode';
      readonly pixels: Uint8Array<SharedArrayBuffer>;
      readonly width: number;
      readonly height: number;
    }
  /** A part of a JPEG as I420. */
  | { readonly type: 'cut'; readonly jpeg: Uint8Array; readonly region: PxRegion }
  /** A part of a JPEG as JPEG. */
  | { readonly type: 'crop'; readonly jpeg: Uint8Array; readonly region: PxRegion };

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
