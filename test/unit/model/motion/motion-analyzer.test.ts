import { expect, it } from 'vitest';
import { iou, type Box } from '../../../../src/core/maths/box.js';
import { MotionAnalyzer, type MotionAnswer } from '../../../../src/model/motion/motion-analyzer.js';
import { hash, Picture } from '../../../support/model/pictures.js';

const [WIDTH, HEIGHT] = [320, 240];
const FPS = 10;
const RED = [80, 100, 200];
const BLUE = [60, 190, 110];
const WHOLE = [0, 0, WIDTH, HEIGHT];

type Painter = (picture: Picture, index: number) => Picture;

/** Results for successive pictures of a film. */
function watch(frames: number, paint: Painter, { fps = FPS, start = street } = {}): MotionAnswer[] {
  const analyzer = new MotionAnalyzer(WIDTH, HEIGHT);
  return Array.from({ length: frames }, (_, index) =>
    analyzer.analyze(paint(start(), index).noise(2, index).pixels, index / fps),
  );
}

function street(): Picture {
  return new Picture(WIDTH, HEIGHT, 130).texture(30);
}

function table(): Picture {
  return new Picture(WIDTH, HEIGHT, 150).box([0, 0, WIDTH, HEIGHT], [150, 120, 140]);
}

/** Best overlap of a proposal with the box (px). */
function found({ proposals }: MotionAnswer, [x, y, w, h]: readonly number[]): number {
  const box: Box = [x! / WIDTH, y! / HEIGHT, w! / WIDTH, h! / HEIGHT];
  return Math.max(0, ...proposals.map((proposal) => iou(proposal.box, box)));
}

const count = (answers: readonly MotionAnswer[]): number =>
  answers.reduce((sum, { proposals }) => sum + proposals.length, 0);

it('finds only moving objects, with boxes as tight as their outlines', () => {
  const at = (index: number): number[] => [20 + 6 * index, 100, 30, 40];
  const answers = watch(30, (picture, index) => (index < 5 ? picture : picture.box(at(index), RED)));
  answers.forEach((answer, index) => {
    if (index < 5) expect(answer.proposals).toEqual([]);
    else expect(found(answer, at(index))).toBeGreaterThan(0.85);
    expect(answer.proposals.length).toBeLessThanOrEqual(1);
    expect(answer).toMatchObject({ camera: undefined, scene: 'clear' });
  });
  expect(answers[20]?.proposals[0]).toMatchObject({ label: 'object', origin: 'motion' });
});

it('does not propose noise, a shadow or a change of exposure', () => {
  const answers = watch(60, (picture, index) => {
    picture.shade([-60 + 6 * index, 60, 50, 50], 0.7);
    return index < 30 ? picture : picture.shade(WHOLE, 0.75);
  });
  expect(count(answers)).toBe(0);
});

it('keeps an object that stops for more than a minute', () => {
  const at = (index: number): number[] => [Math.min(20 + 6 * index, 150), 100, 30, 40];
  const answers = watch(140, (picture, index) => (index < 5 ? picture : picture.box(at(index), RED)), {
    fps: 2,
  });
  expect(found(answers.at(-1)!, at(139))).toBeGreaterThan(0.85);
});

it('leaves no ghost where an object of the first picture stood', () => {
  const at = (index: number): number[] => [60 + 5 * Math.max(0, index - 10), 100, 30, 40];
  const answers = watch(50, (picture, index) => picture.box(at(index), RED), {
    start: () => new Picture(WIDTH, HEIGHT, 130).texture(4),
  });
  answers.slice(25).forEach((answer, n) => {
    expect(found(answer, at(n + 25))).toBeGreaterThan(0.7);
    expect(answer.proposals).toHaveLength(1);
  });
});

it('finds objects on a plain table in the first picture, and follows them when they are pushed', () => {
  const at = (index: number): number[] => [100 + 5 * Math.max(0, index - 10), 100, 24, 24];
  const answers = watch(30, (picture, index) => picture.ball(at(index), BLUE).box([220, 150, 30, 30], RED), {
    start: table,
  });
  answers.forEach((answer, index) => {
    expect(found(answer, at(index))).toBeGreaterThan(0.75);
    expect(found(answer, [220, 150, 30, 30])).toBeGreaterThan(0.75);
    expect(answer.proposals).toHaveLength(2);
  });
});

it('does not propose the pattern of a street', () => {
  expect(count(watch(10, (picture) => picture))).toBe(0);
});

it('does not propose the soft border between two surfaces of a table', () => {
  const [left, right] = [
    [150, 120, 140],
    [90, 140, 110],
  ] as const;
  const start = (): Picture => {
    const picture = new Picture(WIDTH, HEIGHT, 150).box(WHOLE, [...left]);
    picture.box([160, 0, 160, HEIGHT], [...right]);
    picture.box(
      [150, 100, 20, 30],
      left.map((value, k) => (value + right[k]!) / 2),
    );
    return picture;
  };
  const cube = [220, 60, 30, 30];
  const answers = watch(10, (picture) => picture.box(cube, RED), { start });
  for (const answer of answers) {
    expect(answer.proposals).toHaveLength(1);
    expect(found(answer, cube)).toBeGreaterThan(0.8);
  }
});

it('separates two objects while they touch', () => {
  const left = (index: number): number[] => [40 + 5 * Math.min(index, 20), 100, 30, 30];
  const right = (index: number): number[] => [240 - 5 * Math.min(index, 14), 100, 30, 30];
  const answers = watch(
    40,
    (picture, index) => (index === 0 ? picture : picture.box(left(index), RED).box(right(index), BLUE)),
    { start: table },
  );
  answers.slice(25).forEach((answer, n) => {
    expect(found(answer, left(n + 25))).toBeGreaterThan(0.8);
    expect(found(answer, right(n + 25))).toBeGreaterThan(0.8);
  });
});

it('reports the motion of a shaking camera, and proposes only objects that move by themselves', () => {
  const shake = (index: number): [number, number] => [
    Math.round(8 * (hash(index, 1, 1) - 0.5)),
    Math.round(8 * (hash(index, 2, 1) - 0.5)),
  ];
  const at = (index: number): number[] => {
    const [x, y] = shake(index);
    return [20 + 6 * index + x, 100 + y, 30, 40];
  };
  const answers = watch(40, (picture, index) => picture.texture(30, shake(index)).box(at(index), RED), {
    start: () => new Picture(WIDTH, HEIGHT, 130),
  });
  answers.forEach(({ camera }, index) => {
    const [x, y] = shake(index);
    const [u, v] = shake(Math.max(0, index - 1));
    expect(Math.hypot((camera?.[4] ?? 0) - x + u, (camera?.[5] ?? 0) - y + v)).toBeLessThan(0.7);
  });
  const later = answers.slice(10);
  expect(later.filter((answer, n) => found(answer, at(n + 10)) > 0.7).length).toBeGreaterThan(
    0.9 * later.length,
  );
  expect(count(later)).toBeLessThanOrEqual(1.2 * later.length);
});

it('follows a panning camera', () => {
  const answers = watch(40, (picture, index) => picture.texture(30, [-3 * index, 0]), {
    start: () => new Picture(WIDTH, HEIGHT, 130),
  });
  for (const { camera, proposals, scene } of answers.slice(1)) {
    expect(camera?.[4]).toBeCloseTo(-3, 0);
    expect(scene).toBe('clear');
    expect(proposals).toEqual([]);
  }
});

it('does not interpret the motion of a single object on a plain table as camera motion', () => {
  const answers = watch(20, (picture, index) => picture.texture(0).box([40 + 6 * index, 90, 60, 60], RED), {
    start: table,
  });
  expect(answers.map(({ camera }) => camera)).toEqual(Array(20).fill(undefined));
});
