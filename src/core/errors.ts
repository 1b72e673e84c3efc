/** Every way in which Presage can fail, as stable codes. Clients and scripts may rely on them. */
export type ErrorCode =
  | 'bad_option' // an option, environment variable or config entry is not of its form
  | 'bad_config' // presage.yaml cannot be read or parsed
  | 'ffmpeg_missing' // no usable ffmpeg was found
  | 'ffmpeg_failed' // ffmpeg ended with an error that is none of the following
  | 'source_not_found' // no such file or device
  | 'source_unreachable' // host, port or path does not answer
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
  | 'overloaded' // more work waits than is taken on; what was asked was not begun
  | 'storage_failed' // the durable log or the data folder
  | 'output_failed' // a file that was to be written
  | 'port_in_use'
  | 'unauthorized' // no token, or a wrong one
  | 'forbidden' // the token does not cover it
  | 'not_found' // no such stream, event, session or token
  | 'conflict' // it exists already, or its state does not allow it
  | 'bad_request'
  | 'codec_unsupported' // none of the codecs offered can be taken
  | 'not_kept' // that part of the video is not kept any more, or has not been seen yet
  | 'backend_failed' // a language-model server: unreachable, timeout, nonsense
  | 'interrupted'
  | 'internal';

export interface PresageErrorOptions {
  /** True when the same call may succeed later without anyone changing anything. */
  retryable?: boolean;
  cause?: unknown;
  /** The command or change that mends it; shown to the user on a line of its own. */
  hint?: string | undefined;
}

/** The only error type that leaves a public function of Presage. The message never holds credentials. */
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

/** Turns whatever was thrown into a PresageError; one that is one already passes unchanged. */
export function toPresageError(thrown: unknown, code: ErrorCode = 'internal'): PresageError {
  if (thrown instanceof PresageError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PresageError(code, message, { cause: thrown });
}
