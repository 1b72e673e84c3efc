import { expect, it } from 'vitest';
import { SCENE_GRIDS, GRID_LENGTH } from '../../../../src/model/perception/scene-encoder.js';
import { SceneWindow } from '../../../../src/model/perception/scene-window.js';

const grid = (value: number): Float32Array => new Float32Array(GRID_LENGTH).fill(value);

/** Runs frames through a window: times that wanted a grid, and for each clip its time and the first value of each grid. */
function run(times: readonly number[], window = new SceneWindow()) {
  const wanted = times.filter((t) => window.isDue(t));
  const clips = wanted.flatMap((t) => {
    const clip = window.add(t, grid(t));
    return clip ? [{ t, held: Array.from({ length: SCENE_GRIDS }, (_, i) => clip[i * GRID_LENGTH]!) }] : [];
  });
  return { wanted, clips };
}

const every = (step: number, until: number): number[] =>
  Array.from({ length: Math.round(until / step) + 1 }, (_, i) => i * step);

it('wants four grids a second and makes a clip once a second, whatever the frame rate', () => {
  for (const fps of [5, 7, 10, 25, 60]) {
    const { wanted, clips } = run(every(1 / fps, 10));
    expect(wanted.length).toBe(41);
    expect(clips.map(({ t }) => Math.floor(t + 1e-6))).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  }
});

it('holds the last four seconds, oldest first', () => {
  const { clips } = run(every(0.25, 5));
  expect(clips[0]).toEqual({ t: 3.75, held: every(0.25, 3.75) });
  expect(clips.at(-1)!.held).toEqual(every(0.25, 3.75).map((t) => t + 1.25));
});

it('holds the newest grid where frames come more slowly than it ticks', () => {
  const { clips } = run(every(1, 6));
  expect(clips[0]).toEqual({ t: 4, held: [...[0, 1, 2, 3].flatMap((t) => [t, t, t, t]).slice(1), 4] });
});

it('begins anew after a gap that is longer than a clip, and when the scene is another one', () => {
  const later = every(0.25, 4).map((t) => t + 20);
  const afterGap = run([...every(0.25, 5), ...later]).clips.filter(({ t }) => t >= 20);
  expect(afterGap[0]!.held).toEqual(later.slice(0, SCENE_GRIDS));
  const window = new SceneWindow();
  run(every(0.25, 5), window);
  window.clear();
  const cut = every(0.25, 4).map((t) => t + 5.25);
  expect(run(cut, window).clips[0]!.held).toEqual(cut.slice(0, SCENE_GRIDS));
});
