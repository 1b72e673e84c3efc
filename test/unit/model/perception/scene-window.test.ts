import { expect, it } from 'vitest';
import { SCENE_GRIDS, GRID_LENGTH } from '../../../../src/model/perception/scene-encoder.js';
import { SceneWindow } from '../../../../src/model/perception/scene-window.js';

const grid = (value: number): Float32Array => new Float32Array(GRID_LENGTH).fill(value);

/** Runs frames through a window: times of due grids, and for each scene its time and the first value of each grid. */
function run(times: readonly number[], window = new SceneWindow()) {
  const due = times.filter((t) => window.isDue(t));
  const scenes = due.flatMap((t) => {
    const grids = window.add(t, grid(t));
    return grids ? [{ t, held: Array.from({ length: SCENE_GRIDS }, (_, i) => grids[i * GRID_LENGTH]!) }] : [];
  });
  return { due, scenes };
}

const every = (step: number, until: number): number[] =>
  Array.from({ length: Math.round(until / step) + 1 }, (_, i) => i * step);

it('requests four grids and returns one scene per second at any frame rate', () => {
  for (const fps of [5, 7, 10, 25, 60]) {
    const { due, scenes } = run(every(1 / fps, 10));
    expect(due.length).toBe(41);
    expect(scenes.map(({ t }) => Math.floor(t + 1e-6))).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  }
});

it('contains the last four seconds, oldest first', () => {
  const { scenes } = run(every(0.25, 5));
  expect(scenes[0]).toEqual({ t: 3.75, held: every(0.25, 3.75) });
  expect(scenes.at(-1)!.held).toEqual(every(0.25, 3.75).map((t) => t + 1.25));
});

it('repeats the newest grid where frames are slower than its ticks', () => {
  const { scenes } = run(every(1, 6));
  expect(scenes[0]).toEqual({ t: 4, held: [...[0, 1, 2, 3].flatMap((t) => [t, t, t, t]).slice(1), 4] });
});

it('starts again after a gap longer than the window, and when the scene changes', () => {
  const later = every(0.25, 4).map((t) => t + 20);
  const afterGap = run([...every(0.25, 5), ...later]).scenes.filter(({ t }) => t >= 20);
  expect(afterGap[0]!.held).toEqual(later.slice(0, SCENE_GRIDS));
  const window = new SceneWindow();
  run(every(0.25, 5), window);
  window.clear();
  const cut = every(0.25, 4).map((t) => t + 5.25);
  expect(run(cut, window).scenes[0]!.held).toEqual(cut.slice(0, SCENE_GRIDS));
});
