import type { ErrorCode, PresageError } from '../../core/errors.js';

const STATUS: Partial<Record<ErrorCode, number>> = {
  bad_request: 400,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  // As the WHEP draft has it while nobody publishes.
  source_unreachable: 409,
  codec_unsupported: 422,
  overloaded: 503,
  interrupted: 503,
};

/** Status of what an engine refuses; 500 for what is our own fault. */
export function statusOf({ code }: PresageError): number {
  return STATUS[code] ?? 500;
}
