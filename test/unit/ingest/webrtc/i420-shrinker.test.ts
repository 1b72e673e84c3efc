import { describe, expect, it } from 'vitest';
import { i420Layout } from '../../../../src/core/video/frame.js';
import { fitWithin, I420Shrinker } from '../../../../src/ingest/webrtc/i420-shrinker.js';

describe('fitWithin', () => {
  it.each([
    [640, 360, 640, 360],
    [1920, 1080, 1280, 720],
    [1080, 1920, 405, 720],
    [5000, 10, 1280, 3],
    [4000, 1, 1280, 1],
  ])('fits %i × %i as %i × %i', (width, height, w, h) => {
    expect(fitWithin({ width, height }, { width: 1280, height: 720 })).toEqual({ width: w, height: h });
  });
});

describe('I420Shrinker', () => {
  it('hands on what fits, without a copy', () => {
    const data = new Uint8Array(i420Layout(6, 4).byteLength);
    expect(new I420Shrinker(6, 4).shrink({ width: 6, height: 4, data })).toBe(data);
  });

  it('keeps each plane its colour, with odd sizes, too', () => {
    const from = i420Layout(31, 17);
    const data = new Uint8Array(from.byteLength).fill(200);
    data.fill(60, from.ySize, from.ySize + from.chromaSize).fill(90, from.ySize + from.chromaSize);
    const to = i420Layout(15, 8);
    const out = new I420Shrinker(15, 15).shrink({ width: 31, height: 17, data });
    expect(out.length).toBe(to.byteLength);
    expect(new Set(out.subarray(0, to.ySize))).toEqual(new Set([200]));
    expect(new Set(out.subarray(to.ySize, to.ySize + to.chromaSize))).toEqual(new Set([60]));
    expect(new Set(out.subarray(to.ySize + to.chromaSize))).toEqual(new Set([90]));
  });

  it('keeps things where they are, and mixes what becomes one pixel', () => {
    const from = i420Layout(8, 4);
    const data = new Uint8Array(from.byteLength);
    for (let y = 0; y < 4; y += 1) for (let x = 4; x < 8; x += 1) data[y * 8 + x] = x % 2 === 0 ? 100 : 200;
    const out = new I420Shrinker(4, 2).shrink({ width: 8, height: 4, data });
    expect([...out.subarray(0, 8)]).toEqual([0, 0, 150, 150, 0, 0, 150, 150]);
  });
});
