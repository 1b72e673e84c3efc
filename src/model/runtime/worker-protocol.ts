import { PresageError, type ErrorCode } from '../../core/errors.js';

/** From the main thread to a worker: work, or the last message. */
export type WorkerRequest<Work> = Work | { readonly type: 'close' };

/** From a worker to the main thread: one `ready` or `failed` first, then one answer or error per piece of work. */
export type WorkerResponse<Answer> =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: ErrorShape }
  | { readonly type: 'answer'; readonly answer: Answer }
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
