import { PresageError, type ErrorCode } from '../../core/errors.js';

/** Message from the main thread to a worker: a call, or `close` as the last one. */
export type WorkerRequest<Work> = Work | { readonly type: 'close' };

/** Message from a worker to the main thread: `ready` or `failed` first, then one answer or error per call. */
export type WorkerResponse<Answer> =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: ErrorShape }
  | { readonly type: 'answer'; readonly answer: Answer }
  | { readonly type: 'error'; readonly error: ErrorShape };

/** A PresageError as it is sent between threads and processes. */
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
  return new PresageError(code, message, { retryable, hint });
}
