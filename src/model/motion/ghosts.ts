import type { BackgroundPlanes } from './background.js';
import type { Component } from './components.js';
import type { WorkPlanes } from './planes.js';

/** A step across the rim of a mask is told from the pixel and one this far outside, px: edges are that soft. */
const REACH = 2;
/** A step smaller than this is none, a larger one than that is an edge: sum over luma and chroma, grey levels. */
const FLAT = 9;
const EDGE = 22;
/** A region is (partly) a ghost when this share of its rim is where the background has an edge and the picture none. */
const LEAST_SHARE = 0.15;
const LEAST_SEEDS = 4;
/** The uncovered ground goes on as long as neighbours differ by less than this, and from the rim by less than that. */
const SMOOTH = 6;
const DRIFT = 26;

interface Seeds {
  readonly at: number[];
  /** Pixels outside, next to each seed: what the ground looks like there. */
  readonly ground: number[];
}

/**
 * Ghosts: the background holds an object that has gone, so the bare ground stands out. There the rim of the mask is an
 * edge of the background and not of the picture. From such places the mask is peeled off as far as the ground goes on
 * smoothly, and the background learns the ground at once. What has moved by a part of its size is freed of its ghost, too.
 *
 * @param mask marks of the components; peeled pixels become 0
 * @param background in the frame's pose
 * @param learn is told each pixel that shows bare ground
 * @returns number of pixels peeled off
 */
export function peelGhosts(
  background: BackgroundPlanes,
  frame: WorkPlanes,
  mask: Uint8Array,
  components: readonly Component[],
  learn: (k: number) => void,
): number {
  let peeled = 0;
  for (const component of components) {
    const { seeds, rim } = findSeeds(background, frame, mask, component);
    if (seeds.at.length < LEAST_SEEDS || seeds.at.length < LEAST_SHARE * rim) continue;
    peeled += peel(frame, mask, seeds, learn);
  }
  return peeled;
}

function findSeeds(
  background: BackgroundPlanes,
  frame: WorkPlanes,
  mask: Uint8Array,
  { runs }: Component,
): { seeds: Seeds; rim: number } {
  const { width, height } = frame;
  const seeds: Seeds = { at: [], ground: [] };
  let rim = 0;
  for (const { row, from, to } of runs) {
    for (let x = from; x < to; x += 1) {
      const k = row * width + x;
      let onRim = false;
      let ground = -1;
      for (const [dx, dy] of SIDES) {
        const [nx, ny] = [x + dx, row + dy];
        const [fx, fy] = [x + REACH * dx, row + REACH * dy];
        if (fx < 0 || fy < 0 || fx >= width || fy >= height) continue;
        const q = fy * width + fx;
        if (mask[ny * width + nx] !== 0 || mask[q] !== 0) continue;
        onRim = true;
        if (frameStep(frame, k, q) <= FLAT && backgroundStep(background, k, q) >= EDGE) ground = q;
      }
      if (onRim) rim += 1;
      if (ground < 0) continue;
      seeds.at.push(k);
      seeds.ground.push(ground);
    }
  }
  return { seeds, rim };
}

const SIDES = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const;

function peel(frame: WorkPlanes, mask: Uint8Array, seeds: Seeds, learn: (k: number) => void): number {
  const { width, height } = frame;
  const queue = [...seeds.at];
  const ground = [...seeds.ground];
  queue.forEach((k) => (mask[k] = 0));
  for (let head = 0; head < queue.length; head += 1) {
    const k = queue[head] as number;
    const origin = ground[head] as number;
    learn(k);
    const x = k % width;
    const y = (k - x) / width;
    for (const [dx, dy] of SIDES) {
      if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
      const next = k + dy * width + dx;
      if (mask[next] === 0) continue;
      if (frameStep(frame, k, next) > SMOOTH || frameStep(frame, origin, next) > DRIFT) continue;
      mask[next] = 0;
      queue.push(next);
      ground.push(origin);
    }
  }
  return queue.length;
}

function frameStep({ y, u, v }: WorkPlanes, k: number, q: number): number {
  return (
    Math.abs((y[k] as number) - (y[q] as number)) +
    Math.abs((u[k] as number) - (u[q] as number)) +
    Math.abs((v[k] as number) - (v[q] as number))
  );
}

function backgroundStep({ y, u, v }: BackgroundPlanes, k: number, q: number): number {
  return (
    Math.abs((y[k] as number) - (y[q] as number)) +
    Math.abs((u[k] as number) - (u[q] as number)) +
    Math.abs((v[k] as number) - (v[q] as number))
  );
}
