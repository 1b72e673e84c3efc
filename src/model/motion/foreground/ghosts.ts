import type { BackgroundPlanes } from '../background/background.js';
import type { Component } from './components.js';
import type { WorkPlanes } from '../background/planes.js';

/** A step across the rim of a mask is told from the pixel and one this far outside, px: edges are that soft. */
const REACH = 2;
/** A step smaller than this is none, a larger one than that is an edge: sum over luma and chroma, grey levels. */
const FLAT = 9;
const EDGE = 22;
/** A region is (partly) a ghost when this share of its rim is where the background has an edge and the picture none. */
const MIN_SHARE = 0.1;
const MIN_SEEDS = 4;
/** Of the surroundings, this share must look more like what is uncovered than like what the background holds there. */
const ALIKE_SHARE = 0.6;
const RING_SAMPLES = 32;
/** Patterned ground: a step of the picture is none when it is below this share of the background's there. */
const SEED_SHARE = 0.3;
/** The same inside: share of the difference between picture and background that a step of the ground stays below. */
const GROWTH_SHARE = 0.2;
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
    if (seeds.at.length < MIN_SEEDS || seeds.at.length < MIN_SHARE * rim) continue;
    if (!looksLikeGround(background, frame, mask, component, seeds.at)) continue;
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
 * Where an object has moved by a part of its size, the strip that it newly covers has a rim of that kind, too: towards its
 * old place. The surroundings tell the two apart: they look like bare ground, and not like the object.
 */
function looksLikeGround(
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

/** Samples of an ellipse around the component, half its longer side away. */
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

/** The background has an edge between the two pixels, the picture has none to speak of. */
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

/** From the frame at one place to the background at another. */
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
