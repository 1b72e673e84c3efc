import type { Affine, Point } from '../../../core/maths/box.js';
import { fitSimilarity, IDENTITY, transformPoint } from './affine.js';
import { findCorners, followCorner } from './corners.js';
import { bestShift, buildPyramid, type Plane } from './pyramid.js';

/** Minimum number of corners: fewer could all lie on one object. */
const MIN_CORNERS = 8;
/** Maximum displacement of a still corner, px: sub-pixel noise of matching and compression. */
const STILL_PX = 0.35;
/** Minimum share of still corners of a still picture. */
const STILL_SHARE = 0.5;
/** Maximum distance of an inlier from a motion, px. */
const INLIER_PX = 1;
/** Minimum share of inliers among the corners. */
const INLIER_SHARE = 0.4;
/** Minimum ratio of a motion's inliers to those of a still camera. */
const BETTER = 1.3;
/** Minimum number of quarters of the picture that contain inliers. */
const MIN_QUARTERS = 3;
const HYPOTHESES = 64;
/** Maximum shift of the search, as a share of the picture's sides. */
const REACH = 0.3;
/** Maximum zoom and roll between background and picture: a larger estimate is an error and not camera motion. */
const MAX_ZOOM = 0.25;

/** Motion of the camera; `unknown` with too few corners, or without a motion that enough of them share. */
export type CameraEstimate =
  | { readonly kind: 'still' }
  | { readonly kind: 'moved'; readonly pose: Affine }
  | { readonly kind: 'unknown' };

/**
 * Estimates a global similarity between the background and a picture from sparse corners: Lucas-Kanade from coarse to fine,
 * consensus of random pairs (Fischler & Bolles, CACM 1981; with a fixed sequence), least squares over the consensus.
 */
export class CameraEstimator {
  #levels: Plane[] = [];
  #corners: Point[] = [];

  /**
   * Sets the background to compare pictures with.
   * @param skip above 0: pixels of objects, which move by themselves
   */
  setReference(luma: ArrayLike<number>, width: number, height: number, skip: Uint8Array): void {
    this.#levels = buildPyramid(luma, width, height);
    this.#corners = findCorners(this.#levels[0] as Plane, skip);
  }

  get corners(): number {
    return this.#corners.length;
  }

  /**
   * @param luma of the reference's size
   * @param pose the pose of the last picture
   * @param lost true: the last pose is invalid, search the whole range
   */
  estimate(luma: ArrayLike<number>, pose: Affine, lost: boolean): CameraEstimate {
    const reference = this.#levels[0];
    if (!reference || this.#corners.length < MIN_CORNERS) return { kind: 'unknown' };
    if (!lost && pose === IDENTITY) {
      const plane = { ...reference, data: Float32Array.from(luma) };
      const share = this.#stillShare(reference, plane);
      if (share >= STILL_SHARE) return { kind: 'still' };
    }
    const levels = buildPyramid(luma, reference.width, reference.height);
    const guesses = lost ? [this.#shifted(levels)] : [pose, this.#shifted(levels)];
    for (const guess of guesses) {
      const found = this.#consensus(levels, guess);
      if (found) return isStill(found, reference) ? { kind: 'still' } : { kind: 'moved', pose: found };
    }
    return { kind: 'unknown' };
  }

  #stillShare(reference: Plane, plane: Plane): number {
    let still = 0;
    for (const point of this.#corners) {
      const found = followCorner(reference, plane, point, point);
      if (found && Math.hypot(found[0] - point[0], found[1] - point[1]) < STILL_PX) still += 1;
    }
    return still / this.#corners.length;
  }

  #shifted(levels: readonly Plane[]): Affine {
    const coarse = levels.length - 1;
    const [x, y] = bestShift(this.#levels[coarse] as Plane, levels[coarse] as Plane, REACH);
    return [1, 0, 0, 1, x * 2 ** coarse, y * 2 ** coarse];
  }

  #consensus(levels: readonly Plane[], guess: Affine): Affine | undefined {
    const from: Point[] = [];
    const to: Point[] = [];
    for (const point of this.#corners) {
      const found = this.#follow(levels, point, transformPoint(guess, point));
      if (!found) continue;
      from.push(point);
      to.push(found);
    }
    if (from.length < MIN_CORNERS) return undefined;
    let best = supporters(guess, from, to);
    const random = sequence();
    for (let n = 0; n < HYPOTHESES; n += 1) {
      const [i, k] = [random(from.length), random(from.length)];
      if (i === k) continue;
      const model = fitSimilarity([from[i] as Point, from[k] as Point], [to[i] as Point, to[k] as Point]);
      if (!model || !isPlausible(model)) continue;
      const found = supporters(model, from, to);
      if (found.length > best.length) best = found;
    }
    if (best.length < Math.max(MIN_CORNERS, INLIER_SHARE * this.#corners.length)) return undefined;
    const still = supporters(IDENTITY, from, to).length;
    const fit = fitSimilarity(
      best.map((k) => from[k] as Point),
      best.map((k) => to[k] as Point),
    );
    if (!fit || !isPlausible(fit)) return undefined;
    if (still >= best.length / BETTER) return IDENTITY;
    return this.#quarters(best.map((k) => from[k] as Point)) >= MIN_QUARTERS ? fit : undefined;
  }

  #follow(levels: readonly Plane[], point: Point, guess: Point): Point | undefined {
    let estimate = guess;
    for (let level = levels.length - 1; level >= 0; level -= 1) {
      const scale = 2 ** level;
      const shrink = ([x, y]: Point): Point => [x / scale, y / scale];
      const found = followCorner(
        this.#levels[level] as Plane,
        levels[level] as Plane,
        shrink(point),
        shrink(estimate),
      );
      // At a coarse level the window may leave the picture although it does not at a finer one.
      if (found) estimate = [found[0] * scale, found[1] * scale];
      else if (level === 0) return undefined;
    }
    return estimate;
  }

  #quarters(points: readonly Point[]): number {
    const { width, height } = this.#levels[0] as Plane;
    return new Set(points.map(([x, y]) => (x < width / 2 ? 0 : 1) + (y < height / 2 ? 0 : 2))).size;
  }
}

function supporters(model: Affine, from: readonly Point[], to: readonly Point[]): number[] {
  const found: number[] = [];
  from.forEach((point, k) => {
    const [x, y] = transformPoint(model, point);
    const [u, v] = to[k] as Point;
    if (Math.hypot(x - u, y - v) < INLIER_PX) found.push(k);
  });
  return found;
}

function isPlausible([a, b]: Affine): boolean {
  return Math.abs(Math.hypot(a, b) - 1) < MAX_ZOOM && Math.abs(b) < MAX_ZOOM;
}

/** Returns true when no corner of the picture moves. */
function isStill(pose: Affine, { width, height }: Plane): boolean {
  return [0, width].every((x) =>
    [0, height].every((y) => {
      const [u, v] = transformPoint(pose, [x, y]);
      return Math.hypot(u - x, v - y) < STILL_PX;
    }),
  );
}

/** Returns a generator of a fixed sequence (Lehmer), so that the same video gives the same bytes. */
function sequence(): (below: number) => number {
  let state = 48_271;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
