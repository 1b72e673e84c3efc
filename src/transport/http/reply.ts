import type { ErrorCode } from '../../core/errors.js';

/** Codes in the body of an HTTP error. */
export type ReplyCode = ErrorCode | 'not_found';

export interface ErrorBody {
  readonly error: { readonly code: ReplyCode; readonly message: string };
}

export function errorBody(code: ReplyCode, message: string): ErrorBody {
  return { error: { code, message } };
}
