import { PresageError, toPresageError } from '../../../core/errors.js';

/**
 * Runs under a time limit and the caller's signal, with a timer of its own, so that none is left behind. Rejects with
 * `backend_failed` at the limit, `interrupted` at the signal.
 */
export async function withinTime<T>(
  run: (limit: AbortSignal) => Promise<T>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const limit = new AbortController();
  const interrupt = (): void =>
    limit.abort(new PresageError('interrupted', 'The explanation was interrupted'));
  signal?.addEventListener('abort', interrupt, { once: true });
  const timer = setTimeout(() => {
    const message = `The language model server gave no answer within ${timeoutMs} ms`;
    limit.abort(new PresageError('backend_failed', message, { retryable: true }));
  }, timeoutMs);
  const aborted = new Promise<never>((_, reject) => {
    limit.signal.addEventListener('abort', () => reject(toPresageError(limit.signal.reason)), { once: true });
  });
  if (signal?.aborted === true) interrupt();
  try {
    // The race is for what knows no signal, such as a provider of pictures that hangs.
    return await Promise.race([run(limit.signal), aborted]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupt);
  }
}
