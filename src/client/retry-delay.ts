/** Wait before the first retry, ms. */
const BASE_MS = 250;
/** Longest wait, ms: someone who looks at a page should not wait longer for a service that is back. */
const MAX_MS = 10_000;

/** Wait before retry `attempt` (from 1), ms: doubled each time up to a cap, a random half of it taken off. */
export function retryDelayMs(attempt: number): number {
  return Math.round(Math.min(MAX_MS, BASE_MS * 2 ** Math.min(attempt - 1, 20)) * (0.5 + 0.5 * Math.random()));
}
