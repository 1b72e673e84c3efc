import { loadImage } from '@napi-rs/canvas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThumbnailStore } from '../../../../src/render/report/thumbnail-store.js';
import {
  cropAround,
  makeThumbnail,
  THUMBNAIL_HEIGHT,
  THUMBNAIL_WIDTH,
} from '../../../../src/render/report/thumbnails.js';
import { addFrame, openRecentVideo } from '../../../support/video/pictures.js';
import { plainFrame } from '../video/frames.js';

describe('thumbnails', () => {
  it('hold all the boxes, have the shape of the thumbnail and lie inside the frame', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    const box = fc
      .tuple(part, part, part, part)
      .map(([x, y, w, h]) => [x * 700, y * 500, w * 68, h * 76] as const);
    fc.assert(
      fc.property(fc.array(box, { minLength: 1, maxLength: 4 }), (boxes) => {
        const [x, y, w, h] = cropAround(boxes, 768, 576);
        expect(w / h).toBeCloseTo(THUMBNAIL_WIDTH / THUMBNAIL_HEIGHT, 4);
        expect(Math.min(x, y, 768 - x - w, 576 - y - h)).toBeGreaterThanOrEqual(-1e-6);
        for (const one of boxes) {
          expect(one[0]).toBeGreaterThanOrEqual(x - 1e-6);
          expect(one[1] + one[3]).toBeLessThanOrEqual(y + h + 1e-6);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    [768, 576],
    [1, 1],
    [40, 300],
  ])('are small JPEG pictures, of a frame of %i x %i too', async (width, height) => {
    const { video } = await openRecentVideo();
    await addFrame(video, plainFrame(width, height, 3));
    const jpeg = await video.near(3, 0)!.jpeg;
    const thumbnail = await makeThumbnail(jpeg!, 3, [
      { id: 'o1', label: 'person', box: [0.4, 0.4, 0.2, 0.2] },
    ]);
    expect(thumbnail.t).toBe(3);
    expect(thumbnail.data.length).toBeLessThan(30_000);
    const image = await loadImage(Buffer.from(thumbnail.data, 'base64'));
    expect([image.width, image.height]).toEqual([THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT]);
  });
});

describe('ThumbnailStore', () => {
  const make = (size: number) => () => Promise.resolve({ t: 0, data: 'x'.repeat(size) });

  it('is bounded in number and gives up the lightest first', async () => {
    const store = new ThumbnailStore({ count: 2, bytes: 1000 });
    await store.offer('light', 0, make(10));
    await store.offer('heavy', 2, make(10));
    await store.offer('middle', 1, make(10));
    await store.offer('late', 1, () => {
      throw new Error('made in vain');
    });
    expect([store.get('light'), store.get('late')]).toEqual([undefined, undefined]);
    expect([store.count, store.bytes, store.leftOut]).toEqual([2, 20, 2]);
  });

  it('is bounded in bytes', async () => {
    const store = new ThumbnailStore({ count: 100, bytes: 100 });
    for (let i = 0; i < 50; i += 1) await store.offer(`e${i}`, i % 3, make(30));
    expect(store.bytes).toBeLessThanOrEqual(100);
    expect(store.count).toBe(3);
    expect(store.leftOut).toBe(47);
  });
});
