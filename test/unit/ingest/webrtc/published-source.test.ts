import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { i420Layout, type Frame } from '../../../../src/core/video/frame.js';
import type { SourceState } from '../../../../src/core/source.js';
import { PublishedSource } from '../../../../src/ingest/webrtc/published-source.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open({ startS = 0, hold = false, capacity = 2 } = {}) {
  const clock = { nowMs: () => performance.now(), wall: () => new Date() };
  let closed = 0;
  const source = new PublishedSource(
    { streamId: 'door', startS, stallMs: 5000, capacity, clock },
    () => (closed += 1),
  );
  const states: SourceState[] = [];
  const frames: Frame[] = [];
  source.state$.subscribe((state) => states.push(state));
  source.frame$.subscribe((frame) => {
    frames.push(frame);
    if (!hold) frame[Symbol.dispose]();
  });
  const show = (width = 4, height = 2, afterMs = 40): void => {
    vi.advanceTimersByTime(afterMs);
    source.take({ width, height, data: new Uint8Array(i420Layout(width, height).byteLength).fill(7) }, 'vp8');
  };
  return { source, states, frames, show, closed: () => closed };
}

describe('PublishedSource', () => {
  it('waits, is live with the first picture, and counts media time from where it is to begin', () => {
    const { states, frames, show } = open({ startS: 12 });
    expect(states).toEqual([{ state: 'connecting', attempt: 0 }]);
    show();
    show();
    expect(states.at(-1)).toEqual({ state: 'live', format: { width: 4, height: 2, fps: 0, codec: 'vp8' } });
    expect(frames.map(({ t }) => t)).toEqual([12, 12.04]);
    expect([...frames[0]!.pixels]).toEqual(new Array(i420Layout(4, 2).byteLength).fill(7));
  });

  it('lets media time go on with the wall while nobody publishes', () => {
    const { source, states, frames, show } = open();
    show();
    source.lose('the publisher has gone');
    source.lose('the publisher has gone');
    expect(states.at(-1)).toMatchObject({
      state: 'reconnecting',
      error: { code: 'source_unreachable', retryable: true },
    });
    show(8, 4, 30_000);
    expect(frames.map(({ t }) => t)).toEqual([0, 30]);
    expect(source.stats()).toMatchObject({ reconnects: 1, delivered: 2, clockJumps: 0 });
    expect(states.at(-1)).toMatchObject({ state: 'live', format: { width: 8 } });
  });

  it('says that a publisher who is there but sends no picture has stalled, and takes it back', () => {
    const { states, frames, show } = open();
    show();
    vi.advanceTimersByTime(6500);
    expect(states.at(-1)).toMatchObject({ state: 'reconnecting', error: { code: 'source_stalled' } });
    show(4, 2, 500);
    expect(states.at(-1)).toMatchObject({ state: 'live' });
    expect(frames.at(-1)?.t).toBeCloseTo(7, 3);
  });

  it('takes pictures of any size, and tells a change of it at most every two seconds', () => {
    const { states, frames, show } = open();
    for (let k = 0; k < 50; k += 1) show(k % 2 === 0 ? 4 : 6, 2, 100);
    expect(frames.map(({ layout }) => layout.width).slice(0, 4)).toEqual([4, 6, 4, 6]);
    expect(states.filter(({ state }) => state === 'live').length).toBeLessThanOrEqual(4);
  });

  it('drops what finds no buffer or is malformed, and counts it', () => {
    const { source, frames, show } = open({ hold: true });
    for (let k = 0; k < 5; k += 1) show();
    source.take({ width: 4, height: 2, data: new Uint8Array(3) }, 'vp8');
    expect(source.stats().dropped).toEqual({ no_buffer: 3, malformed: 1 });
    expect(source.liveFrames).toBe(2);
    for (const frame of frames) frame[Symbol.dispose]();
    expect(source.liveFrames).toBe(0);
  });

  it('scales down what is larger than others are', () => {
    const { frames, show } = open();
    show(3840, 2160);
    expect(frames[0]?.layout).toMatchObject({ width: 1920, height: 1080 });
  });

  it('ends once, and takes nothing afterwards', async () => {
    const { source, states, frames, show, closed } = open();
    show();
    await source.close();
    await source.close();
    show();
    expect([closed(), frames.length, states.at(-1)?.state]).toEqual([1, 1, 'ended']);
    expect(vi.getTimerCount()).toBe(0);
    const refused = vi.fn();
    source.frame$.subscribe({ error: refused });
    expect(refused).toHaveBeenCalledWith(expect.objectContaining({ code: 'source_closed' }));
  });
});
