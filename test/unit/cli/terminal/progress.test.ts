import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../src/core/clock.js';
import { clockTime, ProgressBar, type ProgressOptions } from '../../../../src/cli/terminal/progress.js';

function make(options: Partial<ProgressOptions>) {
  const out = new PassThrough();
  const clock = new VirtualClock();
  const bar = new ProgressBar({ out, clock, unicode: true, duration: 80, tty: false, ...options });
  return { bar, clock, text: () => String((out.read() as Buffer | null) ?? '') };
}

describe('ProgressBar', () => {
  it('writes a plain line every ten seconds where there is no terminal', () => {
    const { bar, clock, text } = make({});
    for (let k = 1; k <= 250; k += 1) {
      clock.advance(100);
      bar.update({ frames: k, t: k * 0.2 });
    }
    expect(text()).toBe(
      ' 25 %  0:20 / 1:20 · 100 frames · 2.0× real time · 0:30 left\n 50 %  0:40 / 1:20 · 200 frames · 2.0× real time · 0:20 left\n',
    );
    bar.finish();
    bar.finish();
    expect(text()).toBe('250 frames, 0:50 of video in 0:25 (2.0× real time)\n');
  });

  it('does without the time left when the duration is not known', () => {
    const { bar, clock } = make({ duration: undefined });
    clock.advance(1000);
    bar.update({ frames: 12, t: 12 });
    expect(bar.text()).toBe('0:12 · 12 frames · 12× real time');
  });

  it('draws a bar on a terminal and removes it at the end', () => {
    const { bar, clock, text } = make({ tty: true });
    clock.advance(1000);
    bar.update({ frames: 40, t: 40 });
    bar.above(() => undefined);
    bar.finish();
    const drawn = text();
    expect(drawn).toContain(' 50 %  0:40 / 1:20');
    expect(drawn).toContain('━');
    expect(drawn.endsWith('\r\u001b[K40 frames, 0:40 of video in 0:01 (40× real time)\n')).toBe(true);
  });

  it('never says more than the whole', () => {
    const { bar } = make({ duration: 10 });
    bar.update({ frames: 3, t: 12 });
    expect(bar.text()).toMatch(/^100 %/);
  });
});

describe('clockTime', () => {
  it('has hours only when there are some', () => {
    expect([0, 7.4, 750, 3723].map(clockTime)).toEqual(['0:00', '0:07', '12:30', '1:02:03']);
  });
});
