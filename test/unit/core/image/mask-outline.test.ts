import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maskOutlines } from '../../../../src/core/image/mask-outline.js';
import type { Point } from '../../../../src/core/maths/box.js';
import { encodeMask } from '../../../../src/core/image/mask.js';

function outlinesOf(rows: readonly string[]): Point[][] {
  const [height, width] = [rows.length, rows[0]?.length ?? 0];
  const inside = Uint8Array.from(rows.join('').match(/./g) ?? [], (px) => (px === '#' ? 1 : 0));
  const mask = encodeMask([height, width], { left: 0, top: 0, width, height, inside });
  return maskOutlines(mask).map((outline) =>
    outline.map(([x, y]): Point => [Math.round(x * width), Math.round(y * height)]),
  );
}

/** Twice the area by the shoelace formula; positive where the outline is clockwise on the screen. */
function signedArea(outline: readonly Point[]): number {
  return outline.reduce((sum, [x, y], index) => {
    const [nextX, nextY] = outline[(index + 1) % outline.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
}

it('follows the edges of a px clockwise', () => {
  expect(outlinesOf(['...', '.#.', '...'])).toEqual([
    [
      [2, 1],
      [2, 2],
      [1, 2],
      [1, 1],
    ],
  ]);
});

it('follows holes counter-clockwise, and separate areas one by one', () => {
  const outlines = outlinesOf(['#####.#', '#...#..', '#####..']);
  expect(outlines.map((outline) => Math.sign(signedArea(outline)))).toEqual([1, 1, -1]);
});

it('returns no outline for an empty mask', () => {
  expect(outlinesOf(['...', '...'])).toEqual([]);
});

it('encloses exactly the px of every mask', () => {
  const pictures = fc.array(
    fc.array(fc.constantFrom('#', '.'), { minLength: 7, maxLength: 7 }).map((row) => row.join('')),
    { minLength: 1, maxLength: 7 },
  );
  fc.assert(
    fc.property(pictures, (rows) => {
      const area = rows.join('').replaceAll('.', '').length;
      expect(outlinesOf(rows).reduce((sum, outline) => sum + signedArea(outline), 0)).toBe(2 * area);
    }),
  );
});
