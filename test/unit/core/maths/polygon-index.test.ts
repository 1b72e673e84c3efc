import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inPolygon, type Point } from '../../../../src/core/maths/box.js';
import { FrameGrid, PolygonIndex } from '../../../../src/core/maths/polygon-index.js';

const FRAME = { width: 640, height: 360 };
/** Corners and positions on cell borders and on each other are the hard cases; some lie outside the frame. */
const coordinate = (size: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.double({ min: -0.2 * size, max: 1.2 * size, noNaN: true }),
    fc.integer({ min: -2, max: 66 }).map((cell) => (cell * size) / 64),
  );
const point = fc.tuple(coordinate(FRAME.width), coordinate(FRAME.height));

it('decides as the even-odd rule does, for any polygon and position', () => {
  fc.assert(
    fc.property(
      fc.array(point, { minLength: 3, maxLength: 24 }),
      fc.array(point, { maxLength: 40 }),
      (corners, positions) => {
        const polygon: readonly Point[] = corners;
        const grid = new FrameGrid(FRAME);
        const index = new PolygonIndex(polygon, grid);
        for (const [x, y] of [...positions, ...corners])
          expect(index.contains(x, y, grid.cellAt(x, y))).toBe(inPolygon(x, y, polygon));
      },
    ),
    { numRuns: 1500 },
  );
});

it('bounds its polygon', () => {
  const index = new PolygonIndex(
    [
      [10, 20],
      [110, 40],
      [60, 200],
    ],
    new FrameGrid(FRAME),
  );
  expect(index.bounds).toEqual([10, 20, 110, 200]);
});
