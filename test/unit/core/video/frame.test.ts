import { describe, expect, it } from 'vitest';
import { FramePool, i420Layout } from '../../../../src/core/video/frame.js';

const meta = { index: 0, t: 0, receivedAtMs: 0 };

describe('i420Layout', () => {
  it('rounds chroma planes up for odd sizes', () => {
    expect(i420Layout(5, 3)).toMatchObject({ chromaWidth: 3, chromaHeight: 2, byteLength: 15 + 2 * 6 });
    expect(i420Layout(1, 1).byteLength).toBe(3);
  });
});

describe('FramePool', () => {
  it('provides at most its capacity and reuses a buffer when its last lease is disposed', async () => {
    const pool = new FramePool(i420Layout(4, 4), 1);
    const pixels = pool.take()!;
    expect(pool.take()).toBeUndefined();
    const frame = pool.lease(pixels, meta);
    const other = frame.retain();
    const free = pool.whenFree();
    frame[Symbol.dispose]();
    frame[Symbol.dispose]();
    expect(pool.live).toBe(1);
    other[Symbol.dispose]();
    await free;
    expect(pool.live).toBe(0);
    expect(pool.take()).toBe(pixels);
  });

  it('throws when a disposed frame is retained', () => {
    const pool = new FramePool(i420Layout(2, 2), 1);
    const frame = pool.lease(pool.take()!, meta);
    frame[Symbol.dispose]();
    expect(() => frame.retain()).toThrow(/disposed/);
  });

  it('wakes one waiter per buffer that becomes free', async () => {
    const pool = new FramePool(i420Layout(2, 2), 2);
    const frames = [pool.lease(pool.take()!, meta), pool.lease(pool.take()!, meta)];
    let woken = 0;
    const waiting = [pool.whenFree(), pool.whenFree()].map((free) => free.then(() => (woken += 1)));
    frames[0]![Symbol.dispose]();
    await waiting[0];
    expect(woken).toBe(1);
    frames[1]![Symbol.dispose]();
    await waiting[1];
    expect(woken).toBe(2);
  });

  it('rejects a capacity that is not a positive whole number', () => {
    expect(() => new FramePool(i420Layout(2, 2), 0)).toThrow(RangeError);
  });
});
