import type { SceneCondition } from '../../../core/percept.js';
import type { BackgroundPlanes } from './background.js';
import type { WorkPlanes } from './planes.js';

/** Side of the compared cells, px: large enough that cells do not resemble each other by chance. */
const CELL = 16;
const CELL_AREA = CELL * CELL;
/** Minimum variance of a textured cell, grey levels². */
const MIN_VARIANCE = 36;
/** Minimum correlation of a recognised cell with the background. */
const RECOGNISED = 0.5;
/** Minimum number of textured cells for a conclusion. */
const MIN_CELLS = 6;
/**
 * Share of twice the variance above which the mean squared difference of neighbours indicates noise: white noise has a share
 * of 1, a picture far less.
 */
const NOISE_SHARE = 0.6;
/** Mean luma below which a picture with hardly any contrast shows nothing. */
const DARK = 30;

/** Comparison of the picture's structure with the background's. */
export interface SceneEvidence {
  /** Share of the background's textured cells that are recognised, 0–1; undefined where it has too few. */
  readonly recognised: number | undefined;
  /** Share of the background's textured cells. */
  readonly texture: number;
  /** Share of the picture's cells that are textured and not noise. */
  readonly structure: number;
  /** Share of the picture's textured cells that are noise. */
  readonly noise: number;
  readonly dark: boolean;
}

/** Compares cells of picture and background by normalised cross-correlation, which is independent of brightness. */
export function compareScene(background: BackgroundPlanes, frame: WorkPlanes): SceneEvidence {
  const { width, height, y } = frame;
  let [cells, textured, recognised, structured, noisy, light] = [0, 0, 0, 0, 0, 0];
  for (let top = 0; top + CELL < height; top += CELL) {
    for (let left = 0; left + CELL < width; left += CELL) {
      let [p1, b1, p2, b2, pb, steps] = [0, 0, 0, 0, 0, 0];
      for (let row = top; row < top + CELL; row += 1) {
        for (let k = row * width + left, end = k + CELL; k < end; k += 1) {
          const p = y[k] as number;
          const b = background.y[k] as number;
          const right = p - (y[k + 1] as number);
          p1 += p;
          b1 += b;
          p2 += p * p;
          b2 += b * b;
          pb += p * b;
          steps += right * right;
        }
      }
      cells += 1;
      light += p1;
      const varianceP = (p2 - (p1 * p1) / CELL_AREA) / CELL_AREA;
      const varianceB = (b2 - (b1 * b1) / CELL_AREA) / CELL_AREA;
      if (varianceP > MIN_VARIANCE) {
        if (steps / CELL_AREA > 2 * NOISE_SHARE * varianceP) noisy += 1;
        else structured += 1;
      }
      if (varianceB <= MIN_VARIANCE) continue;
      textured += 1;
      const covariance = (pb - (p1 * b1) / CELL_AREA) / CELL_AREA;
      if (covariance > RECOGNISED * Math.sqrt(varianceP * varianceB) && varianceP > 1) recognised += 1;
    }
  }
  return {
    recognised: textured < MIN_CELLS ? undefined : recognised / textured,
    texture: textured / Math.max(1, cells),
    structure: structured / Math.max(1, cells),
    noise: noisy / Math.max(1, noisy + structured),
    dark: light / Math.max(1, cells * CELL_AREA) < DARK,
  };
}

/** Share of recognised cells below which the scene becomes hidden. */
const HIDDEN_SHARE = 0.2;
/** Share of recognised cells above which a hidden scene becomes visible again. */
const SHOWN_SHARE = 0.35;
/** Maximum share of noise of a valid picture. */
const MAX_NOISE = 0.5;
/** Minimum structure of a picture of another scene, as a share of the last scene's texture. */
const STRUCTURE_OF_LAST = 0.4;
/** Minimum share of structured cells of such a picture. */
const MIN_STRUCTURE = 0.04;
/** Minimum duration of a covered scene, s, so that a single corrupt picture is not reported. */
const COVERED_S = 0.15;
/** After this time, a picture with little structure is another scene and not an obstruction, s. */
const LONGEST_COVER_S = 10;
/** Minimum share of structured cells of such a plain scene. */
const LITTLE_STRUCTURE = 0.005;

/** Classifies successive pictures of one stream. */
export class SceneClassifier {
  #hiddenSince: number | undefined;
  #reported = false;

  /** True while the background is not in the picture. */
  get hidden(): boolean {
    return this.#hiddenSince !== undefined;
  }

  /** True when the evidence for the last pose requires a search for another pose. */
  doubts({ recognised }: SceneEvidence): boolean {
    return recognised !== undefined && recognised < SHOWN_SHARE;
  }

  /**
   * Classifies the picture at media time `t`, s. After `changed` the background must be reset.
   *
   * @param evidence for the best pose found
   */
  classify(evidence: SceneEvidence, t: number): SceneCondition {
    if (!this.#isHidden(evidence)) {
      this.#hiddenSince = undefined;
      this.#reported = false;
      return 'clear';
    }
    const hiddenS = this.#hiddenSince === undefined ? 0 : t - this.#hiddenSince;
    if (isPicture(evidence) || (hiddenS > LONGEST_COVER_S && isPlainPicture(evidence))) {
      this.#hiddenSince = undefined;
      this.#reported = false;
      return 'changed';
    }
    const first = this.#hiddenSince === undefined;
    this.#hiddenSince ??= t;
    if (!this.#reported && first) return 'clear';
    if (!this.#reported && t - this.#hiddenSince < COVERED_S) return 'clear';
    this.#reported = true;
    return 'covered';
  }

  #isHidden({ recognised, noise, dark, structure }: SceneEvidence): boolean {
    if (recognised === undefined) return noise > MAX_NOISE || (dark && structure < MIN_STRUCTURE / 4);
    return recognised < (this.hidden ? SHOWN_SHARE : HIDDEN_SHARE);
  }
}

function isPicture({ structure, texture, noise, dark }: SceneEvidence): boolean {
  if (noise > MAX_NOISE) return false;
  if (dark && structure < MIN_STRUCTURE) return false;
  return structure >= Math.min(MIN_STRUCTURE, 1) && structure >= STRUCTURE_OF_LAST * texture;
}

function isPlainPicture({ structure, noise, dark }: SceneEvidence): boolean {
  return !dark && noise <= MAX_NOISE && structure >= LITTLE_STRUCTURE;
}
