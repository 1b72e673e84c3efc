import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeCounts,
  decodeMask,
  encodeCounts,
  encodeMask,
  maskArea,
} from '../../../../src/core/image/mask.js';

interface Vector {
  name: string;
  size: [number, number];
  counts: string;
  area: number;
  /** The picture in `#` and `.`; null where it is large. */
  rows: string[] | null;
}
/** Made by test/support/vectors/make-mask-vectors.py with pycocotools. */
const VECTORS = JSON.parse(readFileSync(new URL('./mask-vectors.json', import.meta.url), 'utf8')) as Vector[];

const sides = fc.record({ width: fc.integer({ min: 1, max: 24 }), height: fc.integer({ min: 1, max: 24 }) });
const pictures = sides.chain(({ width, height }) =>
  fc.record({
    size: fc.constant([height, width] as const),
    pixels: fc.uint8Array({ min: 0, max: 1, minLength: width * height, maxLength: width * height }),
  }),
);

describe('masks and the reference implementation', () => {
  it.each(VECTORS)('encodes and decodes "$name" to the same text and px', ({ size, counts, area, rows }) => {
    const pixels = decodeMask({ size, counts });
    if (rows) expect(Array.from(pixels, (px) => (px ? '#' : '.')).join('')).toBe(rows.join(''));
    const [height, width] = size;
    const again = encodeMask(size, { left: 0, top: 0, width, height, inside: pixels });
    expect(again).toEqual({ size, counts });
    expect(maskArea({ size, counts })).toBe(area);
    expect(pixels.reduce((sum, px) => sum + px, 0)).toBe(area);
  });
});

it('decodes every encoded picture to itself', () => {
  fc.assert(
    fc.property(pictures, ({ size, pixels }) => {
      const [height, width] = size;
      const mask = encodeMask(size, { left: 0, top: 0, width, height, inside: pixels });
      expect(decodeMask(mask)).toEqual(pixels);
    }),
  );
});

it('encodes a region as the whole frame with background around it', () => {
  const placed = fc.tuple(pictures, sides, sides);
  fc.assert(
    fc.property(placed, ([{ size, pixels }, before, after]) => {
      const [height, width] = size;
      const [left, top] = [before.width - 1, before.height - 1];
      const frame: [number, number] = [top + height + after.height - 1, left + width + after.width - 1];
      const whole = new Uint8Array(frame[0] * frame[1]);
      for (let y = 0; y < height; y++)
        whole.set(pixels.subarray(y * width, (y + 1) * width), (top + y) * frame[1] + left);
      const all = { left: 0, top: 0, width: frame[1], height: frame[0], inside: whole };
      expect(encodeMask(frame, { left, top, width, height, inside: pixels })).toEqual(encodeMask(frame, all));
    }),
  );
});

it('preserves lists of runs of any length', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 28 })), (runs) => {
      expect(decodeCounts(encodeCounts(runs))).toEqual(runs);
    }),
  );
});

it.each([
  ['characters that are none of its own', 'a~ü'],
  ['a count that never ends', 'oooooooooooo'],
  ['a text that breaks off', 'o'],
])('refuses %s', (_, counts) => {
  expect(() => decodeCounts(counts)).toThrow(expect.objectContaining({ code: 'bad_request' }));
});

it('rejects runs that do not fill the frame, or overflow it', () => {
  for (const runs of [[3], [30], [1, 2], []])
    expect(() => decodeMask({ size: [4, 5], counts: encodeCounts(runs) })).toThrow(
      expect.objectContaining({ code: 'bad_request' }),
    );
});

it('rejects a region that does not lie inside its frame', () => {
  const inside = new Uint8Array(4);
  expect(() => encodeMask([3, 3], { left: 2, top: 0, width: 2, height: 2, inside })).toThrow(RangeError);
  expect(() => encodeMask([3, 3], { left: 0, top: 0, width: 3, height: 2, inside })).toThrow(RangeError);
});
