import { expect, it } from 'vitest';
import { decodeMask, maskArea } from '../../../../src/core/image/mask.js';
import { enlargeBox, pasteMask } from '../../../../src/model/segment/paste-mask.js';
import { maskSize } from '../../../../src/model/segment/segmenter.js';

const SIDE = 48;

/** A disc of half the grid's side in diameter. */
function disc(): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i % SIDE) + 0.5 - SIDE / 2, Math.floor(i / SIDE) + 0.5 - SIDE / 2];
    return Math.hypot(x, y) < SIDE / 4 ? 1 : 0;
  });
}

it('enlarges a box about its centre', () => {
  expect(enlargeBox([0.2, 0.3, 0.1, 0.2], 0.5)).toEqual([
    expect.closeTo(0.175),
    expect.closeTo(0.25),
    expect.closeTo(0.15),
    expect.closeTo(0.3),
  ]);
});

it('places and scales a shape by its box', () => {
  const size = [200, 400] as const;
  const mask = pasteMask({ probabilities: disc(), side: SIDE, box: [0.25, 0.2, 0.25, 0.6] }, size)!;
  // An ellipse with half axes of a quarter of the box: 25 px across, 30 px down, about (150, 100).
  expect(maskArea(mask) / (Math.PI * 25 * 30)).toBeCloseTo(1, 1);
  const pixels = decodeMask(mask);
  const at = (x: number, y: number) => pixels[y * size[1] + x];
  expect([at(150, 100), at(150, 73), at(150, 127), at(127, 100), at(173, 100)]).toEqual([1, 1, 1, 1, 1]);
  expect([at(150, 65), at(150, 135), at(120, 100), at(180, 100), at(0, 0)]).toEqual([0, 0, 0, 0, 0]);
});

it('cuts a shape at the border of the frame', () => {
  const full = new Float32Array(SIDE * SIDE).fill(1);
  const mask = pasteMask({ probabilities: full, side: SIDE, box: [-0.5, 0.75, 1, 0.5] }, [40, 60])!;
  expect(maskArea(mask)).toBe(30 * 10);
});

it('returns undefined when no px is inside the shape or the frame', () => {
  const full = new Float32Array(SIDE * SIDE).fill(1);
  const none = new Float32Array(SIDE * SIDE).fill(0.49);
  expect(pasteMask({ probabilities: none, side: SIDE, box: [0, 0, 1, 1] }, [40, 60])).toBeUndefined();
  expect(pasteMask({ probabilities: full, side: SIDE, box: [1.5, 0, 1, 1] }, [40, 60])).toBeUndefined();
});

it('has masks of the frame size up to a limit, and of a whole fraction of it beyond', () => {
  expect(maskSize(768, 576)).toEqual([576, 768]);
  expect(maskSize(1920, 1080)).toEqual([540, 960]);
  expect(maskSize(3840, 2160)).toEqual([540, 960]);
  expect(maskSize(1, 1)).toEqual([1, 1]);
});
