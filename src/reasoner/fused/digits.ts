/** What the digits 0 to 9 stand for as probabilities (docs/fused-model.md, "Text"). */
const DIGIT_VALUES = [0.005, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.7, 0.87, 0.97] as const;

/** Means under distributions over the digits, [continuations, 10]: one probability for each continuation. */
export function digitMeans(distributions: Float32Array): number[] {
  const count = Math.floor(distributions.length / DIGIT_VALUES.length);
  return Array.from({ length: count }, (_, row) =>
    DIGIT_VALUES.reduce<number>(
      (mean, value, digit) => mean + value * (distributions[row * DIGIT_VALUES.length + digit] ?? 0),
      0,
    ),
  );
}
