/** Pictures of a camera that do not show its scene, and scenes that change. */
import { expect, it } from 'vitest';
import { MotionAnalyzer, type MotionAnswer } from '../../../../../src/model/motion/motion-analyzer.js';
import { Picture } from '../../../../support/model/pictures.js';

const [WIDTH, HEIGHT] = [320, 240];

function street(seed = 1): Picture {
  return new Picture(WIDTH, HEIGHT, 130).texture(30, [0, 0], seed);
}

function watch(frames: number, paint: (index: number) => Picture, fps = 10): MotionAnswer[] {
  const analyzer = new MotionAnalyzer(WIDTH, HEIGHT);
  return Array.from({ length: frames }, (_, k) => analyzer.analyze(paint(k).pixels, k / fps));
}

const scenes = (answers: readonly MotionAnswer[]): string[] => answers.map(({ scene }) => scene);
const count = (answers: readonly MotionAnswer[]): number =>
  answers.reduce((sum, { proposals }) => sum + proposals.length, 0);

it.each([
  ['a hand', (k: number) => new Picture(WIDTH, HEIGHT, 50).noise(3, k)],
  ['darkness', (k: number) => new Picture(WIDTH, HEIGHT, 17).noise(1, k)],
  ['a rain of noise', (k: number) => new Picture(WIDTH, HEIGHT, 128).noise(110, k)],
])('reports that the scene is covered by %s, and continues unchanged afterwards', (_, cover) => {
  const answers = watch(40, (k) => (k >= 10 && k < 30 ? cover(k) : street().noise(2, k)));
  expect(scenes(answers.slice(0, 10))).toEqual(Array(10).fill('clear'));
  expect(scenes(answers.slice(12, 30))).toEqual(Array(18).fill('covered'));
  expect(scenes(answers.slice(31))).toEqual(Array(9).fill('clear'));
  expect(count(answers)).toBe(0);
});

it('reports a cut to another scene once, and learns that scene', () => {
  const answers = watch(30, (k) => street(k < 15 ? 1 : 2).noise(2, k));
  expect(scenes(answers)).toEqual(Array.from({ length: 30 }, (_, k) => (k === 15 ? 'changed' : 'clear')));
  expect(count(answers)).toBe(0);
});

it('does not report a single corrupt picture', () => {
  const answers = watch(20, (k) => (k === 10 ? new Picture(WIDTH, HEIGHT, 90) : street().noise(2, k)));
  expect(scenes(answers)).toEqual(Array(20).fill('clear'));
  expect(count(answers)).toBe(0);
});

it('does not report nightfall as a change of scene', () => {
  const answers = watch(100, (k) =>
    street()
      .shade([0, 0, WIDTH, HEIGHT], 1 - (0.8 * k) / 100)
      .noise(2, k),
  );
  expect(scenes(answers)).toEqual(Array(100).fill('clear'));
  expect(count(answers)).toBeLessThan(20);
});

it('finds the pose of a kicked camera and reports its displacement', () => {
  const answers = watch(20, (k) =>
    new Picture(WIDTH, HEIGHT, 130).texture(30, k < 10 ? [0, 0] : [-40, 22]).noise(2, k),
  );
  expect(scenes(answers)).toEqual(Array(20).fill('clear'));
  expect(answers[10]?.camera?.[4]).toBeCloseTo(-40, 0);
  expect(answers[10]?.camera?.[5]).toBeCloseTo(22, 0);
  expect(answers.filter(({ camera }) => camera)).toHaveLength(1);
  expect(count(answers)).toBe(0);
});

it('handles one picture per five seconds', () => {
  const at = (k: number): number[] => [(k * 47) % 260, 60 + ((k * 31) % 100), 30, 40];
  const answers = watch(40, (k) => (k < 3 ? street() : street().box(at(k), [80, 100, 200])).noise(2, k), 0.2);
  expect(scenes(answers)).toEqual(Array(40).fill('clear'));
  answers.slice(3).forEach(({ proposals }) => expect(proposals).toHaveLength(1));
});

it('proposes at max three hundred objects, and each at max once', () => {
  const [width, height] = [640, 480];
  const analyzer = new MotionAnalyzer(width, height);
  let max = 0;
  for (let k = 0; k < 12; k += 1) {
    const picture = new Picture(width, height, 130).texture(10);
    for (let n = 0; n < 40 * k; n += 1)
      picture.box(
        [6 + (n % 25) * 25 + (k % 3), 6 + Math.floor(n / 25) * 28, 10, 12],
        [n % 2 ? 20 : 230, 90, 170],
      );
    const { proposals } = analyzer.analyze(picture.noise(2, k).pixels, k / 10);
    max = Math.max(max, proposals.length);
    expect(new Set(proposals.map(({ box }) => box.join())).size).toBe(proposals.length);
  }
  expect(max).toBe(300);
});

it.each([
  [1, 1],
  [16, 400],
  [33, 27],
])('analyses a picture of %i × %i px without an error', (width, height) => {
  const analyzer = new MotionAnalyzer(width, height);
  for (let k = 0; k < 5; k += 1) {
    const { proposals, scene } = analyzer.analyze(new Picture(width, height).noise(3, k).pixels, k);
    expect(scene).toBe('clear');
    expect(proposals).toEqual([]);
  }
});

it('gives the same result for the same pictures', () => {
  const film = (): MotionAnswer[] =>
    watch(25, (k) =>
      street()
        .texture(20, [k % 4, 0])
        .box([5 * k, 50, 30, 30], [60, 90, 180])
        .noise(8, k),
    );
  expect(film()).toEqual(film());
});
