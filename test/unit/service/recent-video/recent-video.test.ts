import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadImage } from '@napi-rs/canvas';
import { PresageError } from '../../../../src/core/errors.js';
import { FramePool, i420Layout } from '../../../../src/core/video/frame.js';
import { pxRegion } from '../../../../src/core/image/crop-i420.js';
import { RecentVideo } from '../../../../src/service/recent-video/recent-video.js';
import { addFrame, openRecentVideo } from '../../../support/video/pictures.js';
import { plainFrame } from '../../render/video/frames.js';

/** An encoder that answers when it is told to, with JPEGs of a given size. */
function manualThread(bytes = 1000) {
  const waiting: { settle: () => void; fail: () => void }[] = [];
  return {
    waiting,
    thread: {
      encode: () =>
        new Promise<{ jpeg: Uint8Array; ms: number }>((resolve, reject) => {
          waiting.push({
            settle: () => resolve({ jpeg: new Uint8Array(bytes), ms: 8 }),
            fail: () => reject(new PresageError('worker_crashed', 'a picture worker crashed')),
          });
        }),
    },
  };
}

function add(video: RecentVideo, t: number): void {
  using frame = plainFrame(16, 16, t);
  video.addFrame(frame);
}

describe('RecentVideo', () => {
  it('keeps five pictures a second for twenty seconds, in the resolution and colours of the stream', async () => {
    const { video, thread } = await openRecentVideo();
    for (let k = 0; k < 250; k += 1) await addFrame(video, plainFrame(34, 22, k / 10, [k % 200, 90, 170]));
    expect(video.extent).toEqual({ from: 5, to: 24.8 });
    expect(video.stats()).toMatchObject({ pictures: 100, encoded: 125, evicted: { age: 25, budget: 0 } });
    const picture = video.near(9.5, 0.5)!;
    const jpeg = (await picture.jpeg)!;
    const image = await loadImage(jpeg);
    expect([image.width, image.height]).toEqual([34, 22]);
    const pixels = await thread.cut(jpeg, { left: 0, top: 0, width: 34, height: 22 });
    const { ySize, chromaSize } = i420Layout(34, 22);
    const wanted = [Math.round(picture.t * 10) % 200, 90, 170];
    [pixels[100], pixels[ySize + 5], pixels[ySize + chromaSize + 5]].forEach((value, channel) =>
      expect(Math.abs(value! - wanted[channel]!)).toBeLessThanOrEqual(3),
    );
  });

  it('never takes more bytes than its budget, whatever the frames are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 2000, max: 8000 }),
        async (sizes, maxBytes) => {
          let at = 0;
          const thread = { encode: () => Promise.resolve({ jpeg: new Uint8Array(sizes[at++]!), ms: 1 }) };
          const video = new RecentVideo({ thread, maxBytes });
          for (let k = 0; k < sizes.length; k += 1) {
            add(video, k);
            await video.settle();
            expect(video.stats().bytes).toBeLessThanOrEqual(maxBytes);
          }
          const { pictures, evicted, encoded } = video.stats();
          expect(pictures + evicted.age + evicted.budget).toBe(encoded);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('drops and counts frames while the encoder is busy, and goes on when it is free', async () => {
    const { thread, waiting } = manualThread();
    const video = new RecentVideo({ thread });
    [0, 0.2, 0.4, 0.6].forEach((t) => add(video, t));
    expect(waiting).toHaveLength(2);
    expect(video.stats().dropped).toEqual({ encoder_busy: 2, failed: 0 });
    waiting.forEach(({ settle }) => settle());
    await video.settle();
    add(video, 0.8);
    expect(waiting).toHaveLength(3);
    waiting[2]!.settle();
    await video.settle();
    expect(video.between({ from: 0, to: 1 }).map(({ t }) => t)).toEqual([0, 0.2, 0.8]);
  });

  it('does not hold the lease of a frame while its picture is made', () => {
    const { thread } = manualThread();
    const video = new RecentVideo({ thread });
    const pool = new FramePool(i420Layout(16, 16), 1);
    const frame = pool.lease(pool.take()!, { index: 0, t: 0, receivedAtMs: 0 });
    video.addFrame(frame);
    frame[Symbol.dispose]();
    expect(video.stats().pictures).toBe(1);
    expect(pool.live).toBe(0);
  });

  it('goes on without the picture when the worker crashes over it', async () => {
    const { thread, waiting } = manualThread();
    const video = new RecentVideo({ thread });
    add(video, 0);
    const lost = video.near(0, 1)!;
    waiting[0]!.fail();
    expect(await lost.jpeg).toBeUndefined();
    expect(video.stats()).toMatchObject({ pictures: 0, dropped: { failed: 1 } });
    add(video, 1);
    waiting[1]!.settle();
    await video.settle();
    expect(video.extent).toEqual({ from: 1, to: 1 });
  });

  it('has nothing before the first frame, and nothing near a moment that is too far away', async () => {
    const { video } = await openRecentVideo();
    expect(video.extent).toBeUndefined();
    expect(video.near(0, 10)).toBeUndefined();
    await addFrame(video, plainFrame(16, 16, 3));
    expect(video.near(4, 0.5)).toBeUndefined();
    expect(video.near(3.4, 0.5)?.t).toBe(3);
  });
});

describe('pxRegion', () => {
  it('lies inside the frame, begins on even px and holds what was asked for', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(part, part, part, part),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 1200 }),
        ([x, y, w, h], width, height) => {
          const box = [x, y, w * (1 - x), h * (1 - y)] as const;
          const region = pxRegion(box, { width, height });
          expect([region.left % 2, region.top % 2]).toEqual([0, 0]);
          expect(
            Math.min(region.left, region.top, region.width - 1, region.height - 1),
          ).toBeGreaterThanOrEqual(0);
          expect(region.left + region.width).toBeLessThanOrEqual(width);
          expect(region.top + region.height).toBeLessThanOrEqual(height);
          expect(region.left).toBeLessThanOrEqual(box[0] * width + 1e-6);
          expect(region.left + region.width).toBeGreaterThanOrEqual((box[0] + box[2]) * width - 1e-6);
        },
      ),
    );
  });
});
