import { describe, expect, it } from 'vitest';
import { AxisFilter } from '../../../../src/memory/tracking/filter/axis-filter.js';
import { BoxFilter, createJitter } from '../../../../src/memory/tracking/filter/box-filter.js';
import { JitterEstimate } from '../../../../src/memory/tracking/filter/jitter.js';
import { wobble } from './drawn.js';

describe('the filter of one coordinate', () => {
  it('agrees with the matrix form of the Kalman filter', () => {
    const filter = new AxisFilter(10, 4, 9);
    filter.predict({ dt: 0.5, acceleration: 2, decay: Infinity });
    filter.correct(12, 1, 0);
    // P⁻ = [4 + 9/4 + 2/24, 9/2 + 1/4], gain = P⁻ / (P⁻ + 1)
    const before = 4 + 0.25 * 9 + (2 * 0.125) / 3;
    const cross = 0.5 * 9 + (2 * 0.25) / 2;
    expect(filter.position).toBeCloseTo(10 + (2 * before) / (before + 1), 12);
    expect(filter.velocity).toBeCloseTo((2 * cross) / (before + 1), 12);
    expect(filter.variance).toBeCloseTo(before / (before + 1), 12);
  });

  it('comes to rest where a fading velocity leads', () => {
    const filter = new AxisFilter(0, 1, 1);
    filter.velocity = 10;
    for (let k = 0; k < 100; k += 1) filter.predict({ dt: 0.1, acceleration: 0, decay: 0.5 });
    expect(filter.position).toBeCloseTo(5, 3);
  });
});

describe('the jitter estimate', () => {
  it('finds the spread of independent noise', () => {
    const estimate = new JitterEstimate();
    const spread = 0.05;
    // wobble is uniform in −1…1: its standard deviation is 1/√3
    const noise = Array.from({ length: 3000 }, (_, k) => spread * Math.sqrt(3) * wobble(k, 5));
    for (let k = 2; k < noise.length; k += 1) {
      const line = ((noise[k - 2] ?? 0) + (noise[k] ?? 0)) / 2;
      estimate.add((noise[k - 1] ?? 0) - line, 0.5);
    }
    expect(estimate.sigma).toBeGreaterThan(0.045);
    expect(estimate.sigma).toBeLessThan(0.055);
  });

  it('is not moved by steady motion of the boxes', () => {
    const jitter = createJitter();
    const filter = new BoxFilter([0, 0, 40, 100], 0.8, 0, jitter);
    for (let k = 1; k < 300; k += 1) {
      filter.predict(k / 10, false);
      filter.correct({ box: [8 * k, k, 40, 100], score: 0.8, covered: 0 });
    }
    expect(jitter.centre.sigma).toBeLessThan(0.016);
  });
});
