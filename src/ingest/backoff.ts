export interface BackoffOptions {
  /** Wait before the first retry, ms. */
  readonly baseMs: number;
  /** Longest wait, ms. */
  readonly maxMs: number;
  /** 0–1; default Math.random. */
  readonly random?: () => number;
}

/** Wait before retry `attempt` (from 1), ms: doubled each time up to a cap, a random half of it taken off. */
export function backoffMs(attempt: number, { baseMs, maxMs, random = Math.random }: BackoffOptions): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (0.5 + 0.5 * random()));
}
