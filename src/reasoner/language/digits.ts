import { PresageError } from '../../core/errors.js';

/** What the digits 0 to 9 stand for as probabilities (docs/fused-model.md, "Text"). */
const DIGIT_VALUES = [0.005, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.7, 0.87, 0.97] as const;
/** The sum of a distribution may be off by this. */
const SUM_TOLERANCE = 0.01;

/**
 * Means under distributions over the digits, [count, 10]: one probability for each continuation.
 * @throws PresageError `backend_failed` when they are no distributions
 */
export function digitMeans(distributions: Float32Array, count: number): number[] {
  const digits = DIGIT_VALUES.length;
  if (distributions.length !== count * digits)
    throw new PresageError('backend_failed', 'the language model answered another question');
  return Array.from({ length: count }, (_, row) => {
    const shares = distributions.subarray(row * digits, (row + 1) * digits);
    const sum = shares.reduce((total, share) => total + share, 0);
    if (!(Math.abs(sum - 1) < SUM_TOLERANCE) || shares.some((share) => share < 0))
      throw new PresageError('backend_failed', 'the language model said no probability');
    return DIGIT_VALUES.reduce<number>(
      (mean, value, digit) => mean + (value * (shares[digit] ?? 0)) / sum,
      0,
    );
  });
}
