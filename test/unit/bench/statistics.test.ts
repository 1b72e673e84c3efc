import { describe, expect, it } from 'vitest';
import { fitLine, median, quantile } from '../../../bench/support/statistics.js';

describe('median', () => {
  it('is the middle value, whatever the order', () => expect(median([9, 1, 4])).toBe(4));
  it('is the mean of two middle values', () => expect(median([4, 1, 9, 2])).toBe(3));
  it('is not a number without values', () => expect(median([])).toBeNaN());
});

describe('quantile', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  it('is the value that the share lies below', () => expect(quantile(hundred, 0.99)).toBe(100));
  it('is the largest value at 1', () => expect(quantile([3, 7], 1)).toBe(7));
});

describe('fitLine', () => {
  it('finds the slope of points on a line, without error', () => {
    const { slope, error } = fitLine([0, 1, 2, 3].map((x) => [x, 5 - 2 * x]));
    expect(slope).toBeCloseTo(-2);
    expect(error).toBeCloseTo(0);
  });

  it('gives the standard error of the textbook', () => {
    // x = 0, 1, 2 and y = 0, 1, 0: slope 0, residuals −1/3, 2/3, −1/3, one degree of freedom, spread 2
    const { slope, error } = fitLine([
      [0, 0],
      [1, 1],
      [2, 0],
    ]);
    expect(slope).toBeCloseTo(0);
    expect(error).toBeCloseTo(Math.sqrt(2 / 3 / 2));
  });

  it('is not a number with two points', () => {
    expect(
      fitLine([
        [0, 0],
        [1, 1],
      ]).slope,
    ).toBeNaN();
  });
});
