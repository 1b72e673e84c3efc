import { describe, expect, it } from 'vitest';
import { person, play, wobble, type Scene } from './drawn.js';

/** Slope of a least-squares line, px/s. */
function slope(points: readonly (readonly [t: number, x: number])[]): number {
  const mean = (k: 0 | 1): number => points.reduce((sum, point) => sum + point[k], 0) / points.length;
  const [t0, x0] = [mean(0), mean(1)];
  const above = points.reduce((sum, [t, x]) => sum + (t - t0) * (x - x0), 0);
  return above / points.reduce((sum, [t]) => sum + (t - t0) ** 2, 0);
}

/** Bottom centre of the only track over time, through a detector with 3 % jitter of a body height of 100 px. */
function feet(x: (t: number) => number, fps: number, to: number): [t: number, x: number][] {
  const scene: Scene = (t) => {
    const { box } = person(x(t));
    const noise = (seed: number): number => 5 * wobble(t, seed);
    return [{ box: [box[0] + noise(1), box[1] + noise(2), box[2] + noise(3), box[3] + noise(4)] }];
  };
  return play(scene, { fps, to }).flatMap(({ t, tracks }) =>
    tracks.map(({ box }): [number, number] => [t, box[0] + box[2] / 2]),
  );
}

function speeds(points: readonly (readonly [number, number])[]): [t: number, speed: number][] {
  return points.map(([t]) => [t, slope(points.filter(([s]) => s <= t && s > t - 0.65)) / 100]);
}

describe('the box of a track', () => {
  it.each([10, 25])('stands still while the detections of a standing object jitter at %s fps', (fps) => {
    const still = speeds(feet(() => 500, fps, 12)).filter(([t]) => t > 2);
    expect(Math.max(...still.map(([, speed]) => Math.abs(speed)))).toBeLessThan(0.15);
  });

  it('moves evenly, and without lag, with an object that moves evenly', () => {
    const points = feet((t) => 100 + 80 * t, 10, 8).filter(([t]) => t > 2);
    for (const [t, x] of points) expect(Math.abs(x - 100 - 80 * t)).toBeLessThan(6);
    for (const [, speed] of speeds(points).slice(6)) expect(Math.abs(speed - 0.8)).toBeLessThan(0.2);
  });

  it.each([10, 60])('stops within half a second of a sudden stop at %s fps', (fps) => {
    const points = feet((t) => 100 + 80 * Math.min(t, 5), fps, 8);
    for (const [t, x] of points) if (t > 5.5) expect(Math.abs(x - 500)).toBeLessThan(8);
    const slow = speeds(points).find(([t, speed]) => t > 4 && speed < 0.15);
    expect(slow?.[0]).toBeLessThan(6);
  });

  it('follows a bounce', () => {
    const points = feet((t) => 300 + 150 * (t < 1.5 ? t : 3 - t), 25, 3);
    for (const [t, x] of points) {
      if (t > 1) expect(Math.abs(x - 300 - 150 * (t < 1.5 ? t : 3 - t))).toBeLessThan(150 * 0.25); // a quarter second of motion
    }
    expect(points.filter(([t]) => t > 2.2).every(([t, x]) => Math.abs(x - 300 - 150 * (3 - t)) < 10)).toBe(
      true,
    );
  });
});
