import { expect, it } from 'vitest';
import { suppress, type Candidate } from '../../../../src/model/detector/nms.js';

const OPTIONS = { nmsIou: 0.5, fuseIou: 0.6 };

function candidate(score: number, x: number, label = 0): Candidate {
  return { label, score, box: [x, 0, 100, 100] };
}

it('does not change boxes of one class that overlap little', () => {
  const apart = [candidate(0.9, 0), candidate(0.8, 60)];
  expect(suppress(apart, OPTIONS)).toEqual(apart);
});

it('keeps boxes of different classes that coincide', () => {
  expect(suppress([candidate(0.9, 0, 2), candidate(0.8, 0, 7)], OPTIONS)).toHaveLength(2);
});

it('moves the survivor towards a near duplicate by the share of score times overlap', () => {
  // Shifted by 10 of 100 px: IoU = 90 / 110.
  const [fused, ...others] = suppress([candidate(0.8, 0), candidate(0.4, 10)], OPTIONS);
  const weight = 0.4 * (90 / 110);
  expect(others).toEqual([]);
  expect(fused?.score).toBe(0.8);
  expect(fused?.box[0]).toBeCloseTo((10 * weight) / (0.8 + weight), 10);
  expect(fused?.box[2]).toBeCloseTo(100, 10);
});

it('drops a far duplicate without moving the survivor', () => {
  // Shifted by 28 px: IoU = 72 / 128 = 0.5625, between the two limits.
  const [survivor, ...others] = suppress([candidate(0.8, 0), candidate(0.7, 28)], OPTIONS);
  expect(others).toEqual([]);
  expect(survivor?.box[0]).toBeCloseTo(0, 10);
});

it('does not let a dropped box suppress others', () => {
  // The second is a duplicate of the first; the third overlaps only the second too much.
  const survivors = suppress([candidate(0.9, 0), candidate(0.8, 28), candidate(0.7, 56)], OPTIONS);
  expect(survivors.map(({ score }) => score)).toEqual([0.9, 0.7]);
});
