import type { ErrorCode } from '../core/errors.js';

/** What can go wrong on the client's side, and every code that the service answers with. */
export type ClientErrorCode =
  | ErrorCode
  | 'bad_address' // the URL given to `connect`
  | 'unreachable' // nothing answers, or the answer did not come in time
  | 'protocol_error' // what came is not what Presage sends
  | 'lagged' // messages were lost, and `overflow: 'fail'` was asked for
  | 'closed'; // used after `close`

export interface ClientErrorOptions {
  readonly cause?: unknown;
  /** HTTP status, where there was one. */
  readonly status?: number;
  /** The same call may succeed later without anyone changing anything. */
  readonly retryable?: boolean;
  /** When to try again, s, where the service said so. */
  readonly retryAfterS?: number;
}

/** The only error type that the client throws, apart from the reason of an `AbortSignal` of yours. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly retryAfterS: number | undefined;

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.retryable = options.retryable ?? false;
    this.retryAfterS = options.retryAfterS;
  }
}
