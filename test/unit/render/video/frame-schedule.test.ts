import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSchedule, MAX_GAP_S } from '../../../../src/render/video/frame-schedule.js';

const repeats = (fps: number, times: number[]): number[] => {
  const schedule = new FrameSchedule(fps);
  return times.map((t) => schedule.next(t));
};

describe('FrameSchedule', () => {
  it('writes each picture once at the nominal rate', () => {
    expect(repeats(10, [0, 0.1, 0.2, 0.3])).toEqual([0, 1, 1, 1]);
  });

  it('repeats pictures where frames are missing and skips them where they come too fast', () => {
    expect(repeats(10, [0, 0.5, 0.52, 0.6])).toEqual([0, 5, 0, 1]);
  });

  it('starts at the first frame, whenever that is', () => {
    expect(repeats(10, [7.3, 7.4])).toEqual([0, 1]);
  });

  it('shortens a long pause', () => {
    expect(repeats(10, [0, 3600, 3600.1])).toEqual([0, MAX_GAP_S * 10, 1]);
  });

  it('keeps the media time to within half a slot for any times without long pauses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 2, noNaN: true }), { minLength: 1, maxLength: 40 }),
        (gaps) => {
          let t = 0;
          const times = [0, ...gaps.map((gap) => (t += gap))];
          const total = repeats(25, times).reduce((sum, count) => sum + count, 0);
          expect(Math.abs(total / 25 - t)).toBeLessThanOrEqual(0.5 / 25 + 1e-6);
        },
      ),
      { numRuns: 50 },
    );
  });
});
