/** The codes of all errors. They are stable: clients and scripts may rely on them. */
export type ErrorCode =
  | 'bad_option' // an option, environment variable or config entry is invalid
  | 'bad_config' // presage.yaml cannot be read or parsed
  | 'ffmpeg_missing' // no usable ffmpeg was found
  | 'ffmpeg_failed' // ffmpeg ended with an error that no code below describes
  | 'source_not_found' // no such file or device
  | 'source_unreachable' // host, port or path does not respond
  | 'source_refused' // authentication or permission
  | 'source_invalid' // not a video, empty, no video track, codec unknown
  | 'source_stalled' // no frame for longer than the stall limit
  | 'source_closed' // used after close
  | 'model_missing'
  | 'model_hash_mismatch'
  | 'model_invalid'
  | 'download_failed'
  | 'device_unavailable' // the named execution provider does not work here
  | 'inference_failed'
  | 'worker_crashed'
  | 'overloaded' // the queue is full; the request was not started
  | 'storage_failed' // the durable log or the data folder
  | 'output_failed' // an output file cannot be written
  | 'port_in_use'
  | 'unauthorized' // the token is missing or wrong
  | 'forbidden' // the token does not cover it
  | 'not_found' // no such stream, event, session or token
  | 'conflict' // the thing exists already, or its state does not allow the request
  | 'bad_request'
  | 'codec_unsupported' // none of the offered codecs is supported
  | 'not_kept' // that part of the video is no longer kept, or has not arrived yet
  | 'backend_failed' // a language-model server is unreachable, exceeds its timeout or sends an invalid response
  | 'interrupted'
  | 'internal';

/** Options of a `PresageError`. */
export interface PresageErrorOptions {
  /** True when the same call may succeed later without any change. Default: false. */
  retryable?: boolean;
  cause?: unknown;
  /** The command or change that resolves the error; shown to the user on a line of its own. */
  hint?: string | undefined;
}

/** The only error type that public functions of Presage throw. The message never contains credentials. */
export class PresageError extends Error {
  override readonly name = 'PresageError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: PresageErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint;
  }
}

/** Converts any thrown value to a PresageError; a PresageError is returned unchanged. */
export function toPresageError(thrown: unknown, code: ErrorCode = 'internal'): PresageError {
  if (thrown instanceof PresageError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PresageError(code, message, { cause: thrown });
}
