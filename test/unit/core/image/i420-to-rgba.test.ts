import { describe, expect, it } from 'vitest';
import { i420Layout } from '../../../../src/core/video/frame.js';
import { i420ToRgba } from '../../../../src/core/image/i420-to-rgba.js';

function convert(width: number, height: number, planes: number[]): number[][] {
  const out = new Uint32Array(width * height);
  i420ToRgba(Uint8Array.from(planes), i420Layout(width, height), out);
  const bytes = new Uint8Array(out.buffer);
  return Array.from({ length: width * height }, (_, i) => [...bytes.subarray(i * 4, i * 4 + 4)]);
}

describe('i420ToRgba', () => {
  it.each([
    ['black', [16, 128, 128], [0, 0, 0]],
    ['white', [235, 128, 128], [255, 255, 255]],
    ['grey', [126, 128, 128], [128, 128, 128]],
    ['red', [81, 90, 240], [255, 0, 0]],
    ['green', [145, 54, 34], [0, 255, 0]],
    ['blue', [41, 240, 110], [0, 0, 255]],
  ])('converts BT.601 %s', (_name, yuv, rgb) => {
    const pixel = convert(1, 1, yuv)[0]!;
    expect(pixel[3]).toBe(255);
    rgb.forEach((value, channel) => expect(Math.abs(pixel[channel]! - value)).toBeLessThanOrEqual(2));
  });

  it('stays in range for values outside the limited range', () => {
    for (const y of [0, 255]) {
      for (const u of [0, 255])
        for (const v of [0, 255]) {
          const [r, g, b, a] = convert(1, 1, [y, u, v])[0]!;
          const exact = [
            1.164 * (y - 16) + 1.596 * (v - 128),
            1.164 * (y - 16) - 0.392 * (u - 128) - 0.813 * (v - 128),
            1.164 * (y - 16) + 2.017 * (u - 128),
          ].map((value) => Math.min(Math.max(value, 0), 255));
          expect(a).toBe(255);
          [r, g, b].forEach((value, i) => expect(Math.abs(value! - exact[i]!)).toBeLessThan(1.6));
        }
    }
  });

  it('shares chroma between neighbours, the last odd column and row included', () => {
    // 3x3: chroma 2x2; the right column and the bottom row have chroma of their own.
    const luma = Array.from({ length: 9 }, () => 81);
    const pixels = convert(3, 3, [...luma, 90, 128, 128, 128, 240, 128, 128, 128]);
    const isRed = pixels.map(([r, g]) => r! > 200 && g! < 30);
    expect(isRed).toEqual([true, true, false, true, true, false, false, false, false]);
  });

  it('rejects buffers that are too small', () => {
    expect(() => i420ToRgba(new Uint8Array(5), i420Layout(2, 2), new Uint32Array(4))).toThrow(RangeError);
    expect(() => i420ToRgba(new Uint8Array(6), i420Layout(2, 2), new Uint32Array(3))).toThrow(RangeError);
  });
});
