import { describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/core/maths/box.js';
import type { Detection } from '../../../../src/core/percept.js';
import { fuseProposals, inheritLabels } from '../../../../src/model/perception/fusion.js';

const moving = (box: Box, score = 0.8): Detection => ({ label: 'object', score, box, origin: 'motion' });
const seen = (label: string, box: Box, score = 0.8): Detection => ({ label, score, box });

describe('fuseProposals', () => {
  const person = seen('person', [0.4, 0.4, 0.1, 0.3]);

  it('keeps a proposal that no detection explains', () => {
    const ball = moving([0.1, 0.1, 0.05, 0.05]);
    expect(fuseProposals([person], [ball])).toEqual([person, ball]);
  });

  it.each<[string, Box]>([
    ['the same box', [0.41, 0.42, 0.09, 0.28]],
    ['its upper body', [0.42, 0.41, 0.06, 0.1]],
    ['a foot next to it', [0.505, 0.66, 0.02, 0.03]],
    ['it with its shadow', [0.4, 0.4, 0.2, 0.32]],
  ])('removes %s of a detected person', (_, box) => {
    expect(fuseProposals([person], [moving(box)])).toEqual([person]);
  });

  it('removes the common mask of two detected people', () => {
    const other = seen('person', [0.52, 0.42, 0.1, 0.3]);
    expect(fuseProposals([person, other], [moving([0.36, 0.36, 0.36, 0.38])])).toEqual([person, other]);
  });

  it('keeps a proposal that only a guess explains, and drops the guess', () => {
    const guess = seen('frisbee', [0.1, 0.1, 0.06, 0.06], 0.2);
    const cube = moving([0.1, 0.1, 0.05, 0.06]);
    expect(fuseProposals([guess], [cube])).toEqual([cube]);
    const elsewhere = seen('frisbee', [0.7, 0.1, 0.06, 0.06], 0.2);
    expect(fuseProposals([elsewhere], [cube])).toEqual([elsewhere, cube]);
  });

  it('splits the outline of two objects that touch where guesses of the detector tile it', () => {
    const [ball, cube]: Box[] = [
      [0.1, 0.2, 0.08, 0.1],
      [0.17, 0.25, 0.1, 0.12],
    ] as const;
    const both = moving([0.1, 0.2, 0.17, 0.17], 0.7);
    const guesses = [seen('frisbee', ball, 0.3), seen('stop sign', cube, 0.2)];
    expect(fuseProposals(guesses, [both])).toEqual([moving(ball, 0.7), moving(cube, 0.7)]);
    const confident = seen('frisbee', ball, 0.5);
    expect(fuseProposals([confident, guesses[1]!], [both])).toEqual([confident, moving(cube, 0.7)]);
  });

  it.each<[string, Detection[]]>([
    [
      'the guesses leave much of it open',
      [seen('frisbee', [0.1, 0.2, 0.05, 0.05], 0.3), seen('frisbee', [0.16, 0.2, 0.05, 0.05], 0.3)],
    ],
    [
      'one guess is nearly all of it',
      [seen('frisbee', [0.1, 0.2, 0.15, 0.15], 0.3), seen('frisbee', [0.22, 0.32, 0.05, 0.05], 0.2)],
    ],
    [
      'the guesses are limbs',
      [seen('bird', [0.1, 0.2, 0.08, 0.17], 0.3), seen('bird', [0.18, 0.2, 0.09, 0.17], 0.2)],
    ],
  ])('does not split an outline where %s', (_, guesses) => {
    const whole = moving([0.1, 0.2, 0.17, 0.17], 0.7);
    expect(fuseProposals(guesses, [whole])).toContainEqual(whole);
  });

  it('gives a rigid object the tight box of its motion, and does not change the box of a person', () => {
    const ball = seen('sports ball', [0.1, 0.1, 0.06, 0.06]);
    const outline: Box = [0.105, 0.105, 0.05, 0.05];
    expect(fuseProposals([ball], [moving(outline)])).toEqual([{ ...ball, box: outline }]);
    expect(fuseProposals([person], [moving([0.405, 0.41, 0.09, 0.28])])).toEqual([person]);
  });

  it('takes the score of presence from motion and the score of the label from the detector', () => {
    const guess = seen('sports ball', [0.1, 0.1, 0.05, 0.05], 0.45);
    const outline: Box = [0.101, 0.101, 0.05, 0.05];
    expect(fuseProposals([guess], [moving(outline, 0.85)])).toEqual([
      { ...guess, box: outline, score: 0.85, labelScore: 0.45 },
    ]);
    const elsewhere = moving([0.6, 0.6, 0.05, 0.05], 0.85);
    expect(fuseProposals([guess], [elsewhere])).toEqual([guess, elsewhere]);
  });

  it('does not lower the score of a detection to that of motion', () => {
    const ball = seen('sports ball', [0.1, 0.1, 0.05, 0.05], 0.9);
    expect(fuseProposals([ball], [moving(ball.box, 0.6)])).toEqual([ball]);
  });

  it('labels only a rigid object that moves on by the last detection', () => {
    const car = seen('car', [0.1, 0.1, 0.2, 0.1]);
    const [one, other] = inheritLabels(
      [moving([0.11, 0.1, 0.2, 0.1]), moving([0.8, 0.8, 0.1, 0.1])],
      [car, person],
    );
    expect(one).toMatchObject({ label: 'car', origin: 'motion', box: [0.11, 0.1, 0.2, 0.1] });
    expect(other?.label).toBe('object');
  });

  it('removes proposals of people between two runs of the detector', () => {
    expect(inheritLabels([moving([0.41, 0.4, 0.1, 0.3])], [person])).toEqual([]);
  });
});
