import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fitLetterbox } from '../../../../src/model/detector/letterbox.js';

it('fits a 4:3 picture into the smallest canvas of whole strides', () => {
  expect(fitLetterbox(768, 576, 416)).toEqual({
    contentWidth: 416,
    contentHeight: 312,
    canvasWidth: 416,
    canvasHeight: 320,
  });
});

it('fits a portrait picture into an upright canvas', () => {
  expect(fitLetterbox(1080, 1920, 640)).toMatchObject({
    contentWidth: 360,
    contentHeight: 640,
    canvasWidth: 384,
  });
});

it.each([
  [1, 1],
  [10_000, 1],
  [1, 10_000],
  [7680, 4320],
])('gives a %i × %i picture at least one pixel and a canvas that contains it', (width, height) => {
  const fit = fitLetterbox(width, height, 416);
  expect(Math.min(fit.contentWidth, fit.contentHeight)).toBeGreaterThanOrEqual(1);
  expect(fit.canvasWidth).toBeLessThanOrEqual(416);
  expect(fit.canvasHeight).toBeLessThanOrEqual(416);
});

it('makes canvas sides multiples of 32 that exceed the content by less than one step', () => {
  const side = fc.integer({ min: 1, max: 9000 });
  fc.assert(
    fc.property(side, side, fc.integer({ min: 5, max: 60 }), (width, height, steps) => {
      const fit = fitLetterbox(width, height, steps * 32);
      for (const [content, canvas] of [
        [fit.contentWidth, fit.canvasWidth],
        [fit.contentHeight, fit.canvasHeight],
      ] as const) {
        expect(canvas % 32).toBe(0);
        expect(canvas - content).toBeGreaterThanOrEqual(0);
        expect(canvas - content).toBeLessThan(32);
      }
    }),
  );
});
