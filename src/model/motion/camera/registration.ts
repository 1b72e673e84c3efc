import type { Affine } from '../../../core/maths/box.js';
import { compose, enlarge, IDENTITY, invert, transformPoint } from './affine.js';
import { createBackground, replacePixel, type BackgroundPlanes } from '../background/background.js';
import { CameraEstimator } from './camera-estimator.js';
import type { WorkPlanes } from '../background/planes.js';

/** Interval after which the corners are detected again, so that they are those of the present scene, s. */
const REFERENCE_S = 2;
/** After this many pictures at rest in a new pose, the background moves to it. */
const REST_CHECKS = 3;
/** From this shift on, as a share of the width, the background moves to the pose without rest. */
const MAX_SHIFT = 0.08;
/** Maximum change of the pose between two pictures at rest, px. */
const REST_PX = 0.4;

/** Stores the background in its own pose and warps it to the camera's present pose. A camera at rest costs nothing. */
export class Registration {
  readonly #background: BackgroundPlanes;
  readonly #size: { readonly width: number; readonly height: number; readonly factor: number };
  readonly #estimator = new CameraEstimator();
  readonly #warped: BackgroundPlanes;
  #place: Int32Array | undefined;
  #pose: Affine = IDENTITY;
  #lastPose: Affine = IDENTITY;
  #referenceAt = -Infinity;
  #rest = 0;

  constructor(background: BackgroundPlanes, planes: WorkPlanes) {
    this.#background = background;
    this.#size = planes;
    this.#warped = createBackground(planes.y.length);
  }

  get still(): boolean {
    return this.#pose === IDENTITY;
  }

  /** The background in the camera's present pose. */
  get view(): BackgroundPlanes {
    return this.still ? this.#background : this.#warped;
  }

  /** Frame index of each background pixel, negative out of view; undefined for a still camera: identity. */
  get place(): Int32Array | undefined {
    return this.still ? undefined : this.#place;
  }

  /** Motion of the picture since the last one, source px; undefined when it was still. */
  get camera(): Affine | undefined {
    if (this.#pose === this.#lastPose) return undefined;
    const step = compose(this.#pose, invert(this.#lastPose));
    return this.#shiftOf(step) < REST_PX ? undefined : enlarge(step, this.#size.factor);
  }

  /** Motion of the picture since the last one, work px; undefined when it was still. */
  get cameraAtWork(): Affine | undefined {
    return this.camera && compose(this.#pose, invert(this.#lastPose));
  }

  /** Resets the pose after the background was replaced by the frame at `t`, s. */
  reset(t: number, objects: Uint8Array): void {
    this.#pose = this.#lastPose = IDENTITY;
    this.#setReference(t, objects);
  }

  /**
   * Estimates the pose of the frame.
   * @param lost true: the scene was not recognised at the last pose
   */
  locate(frame: WorkPlanes, lost: boolean): void {
    const estimate = this.#estimator.estimate(frame.y, this.#pose, lost);
    if (!lost) this.#lastPose = this.#pose;
    if (estimate.kind === 'still') this.#pose = IDENTITY;
    else if (estimate.kind === 'moved') this.#pose = estimate.pose;
    if (!this.still) this.#warp(frame);
  }

  /** Replaces the background at pixel `k` of the frame by the frame's pixel. */
  learn(frame: WorkPlanes, k: number): void {
    replacePixel(this.view, k, frame, k);
    if (this.still) return;
    const { width, height } = this.#size;
    const [x, y] = transformPoint(invert(this.#pose), [k % width, Math.floor(k / width)]);
    const [column, row] = [Math.round(x), Math.round(y)];
    if (column < 0 || row < 0 || column >= width || row >= height) return;
    replacePixel(this.#background, row * width + column, frame, k);
  }

  /** Restores the last pose, because the scene was not recognised at the new one. */
  restorePose(frame: WorkPlanes): void {
    this.#pose = this.#lastPose;
    if (!this.still) this.#warp(frame);
  }

  /** Moves the background to a pose that lasts or is far from its own, and updates the corners. */
  settle(t: number, objects: Uint8Array): void {
    if (this.still) {
      this.#rest = 0;
      if (t - this.#referenceAt >= REFERENCE_S) this.#setReference(t, objects);
      return;
    }
    const step = compose(this.#pose, invert(this.#lastPose));
    this.#rest = this.#shiftOf(step) < REST_PX ? this.#rest + 1 : 0;
    if (this.#rest < REST_CHECKS && this.#shiftOf(this.#pose) < MAX_SHIFT * this.#size.width) return;
    for (const name of ['y', 'u', 'v', 'noiseY', 'noiseC'] as const)
      this.#background[name].set(this.#warped[name]);
    this.reset(t, objects);
  }

  #setReference(t: number, objects: Uint8Array): void {
    this.#estimator.setReference(this.#background.y, this.#size.width, this.#size.height, objects);
    this.#referenceAt = t;
  }

  /** Returns the largest displacement of a corner of the picture, work px. */
  #shiftOf(step: Affine): number {
    const { width, height } = this.#size;
    const distances = [0, width].flatMap((x) =>
      [0, height].map((y) => {
        const [u, v] = transformPoint(step, [x, y]);
        return Math.hypot(u - x, v - y);
      }),
    );
    return Math.max(...distances);
  }

  /** Warps the background bilinearly to the frame's pose; pixels outside the background are those of the frame. */
  #warp(frame: WorkPlanes): void {
    const { width, height } = this.#size;
    const [a, b, c, d, e, f] = invert(this.#pose);
    const from = this.#background;
    const to = this.#warped;
    for (let row = 0, k = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1, k += 1) {
        const x = a * column + c * row + e;
        const y = b * column + d * row + f;
        const ix = Math.floor(x);
        const iy = Math.floor(y);
        if (ix < 0 || iy < 0 || ix >= width - 1 || iy >= height - 1) {
          unknown(to, frame, k);
          continue;
        }
        const q = iy * width + ix;
        const [fx, fy] = [x - ix, y - iy];
        const w11 = fx * fy;
        const w10 = fx - w11;
        const w01 = fy - w11;
        const w00 = 1 - fx - w01;
        to.y[k] = blend(from.y, q, width, w00, w10, w01, w11);
        to.u[k] = blend(from.u, q, width, w00, w10, w01, w11);
        to.v[k] = blend(from.v, q, width, w00, w10, w01, w11);
        const near = (fy < 0.5 ? q : q + width) + (fx < 0.5 ? 0 : 1);
        to.noiseY[k] = from.noiseY[near] as number;
        to.noiseC[k] = from.noiseC[near] as number;
      }
    }
    this.#place = this.#places();
  }

  #places(): Int32Array {
    const { width, height } = this.#size;
    const [a, b, c, d, e, f] = this.#pose;
    const place = this.#place ?? new Int32Array(width * height);
    for (let row = 0, k = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1, k += 1) {
        const x = Math.round(a * column + c * row + e);
        const y = Math.round(b * column + d * row + f);
        place[k] = x >= 0 && y >= 0 && x < width && y < height ? y * width + x : -1;
      }
    }
    return place;
  }
}

/** Initial noise of pixels that were out of view, grey levels. */
const NEW_NOISE = 2;

function unknown(to: BackgroundPlanes, frame: WorkPlanes, k: number): void {
  to.y[k] = frame.y[k] as number;
  to.u[k] = frame.u[k] as number;
  to.v[k] = frame.v[k] as number;
  to.noiseY[k] = NEW_NOISE;
  to.noiseC[k] = NEW_NOISE;
}

function blend(
  plane: Float32Array,
  q: number,
  width: number,
  w00: number,
  w10: number,
  w01: number,
  w11: number,
): number {
  return (
    w00 * (plane[q] as number) +
    w10 * (plane[q + 1] as number) +
    w01 * (plane[q + width] as number) +
    w11 * (plane[q + width + 1] as number)
  );
}
