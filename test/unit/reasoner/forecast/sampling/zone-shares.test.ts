import { expect, it } from 'vitest';
import type { Point } from '../../../../../src/core/maths/box.js';
import { inPolygon } from '../../../../../src/core/maths/box.js';
import { zoneIndexOf } from '../../../../../src/core/places-index.js';
import type { DueItem } from '../../../../../src/reasoner/forecast/items.js';
import type { Paths } from '../../../../../src/reasoner/forecast/sampling/paths.js';
import { ZoneShares } from '../../../../../src/reasoner/forecast/sampling/zone-shares.js';
import { Random } from '../../../../../src/reasoner/stats/random.js';
import type { TrackState } from '../../../../../src/reasoner/tracks/track-state.js';

const FRAME = { width: 1920, height: 1080 };
const [N, STEPS, HORIZON] = [128, 40, 30];
/** Comparisons that keep a forecast within its share of the event loop (MAX_TESTS), with the rounding of the stride. */
const LIMIT = 1_300_000;

function wander(random: Random, x: number, y: number): { state: TrackState; paths: Paths } {
  const [xs, ys] = [new Float32Array(N * STEPS), new Float32Array(N * STEPS)];
  for (let i = 0; i < N; i++) {
    const [dx, dy] = [20 * (random.uniform() - 0.5), 20 * (random.uniform() - 0.5)];
    for (let k = 0; k < STEPS; k++) {
      xs[i * STEPS + k] = x + dx * (k + 1);
      ys[i * STEPS + k] = y + dy * (k + 1);
    }
  }
  const none = new Float32Array(STEPS);
  const paths: Paths = {
    n: N,
    steps: STEPS,
    x: xs,
    y: ys,
    meanX: none,
    meanY: none,
    errorX: none,
    errorY: none,
  };
  return { state: { x, y } as TrackState, paths };
}

function star(random: Random, corners: number, radius: number): Point[] {
  return Array.from({ length: corners }, (_, i): Point => {
    const [r, angle] = [radius * (0.5 + 0.5 * random.uniform()), (2 * Math.PI * i) / corners];
    return [0.5 + r * Math.cos(angle), 0.5 + r * Math.sin(angle)];
  });
}

function play(
  objects: number,
  zones: number,
  corners: number,
): { shares: ZoneShares; played: ReturnType<typeof wander>[] } {
  const random = new Random(7);
  const polygons = Array.from({ length: zones }, (_, z): [string, Point[]] => [
    `z${z}`,
    star(random, corners, 0.45),
  ]);
  const places = { zones: Object.fromEntries(polygons), lines: {} };
  const played = Array.from({ length: objects }, () =>
    wander(random, FRAME.width * random.uniform(), FRAME.height * random.uniform()),
  );
  const due = played.flatMap((_, a) => polygons.map(([zone]): DueItem => ({ type: 'zone_enter', a, zone })));
  const shares = new ZoneShares(zoneIndexOf(places, FRAME), played, due, HORIZON);
  for (const { a, zone } of due) shares.of(a, zone ?? '');
  return { shares, played };
}

it('bounds the comparisons of a forecast, however many zones, corners and objects there are', () => {
  for (const [objects, zones, corners] of [
    [50, 64, 64],
    [50, 64, 256],
    [200, 64, 256],
  ] as const)
    expect(play(objects, zones, corners).shares.tests).toBeLessThanOrEqual(LIMIT);
});

it('plays every pair of object and zone once, on all paths, where that is little work', () => {
  const { shares } = play(6, 3, 4);
  const before = shares.tests;
  expect(before).toBeLessThanOrEqual(6 * 3 * N * (HORIZON + 2));
  shares.of(0, 'z0');
  expect(shares.tests).toBe(before);
});

it('counts the paths that enter and leave and hold for 0.2 s, as a direct count does', () => {
  const { shares, played } = play(12, 1, 8);
  const random = new Random(7);
  const polygon = star(random, 8, 0.45).map(([x, y]): Point => [x * FRAME.width, y * FRAME.height]);
  let different = 0;
  for (const [a, { state, paths }] of played.entries()) {
    const now = inPolygon(state.x, state.y, polygon);
    const isInside = (i: number, k: number): boolean =>
      inPolygon(paths.x[i * STEPS + k] ?? 0, paths.y[i * STEPS + k] ?? 0, polygon);
    // Straight paths leave or enter a star for good in most cases: those that hold to the end are counted here.
    let held = 0;
    for (let i = 0; i < N; i++)
      if ([0, 1, 2].every((back) => isInside(i, HORIZON + 1 - back) !== now)) held += 1;
    const { enter, leave } = shares.of(a, 'z0');
    expect(now ? leave : enter).toBeGreaterThanOrEqual(held / N);
    if (held > 0) different += 1;
  }
  expect(different).toBeGreaterThan(2);
});
