import type { BackgroundPlanes } from '../background/background.js';
import type { Component } from './components.js';
import type { WorkPlanes } from '../background/planes.js';

/** A step across the rim of a mask is measured to a pixel this far outside, px, because edges are soft. */
const REACH = 2;
/** Maximum step without an edge: sum over luma and chroma, grey levels. */
const FLAT = 9;
/** Minimum step of an edge: sum over luma and chroma, grey levels. */
const EDGE = 22;
/** Minimum share of a ghost's rim where the background has an edge and the picture has none. */
const MIN_SHARE = 0.1;
const MIN_SEEDS = 4;
/** Minimum share of the surroundings that resemble the uncovered pixels more than the background there. */
const ALIKE_SHARE = 0.6;
const RING_SAMPLES = 32;
/** On patterned ground, a step of the picture below this share of the background's step is not an edge. */
const SEED_SHARE = 0.3;
/** Inside, a step of the ground is below this share of the difference between picture and background. */
const GROWTH_SHARE = 0.2;
/** Maximum difference of neighbouring pixels of uncovered ground, grey levels. */
const SMOOTH = 6;
/** Maximum difference of uncovered ground from the rim, grey levels. */
const DRIFT = 26;

interface Seeds {
  readonly at: number[];
  /** The pixel outside next to each seed, as a sample of the ground. */
  readonly ground: number[];
}

/**
 * Removes ghosts: the background contains an object that has departed, so the bare ground becomes foreground. There the rim
 * of the mask is an edge of the background and not of the picture. From such pixels the mask is peeled off as far as the
 * ground continues smoothly, and the background learns the ground at once. This also removes the ghost of an object that has
 * moved by a fraction of its size.
 *
 * @param mask marks of the components; peeled pixels become 0
 * @param background in the frame's pose
 * @param learn called with each pixel that shows bare ground
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
    if (seeds.at.length < MIN_SEEDS || seeds.at.length < MIN_SHARE * rim) continue;
    if (!resemblesGround(background, frame, mask, component, seeds.at)) continue;
    peeled += peel({ background, frame, mask, learn }, seeds);
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
        if (isUncovered(background, frame, k, q)) ground = q;
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

/**
 * Returns true when the seeds resemble their surroundings. Where an object has moved by a fraction of its size, the strip
 * that it newly covers has such a rim towards its old place, too; but the surroundings resemble bare ground and not the
 * object.
 */
function resemblesGround(
  background: BackgroundPlanes,
  frame: WorkPlanes,
  mask: Uint8Array,
  component: Component,
  seeds: readonly number[],
): boolean {
  const ring = ringAround(component, frame, mask);
  let [alike, all] = [0, 0];
  for (const k of seeds) {
    for (const r of ring) {
      all += 1;
      if (frameStep(frame, r, k) < groundStep(background, frame, r, k)) alike += 1;
    }
  }
  return all > 0 && alike >= ALIKE_SHARE * all;
}

/** Returns samples of an ellipse around the component, at a distance of half its longer side. */
function ringAround(
  { left, top, right, bottom }: Component,
  { width, height }: WorkPlanes,
  mask: Uint8Array,
): number[] {
  const away = Math.max(right - left, bottom - top) / 2 + 2 * REACH;
  const [cx, cy] = [(left + right) / 2, (top + bottom) / 2];
  const [rx, ry] = [(right - left) / 2 + away, (bottom - top) / 2 + away];
  const ring: number[] = [];
  for (let n = 0; n < RING_SAMPLES; n += 1) {
    const angle = (2 * Math.PI * n) / RING_SAMPLES;
    const [x, y] = [Math.round(cx + rx * Math.cos(angle)), Math.round(cy + ry * Math.sin(angle))];
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    if (mask[y * width + x] === 0) ring.push(y * width + x);
  }
  return ring;
}

/** Returns true when the background has an edge between the two pixels and the picture has none. */
function isUncovered(background: BackgroundPlanes, frame: WorkPlanes, k: number, q: number): boolean {
  const edge = backgroundStep(background, k, q);
  return edge >= EDGE && frameStep(frame, k, q) <= Math.max(FLAT, SEED_SHARE * edge);
}

interface Ground {
  readonly background: BackgroundPlanes;
  readonly frame: WorkPlanes;
  readonly mask: Uint8Array;
  readonly learn: (k: number) => void;
}

function peel({ background, frame, mask, learn }: Ground, seeds: Seeds): number {
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
      const apart = difference(background, frame, next);
      if (frameStep(frame, k, next) > Math.max(SMOOTH, GROWTH_SHARE * apart)) continue;
      if (frameStep(frame, origin, next) > Math.max(DRIFT, SEED_SHARE * apart)) continue;
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

/** Returns the difference of the frame at `r` and the background at `k`. */
function groundStep(background: BackgroundPlanes, frame: WorkPlanes, r: number, k: number): number {
  return (
    Math.abs((frame.y[r] as number) - (background.y[k] as number)) +
    Math.abs((frame.u[r] as number) - (background.u[k] as number)) +
    Math.abs((frame.v[r] as number) - (background.v[k] as number))
  );
}

function difference(background: BackgroundPlanes, frame: WorkPlanes, k: number): number {
  return (
    Math.abs((background.y[k] as number) - (frame.y[k] as number)) +
    Math.abs((background.u[k] as number) - (frame.u[k] as number)) +
    Math.abs((background.v[k] as number) - (frame.v[k] as number))
  );
}
