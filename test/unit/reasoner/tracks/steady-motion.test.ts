import { describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/core/maths/box.js';
import type { ObjectSample } from '../../../../src/core/memory.js';
import { steadyMotion } from '../../../../src/reasoner/tracks/steady-motion.js';

const HISTORY = 21;

/** Someone 100 px tall who walks 6 px a sample to the right; `box` may change what is seen of him at sample k. */
function walk(count: number, box: (k: number, whole: Box) => Box = (_, whole) => whole): ObjectSample[] {
  return Array.from({ length: count }, (_, k) => {
    const seen = box(k, [100 + 6 * k, 200, 30, 100]);
    const position = [seen[0] + seen[2] / 2, seen[1] + seen[3]] as const;
    return { t: k / 10, box: seen, position, height: 100, velocity: undefined, speed: undefined };
  });
}

describe('steadyMotion', () => {
  it('gives position, velocity and past of straight motion as they are', () => {
    const samples = walk(30);
    const { x, y, vx, vy, ax, ay, pastX } = steadyMotion(samples, true, HISTORY);
    const told = [x, y, vx, vy, ax, ay];
    [289, 300, 60, 0, 0, 0].forEach((value, i) => expect(told[i]).toBeCloseTo(value));
    expect(pastX).toHaveLength(HISTORY + 1);
    samples.slice(-HISTORY - 1).forEach((sample, i) => expect(pastX[i]).toBeCloseTo(sample.position[0]));
  });

  it('takes a box whose lower half is hidden for that of someone who stays on the ground', () => {
    const hidden = walk(30, (k, [x, y, w, h]) => (k < 26 ? [x, y, w, h] : [x, y, w, h / 2]));
    const { y, vy } = steadyMotion(hidden, true, HISTORY);
    expect(y).toBeCloseTo(300);
    expect(vy).toBeCloseTo(0);
  });

  it('takes a box whose upper half is hidden as standing where its lower edge is', () => {
    const hidden = walk(30, (k, [x, y, w, h]) => (k < 26 ? [x, y, w, h] : [x, y + h / 2, w, h / 2]));
    const { y, vy } = steadyMotion(hidden, true, HISTORY);
    expect(y).toBeCloseTo(300);
    expect(vy).toBeCloseTo(0);
  });

  it('knows no velocity from fewer samples than the line needs', () => {
    const { x, vx, vy, pastX } = steadyMotion(walk(6), true, HISTORY);
    expect([x, vx, vy]).toEqual([145, 0, 0]);
    expect(pastX).toHaveLength(6);
  });
});
