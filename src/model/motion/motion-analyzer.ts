import type { Affine } from '../../core/maths/box.js';
import type { Detection, SceneCondition } from '../../core/percept.js';
import {
  classify,
  createBackground,
  FOREGROUND,
  resetBackground,
  SHADE,
  updateBackground,
  type BackgroundPlanes,
} from './background/background.js';
import type { Blob } from './foreground/blob.js';
import { BlobMemory, type BlobObservation } from './foreground/blobs.js';
import { dilate, findComponents, majority, type Component } from './foreground/components.js';
import { applyExposure, fitExposure } from './background/exposure.js';
import { peelGhosts } from './foreground/ghosts.js';
import { createPlanes, downscale, type WorkPlanes } from './background/planes.js';
import { refineEdges } from './foreground/refine.js';
import { Registration } from './camera/registration.js';
import { compareScene, SceneClassifier } from './background/scene.js';
import { reconsiderShades } from './foreground/shades.js';
import { liftStanding } from './foreground/standing.js';

/** The result of motion for one frame. */
export interface MotionAnswer {
  /** Label `object`, origin `motion`, boxes in fractions of the frame. */
  readonly proposals: Detection[];
  /** As in a percept. */
  readonly camera: Affine | undefined;
  readonly scene: SceneCondition;
}

/** Label of detections of motion or objectness alone. */
export const OBJECT_LABEL = 'object';

/** Minimum object as a share of the picture: smaller areas are leaves, rain and blocks of the compression. */
const MIN_SHARE = 0.00012;
/** Minimum object, work px. */
const MIN_AREA = 16;
/** Maximum object as a share of the picture: larger areas are light, fog or a lens cap. */
const MAX_SHARE = 0.35;
/** The background is invalid when this share of the picture is foreground for FLOOD_S. */
const FLOOD_SHARE = 0.5;
const FLOOD_S = 1;
/** An object that arrived and stands still becomes background after this time, s; an object of the first picture does not. */
const ABSORB_S = 180;
/** Registration error of a still camera, which vibrates, px. */
const STILL_SLACK = 0.15;
/** Registration error of a moved background, which is resampled, px. */
const MOVED_SLACK = 0.5;
/** Score of an unproven object: it can continue a track, but not begin one. */
const DOUBTFUL_SCORE = 0.5;
/** Score of a proven proposal in its first picture. */
const FIRST_SCORE = 0.6;
/** Score of a proven proposal after WATCHED_S. */
const LAST_SCORE = 0.85;
const WATCHED_S = 0.4;
/** Maximum number of proposals: a picture with more contains a moving texture. */
const MAX_PROPOSALS = 300;
/** Maximum step of a background update, s: after a gap, one picture must not count for all missed ones. */
const LONGEST_STEP_S = 1;
/** Number of first pictures in which new masks are objects that stood there when the stream began. */
const STANDING_CHECKS = 2;

/**
 * Class-agnostic proposals of one stream: foreground of a background model that follows noise, light and camera. Stores the
 * background and the masks of the last picture. Pure arithmetic, deterministic, synchronous; all pictures must have the size
 * given to the constructor.
 */
export class MotionAnalyzer {
  readonly #width: number;
  readonly #height: number;
  readonly #state: AnalyzerState | undefined;

  /** @param width px */
  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    const planes = createPlanes(width, height);
    if (planes) this.#state = new AnalyzerState(planes);
  }

  /**
   * @param pixels I420
   * @param t media time, s, increasing
   */
  analyze(pixels: Uint8Array, t: number): MotionAnswer {
    const state = this.#state;
    if (!state) return { proposals: [], camera: undefined, scene: 'clear' };
    downscale(pixels, this.#width, this.#height, state.planes);
    const { observations, camera, scene } = state.update(t);
    const source = { pixels, width: this.#width, height: this.#height };
    const search = { source, work: state.planes, background: state.view, marks: state.marks };
    const proposals = observations.slice(0, MAX_PROPOSALS).map(({ blob, component }): Detection => {
      const { left, top, right, bottom } = refineEdges(component, search);
      const [w, h] = [this.#width, this.#height];
      return {
        label: OBJECT_LABEL,
        score: scoreOf(blob, t),
        box: [left / w, top / h, (right - left) / w, (bottom - top) / h],
        origin: 'motion',
      };
    });
    return { proposals, camera, scene };
  }
}

function scoreOf({ standing, proven, since }: Blob, t: number): number {
  if (!proven) return DOUBTFUL_SCORE;
  const watched = standing ? 1 : Math.min(1, (t - since) / WATCHED_S);
  return FIRST_SCORE + (LAST_SCORE - FIRST_SCORE) * watched;
}

interface Foreground {
  readonly observations: readonly BlobObservation[];
  readonly camera: Affine | undefined;
  readonly scene: SceneCondition;
}

/** State of the analysis at work resolution. */
class AnalyzerState {
  /** Class of each pixel of the last picture. */
  readonly marks: Uint8Array;
  readonly #background: BackgroundPlanes;
  readonly #registration: Registration;
  readonly #sceneClassifier = new SceneClassifier();
  readonly #blobs = new BlobMemory();
  readonly #mask: Uint8Array;
  readonly #scratch: Uint8Array;
  /** Above 0: pixels of objects in the last picture, which the background does not learn. */
  readonly #frozen: Uint8Array;
  #updates = 0;
  #t = 0;
  #floodSince: number | undefined;

  constructor(readonly planes: WorkPlanes) {
    const size = planes.y.length;
    this.#background = createBackground(size);
    this.#registration = new Registration(this.#background, planes);
    this.marks = new Uint8Array(size);
    this.#mask = new Uint8Array(size);
    this.#scratch = new Uint8Array(size);
    this.#frozen = new Uint8Array(size);
  }

  get view(): BackgroundPlanes {
    return this.#registration.view;
  }

  /** Analyses the picture at `t`, which `planes` contains. */
  update(t: number): Foreground {
    const dtS = Math.min(t - this.#t, LONGEST_STEP_S);
    this.#t = t;
    if (this.#updates === 0) this.#reset(t);
    else {
      const scene = this.#orient(t);
      if (scene === 'changed') this.#reset(t);
      if (scene !== 'clear' || this.#sceneClassifier.hidden)
        return { observations: [], camera: undefined, scene };
    }
    this.#updates += 1;
    this.#adaptExposure();
    const components = this.#segment();
    if (this.#isFlooded(components, t))
      return { observations: [], camera: this.#registration.camera, scene: 'clear' };
    const standing = this.#updates <= STANDING_CHECKS;
    const observations = this.#blobs.resolve(components, this.planes, { t, dtS, standing });
    this.#absorb(observations, t);
    this.#freeze(components);
    const { place, camera } = this.#registration;
    updateBackground(this.#background, this.planes, this.#frozen, { dtS, updates: this.#updates, place });
    this.#registration.settle(t, this.#frozen);
    return { observations, camera, scene: 'clear' };
  }

  /** Estimates the camera's pose and classifies the scene. */
  #orient(t: number): SceneCondition {
    const registration = this.#registration;
    registration.locate(this.planes, false);
    let evidence = compareScene(registration.view, this.planes);
    if (this.#sceneClassifier.doubts(evidence)) {
      registration.locate(this.planes, true);
      const relocated = compareScene(registration.view, this.planes);
      if (this.#sceneClassifier.doubts(relocated)) registration.restorePose(this.planes);
      else evidence = relocated;
    }
    const camera = registration.cameraAtWork;
    if (camera) this.#blobs.transform(camera);
    return this.#sceneClassifier.classify(evidence, t);
  }

  #reset(t: number): void {
    resetBackground(this.#background, this.planes);
    liftStanding(this.#background, this.planes);
    this.#frozen.fill(0);
    this.#blobs.clear();
    this.#registration.reset(t, this.#frozen);
    this.#updates = 0;
    this.#floodSince = undefined;
  }

  #adaptExposure(): void {
    const exposure = fitExposure(this.view, this.planes, this.#frozen);
    if (!exposure) return;
    applyExposure(this.#background, exposure);
    if (!this.#registration.still) applyExposure(this.view, exposure);
  }

  #segment(): Component[] {
    const { width, height, y } = this.planes;
    const { still } = this.#registration;
    classify(this.view, this.planes, still ? STILL_SLACK : MOVED_SLACK, this.marks);
    reconsiderShades(this.marks, this.view, this.planes, this.#scratch);
    majority(this.marks, FOREGROUND, width, height, this.#mask);
    const minArea = Math.max(MIN_AREA, MIN_SHARE * y.length);
    const find = (): Component[] => findComponents(this.#mask, width, height, minArea);
    const components = find();
    const learn = (k: number): void => this.#registration.learn(this.planes, k);
    if (peelGhosts(this.view, this.planes, this.#mask, components, learn) === 0) return components;
    majority(this.#mask, 1, width, height, this.#scratch);
    this.#mask.set(this.#scratch);
    return find();
  }

  #isFlooded(components: readonly Component[], t: number): boolean {
    const area = components.reduce((sum, component) => sum + component.area, 0);
    if (
      area < FLOOD_SHARE * this.marks.length &&
      !components.some((c) => c.area > MAX_SHARE * this.marks.length)
    ) {
      this.#floodSince = undefined;
      return false;
    }
    this.#floodSince ??= t;
    if (t - this.#floodSince >= FLOOD_S) this.#reset(t);
    return true;
  }

  /** Moves objects that arrived and have stood still for ABSORB_S to the background. */
  #absorb(observations: readonly BlobObservation[], t: number): void {
    const old = observations.filter(({ blob }) => !blob.standing && t - blob.anchoredAt > ABSORB_S);
    if (old.length === 0) return;
    for (const { component } of old)
      for (const { row, from, to } of component.runs)
        for (let x = from; x < to; x += 1) {
          this.#registration.learn(this.planes, row * this.planes.width + x);
        }
    this.#blobs.remove(new Set(old.map(({ blob }) => blob)));
  }

  /** Excludes the objects with a rim, and the shades next to them, from the background's update. */
  #freeze(components: readonly Component[]): void {
    const { width, height } = this.planes;
    this.#frozen.fill(0);
    for (const { runs } of components)
      for (const { row, from, to } of runs) this.#frozen.fill(1, row * width + from, row * width + to);
    dilate(this.#frozen, width, height, this.#scratch);
    for (const { left, top, right, bottom } of components) {
      const [dx, dy] = [right - left, bottom - top];
      for (let row = Math.max(0, top - dy); row < Math.min(height, bottom + dy); row += 1)
        for (
          let x = Math.max(0, left - dx), k = row * width + x;
          x < Math.min(width, right + dx);
          x += 1, k += 1
        )
          if (this.marks[k] === SHADE) this.#frozen[k] = 1;
    }
  }
}
