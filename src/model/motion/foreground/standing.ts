import type { BackgroundPlanes } from '../background/background.js';
import { dilate, findComponents, type Component } from './components.js';
import type { WorkPlanes } from '../background/planes.js';

/** Maximum difference of neighbours on one surface: sum over luma and chroma, grey levels. */
const SMOOTH = 7;
/** Minimum share of the picture of a surface; a smaller smooth region can be a face of an object. */
const SURFACE_SHARE = 0.03;
/** Minimum share of surfaces in the picture: only then an interruption is reliably an object. */
const PLAIN_SHARE = 0.6;
/** Minimum area of an object with its cast shadow, px. */
const MIN_AREA = 30;
/** Maximum share of the picture of an object with its cast shadow. */
const MAX_SHARE = 0.06;
/** Lines this thin are borders between surfaces: edges of shadows, seams, the horizon; px. */
const THIN = 2;
/** Minimum share of the ring around an object that lies on surfaces. */
const RING_SHARE = 0.85;
/** Distance of the ring from the object, px. */
const RING = 3;
/** Maximum distance of the ground, or of a mixture of two grounds at their border: grey levels, luma and chroma. */
const MIXTURE = 14;
/** Minimum share of an object's pixels that differ from the ground; with less it is a piece of a border. */
const OWN_SHARE = 0.5;
/** The ground is sampled this far outside, px, because the rim of an object is soft and smeared by compression. */
const RIM = 3;
/** Maximum number of objects on plain ground; a picture with more is a texture. */
const MAX_OBJECTS = 64;

/**
 * Removes objects on a plain surface of the first picture from the background: regions that interrupt large smooth surfaces
 * and are surrounded by them. The background becomes the ground, interpolated from the surroundings, so that the objects are
 * foreground from the start and leave no ghost when they move.
 *
 * @returns the number of objects
 */
export function liftStanding(background: BackgroundPlanes, frame: WorkPlanes): number {
  const { width, height } = frame;
  const surfaces = findSurfaces(frame);
  let plain = 0;
  for (const mark of surfaces) plain += mark;
  if (plain < PLAIN_SHARE * surfaces.length) return 0;
  const rough = surfaces.map((mark) => 1 - mark);
  const opened = open(rough, width, height);
  const objects = findComponents(opened, width, height, MIN_AREA).filter((component) =>
    standsAlone(component, opened, surfaces, frame),
  );
  if (objects.length > MAX_OBJECTS) return 0;
  const mask = new Uint8Array(surfaces.length);
  const scratch = new Uint8Array(surfaces.length);
  for (const { runs } of objects)
    for (const { row, from, to } of runs) mask.fill(1, row * width + from, row * width + to);
  for (let n = 0; n < RIM; n += 1) dilate(mask, width, height, scratch);
  for (const plane of [background.y, background.u, background.v]) fillIn(plane, mask, width, height);
  return objects.length;
}

/** Returns 1 where a pixel belongs to a large smooth region. */
function findSurfaces(frame: WorkPlanes): Uint8Array {
  const { width, height, y, u, v } = frame;
  const smooth = new Uint8Array(y.length);
  const step = (k: number, q: number): number =>
    Math.abs((y[k] as number) - (y[q] as number)) +
    Math.abs((u[k] as number) - (u[q] as number)) +
    Math.abs((v[k] as number) - (v[q] as number));
  for (let row = 0; row < height; row += 1) {
    for (let x = 0; x < width; x += 1) {
      const k = row * width + x;
      const across = x > 0 && x < width - 1 ? step(k - 1, k + 1) : 0;
      const down = row > 0 && row < height - 1 ? step(k - width, k + width) : 0;
      smooth[k] = across < SMOOTH && down < SMOOTH ? 1 : 0;
    }
  }
  const surfaces = new Uint8Array(y.length);
  for (const { runs } of findComponents(smooth, width, height, SURFACE_SHARE * y.length))
    for (const { row, from, to } of runs) surfaces.fill(1, row * width + from, row * width + to);
  return surfaces;
}

/** Applies erosion, then dilation by `THIN`, which removes lines and separates objects from them. */
function open(marks: Uint8Array, width: number, height: number): Uint8Array {
  const inverse = marks.map((mark) => 1 - mark);
  const scratch = new Uint8Array(marks.length);
  for (let n = 0; n < THIN; n += 1) dilate(inverse, width, height, scratch);
  const eroded = inverse.map((mark) => 1 - mark);
  for (let n = 0; n < THIN; n += 1) dilate(eroded, width, height, scratch);
  return eroded;
}

function standsAlone(
  { area, left, top, right, bottom, runs }: Component,
  objects: Uint8Array,
  surfaces: Uint8Array,
  frame: WorkPlanes,
): boolean {
  const { width, height } = frame;
  if (area > MAX_SHARE * surfaces.length) return false;
  if (left <= 1 || top <= 1 || right >= width - 1 || bottom >= height - 1) return false;
  let ring = 0;
  const grounds: number[] = [];
  const sample = (x: number, y: number): void => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const k = y * width + x;
    // A pixel of a neighbouring object is no sample of the ground.
    if (objects[k] !== 0) return;
    ring += 1;
    if (surfaces[k] !== 0) grounds.push(k);
  };
  for (let x = left - RING; x < right + RING; x += 1) {
    sample(x, top - RING);
    sample(x, bottom + RING - 1);
  }
  for (let y = top - RING; y < bottom + RING; y += 1) {
    sample(left - RING, y);
    sample(right + RING - 1, y);
  }
  if (ring === 0 || grounds.length < RING_SHARE * ring) return false;
  const ends = extremes(grounds, frame);
  let own = 0;
  for (const { row, from, to } of runs)
    for (let k = row * width + from, end = row * width + to; k < end; k += 1)
      if (fromMixture(frame, k, ends) > MIXTURE) own += 1;
  return own >= OWN_SHARE * area;
}

/** Returns the 10th and 90th percentile of the pixels by luma: where two surfaces meet, one of each. */
function extremes(pixels: readonly number[], { y }: WorkPlanes): readonly [number, number] {
  const sorted = pixels.toSorted((a, b) => (y[a] as number) - (y[b] as number) || a - b);
  const cut = Math.floor(sorted.length / 10);
  return [sorted[cut] as number, sorted[sorted.length - 1 - cut] as number];
}

/** Returns the distance of a pixel's colour from the line between two colours, grey levels summed over luma and chroma. */
function fromMixture({ y, u, v }: WorkPlanes, k: number, [a, b]: readonly [number, number]): number {
  const planes = [y, u, v];
  let [along, length] = [0, 0];
  for (const plane of planes) {
    const step = (plane[b] as number) - (plane[a] as number);
    along += step * ((plane[k] as number) - (plane[a] as number));
    length += step * step;
  }
  const share = length > 0 ? Math.min(1, Math.max(0, along / length)) : 0;
  return planes.reduce((sum, plane) => {
    const [from, to] = [plane[a] as number, plane[b] as number];
    return sum + Math.abs((plane[k] as number) - from - share * (to - from));
  }, 0);
}

/** Replaces masked pixels by the nearest unmasked ones in the four directions, weighted by the inverse of their distance. */
function fillIn(plane: Float32Array, mask: Uint8Array, width: number, height: number): void {
  const sum = new Float32Array(plane.length);
  const weight = new Float32Array(plane.length);
  const sweep = (start: number, step: number, count: number): void => {
    let value: number | undefined;
    for (let n = 0, k = start, distance = 1; n < count; n += 1, k += step) {
      if (mask[k] === 0) {
        value = plane[k];
        distance = 1;
      } else if (value !== undefined) {
        sum[k] = (sum[k] as number) + value / distance;
        weight[k] = (weight[k] as number) + 1 / distance;
        distance += 1;
      }
    }
  };
  for (let row = 0; row < height; row += 1) {
    sweep(row * width, 1, width);
    sweep((row + 1) * width - 1, -1, width);
  }
  for (let x = 0; x < width; x += 1) {
    sweep(x, width, height);
    sweep((height - 1) * width + x, -width, height);
  }
  for (let k = 0; k < plane.length; k += 1)
    if (mask[k] !== 0 && (weight[k] as number) > 0) plane[k] = (sum[k] as number) / (weight[k] as number);
}
