import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { associate, unambiguous } from '../../../../src/memory/tracking/association.js';

const table = (values: readonly (readonly number[])[]) => {
  const rows = values.map((_, k) => k);
  const columns = (values[0] ?? []).map((_, k) => k);
  return [rows, columns, (r: number, c: number): number => values[r]?.[c] ?? 0] as const;
};

/** Maximum sum over all assignments, by trying them all. */
function best(values: readonly (readonly number[])[], row = 0, taken: readonly number[] = []): number {
  if (row === values.length) return 0;
  const skipped = best(values, row + 1, taken);
  return (values[row] ?? []).reduce(
    (max, value, column) =>
      value > 0 && !taken.includes(column)
        ? Math.max(max, value + best(values, row + 1, [...taken, column]))
        : max,
    skipped,
  );
}

describe('associate', () => {
  it('prefers the best sum to the best pair', () => {
    const { pairs, rows, columns } = associate(
      ...table([
        [0.9, 0.8, 0],
        [0.8, 0, 0],
        [0, 0, 0],
      ]),
    );
    expect(pairs).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect([rows, columns]).toEqual([[2], [2]]);
  });

  it('finds the same sum as an exhaustive search', () => {
    const value = fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1, noNaN: true }));
    const sizes = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }));
    const matrices = sizes.chain(([rows, columns]) =>
      fc.array(fc.array(value, { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
    );
    fc.assert(
      fc.property(matrices, (values) => {
        const { pairs, rows, columns } = associate(...table(values));
        expect(pairs.reduce((sum, [r, c]) => sum + (values[r]?.[c] ?? NaN), 0)).toBeCloseTo(best(values), 9);
        expect(pairs.every(([r, c]) => (values[r]?.[c] ?? 0) > 0)).toBe(true);
        expect(new Set([...pairs.map(([r]) => r), ...rows]).size).toBe(values.length);
        expect(new Set([...pairs.map(([, c]) => c), ...columns]).size).toBe(values[0]?.length);
      }),
    );
  });

  it('finds the unambiguous pairs', () => {
    const sure = unambiguous(
      ...table([
        [0.2, 0, 0],
        [0, 0.9, 0.1],
      ]),
    );
    expect(sure).toEqual([[0, 0]]);
  });
});
