import { expect, it } from 'vitest';
import type { Detection } from '../../../../src/core/percept.js';
import { inheritLabels } from '../../../../src/model/perception/fusion.js';

const person: Detection = { label: 'person', score: 0.8, box: [0.2, 0.2, 0.1, 0.3] };
const car: Detection = { label: 'car', score: 0.8, box: [0.6, 0.6, 0.2, 0.1] };
const moved = (box: Detection['box']): Detection => ({ label: 'object', score: 0.5, box, origin: 'motion' });

it('removes proposals of a person, of whom limbs and shadow change the outline', () => {
  const limbs = [moved([0.21, 0.22, 0.12, 0.25]), moved([0.29, 0.45, 0.06, 0.04])];
  expect(inheritLabels(limbs, [person, car])).toEqual([]);
});

it('labels a rigid object by the detection that it overlaps, and keeps the new outline', () => {
  const outline = moved([0.62, 0.6, 0.2, 0.1]);
  expect(inheritLabels([outline], [person, car])).toEqual([{ ...outline, label: 'car' }]);
});

it('keeps proposals that no detection, or only a weak guess of a person, explains', () => {
  const stranger = moved([0.85, 0.1, 0.1, 0.1]);
  const guess = { ...person, score: 0.2 };
  const there = moved(person.box);
  expect(inheritLabels([stranger, there], [guess])).toEqual([stranger, { ...there, label: 'person' }]);
});
