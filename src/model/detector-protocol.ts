import { PresageError, type ErrorCode } from '../core/errors.js';
import type { Detection } from '../core/stages.js';
import type { FeatureMaps } from './detector.js';
import type { Letterbox } from './letterbox.js';

/** From the pool to a worker. Pixels are a view on shared memory, so nothing is copied on the way. */
export type DetectorRequest =
  | {
      readonly type: 'detect';
      readonly pixels: Uint8Array<SharedArrayBuffer>;
      readonly width: number;
      readonly height: number;
      readonly wantFeatures: boolean;
    }
  | { readonly type: 'close' };

export interface DetectorAnswer {
  readonly fit: Letterbox;
  readonly detections: Detection[];
  readonly inferenceMs: number;
  readonly features?: FeatureMaps;
}

/** From a worker to the pool: one `ready` or `failed` first, then one answer or error per `detect`. */
export type DetectorResponse =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: ErrorShape }
  | { readonly type: 'answer'; readonly answer: DetectorAnswer }
  | { readonly type: 'error'; readonly error: ErrorShape };

/** A PresageError as it crosses threads and processes. */
export interface ErrorShape {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint: string | undefined;
}

export function flattenError({ code, message, retryable, hint }: PresageError): ErrorShape {
  return { code, message, retryable, hint };
}

export function rebuildError({ code, message, retryable, hint }: ErrorShape): PresageError {
  return new PresageError(code, message, { retryable, ...(hint !== undefined && { hint }) });
}
