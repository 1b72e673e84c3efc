import { loadImage } from '@napi-rs/canvas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EvidenceRing } from '../../../../src/app/report/evidence-ring.js';
import { ThumbnailStore } from '../../../../src/app/report/thumbnail-store.js';
import {
  cropAround,
  makeThumbnail,
  THUMBNAIL_HEIGHT,
  THUMBNAIL_WIDTH,
} from '../../../../src/app/report/thumbnails.js';
import { plainFrame } from '../render/frames.js';

describe('EvidenceRing', () => {
  it('keeps five frames a second for four seconds, in buffers that are used again', () => {
    const ring = new EvidenceRing();
    const buffers = new Set<ArrayBufferLike>();
    for (let k = 0; k < 300; k += 1) {
      using frame = plainFrame(16, 16, k / 30, [k % 256, 128, 128]);
      ring.add(frame);
      buffers.add(ring.near(frame.t)!.pixels.buffer);
    }
    expect(ring.size).toBe(20);
    expect(buffers.size).toBe(20);
    expect(ring.near(9.5)!.t).toBeCloseTo(9.5, 0);
    expect(ring.near(0)!.t).toBeGreaterThan(5.8);
    const kept = ring.near(9)!;
    expect(kept.pixels[0]).toBe(Math.round(kept.t * 30) % 256);
  });

  it.each([
    [1920, 1080, 960, 540],
    [1001, 7, 500, 3],
    [961, 1, 480, 1],
  ])('makes %i x %i smaller, %i x %i, without a change of colour', (width, height, toWidth, toHeight) => {
    const ring = new EvidenceRing();
    using frame = plainFrame(width, height, 0, [81, 90, 240]);
    ring.add(frame);
    const { layout, pixels } = ring.near(0)!;
    expect([layout.width, layout.height]).toEqual([toWidth, toHeight]);
    expect([pixels[0], pixels[layout.ySize], pixels.at(-1)]).toEqual([81, 90, 240]);
    expect(new Set(pixels)).toEqual(new Set([81, 90, 240]));
  });

  it('has nothing before the first frame', () => {
    expect(new EvidenceRing().near(1)).toBeUndefined();
  });
});

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
    const ring = new EvidenceRing();
    using frame = plainFrame(width, height, 3);
    ring.add(frame);
    const thumbnail = makeThumbnail(ring.near(3)!, [
      { id: 'o1', label: 'person', box: [0.4, 0.4, 0.2, 0.2] },
    ]);
    expect(thumbnail.t).toBe(3);
    expect(thumbnail.data.length).toBeLessThan(30_000);
    const image = await loadImage(Buffer.from(thumbnail.data, 'base64'));
    expect([image.width, image.height]).toEqual([THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT]);
  });
});

describe('ThumbnailStore', () => {
  const make = (size: number) => () => ({ t: 0, data: 'x'.repeat(size) });

  it('is bounded in number and gives up the lightest first', () => {
    const store = new ThumbnailStore({ count: 2, bytes: 1000 });
    store.offer('light', 0, make(10));
    store.offer('heavy', 2, make(10));
    store.offer('middle', 1, make(10));
    store.offer('late', 1, () => {
      throw new Error('made in vain');
    });
    expect([store.get('light'), store.get('late')]).toEqual([undefined, undefined]);
    expect([store.count, store.bytes, store.leftOut]).toEqual([2, 20, 2]);
  });

  it('is bounded in bytes', () => {
    const store = new ThumbnailStore({ count: 100, bytes: 100 });
    for (let i = 0; i < 50; i += 1) store.offer(`e${i}`, i % 3, make(30));
    expect(store.bytes).toBeLessThanOrEqual(100);
    expect(store.count).toBe(3);
    expect(store.leftOut).toBe(47);
  });
});
