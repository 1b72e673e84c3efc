import type { SceneCondition } from '../../../core/percept.js';
import type { BackgroundPlanes } from './background.js';
import type { WorkPlanes } from './planes.js';

/** The picture is judged by cells of this side, px: large enough not to resemble each other by chance. */
const CELL = 16;
const CELL_AREA = CELL * CELL;
/** A cell with less variance than this shows nothing that could be recognised, grey levels². */
const MIN_VARIANCE = 36;
/** A cell is recognised when it correlates with the background this well. */
const RECOGNISED = 0.5;
/** Fewer textured cells than this tell nothing. */
const MIN_CELLS = 6;
/** Neighbours of white noise differ by twice its variance, those of a picture by far less; share of it above which it is noise. */
const NOISE_SHARE = 0.6;
/** A picture at least this dark, with hardly any contrast, shows nothing: mean luma. */
const DARK = 30;

/** How much of the background's structure the picture shows, and whether it has a structure of its own. */
export interface SceneEvidence {
  /** Share of the background's textured cells that are recognised, 0–1; undefined where it has too few. */
  readonly recognised: number | undefined;
  /** Share of the background's textured cells. */
  readonly texture: number;
  /** Share of the picture's cells that are textured and no noise. */
  readonly structure: number;
  /** Share of the picture's textured cells that are noise. */
  readonly noise: number;
  readonly dark: boolean;
}

/** Compares cells of the picture with those of the background by normalised cross-correlation: brightness does not count. */
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

/** Below the first share the background is not in the picture; above the second it is again. */
const HIDDEN_SHARE = 0.2;
const SHOWN_SHARE = 0.35;
/** Share of noise from which a picture is none. */
const MAX_NOISE = 0.5;
/** A picture of another scene has at least this share of the structure of the last one... */
const STRUCTURE_OF_LAST = 0.4;
/** ...or this share of structured cells. */
const MIN_STRUCTURE = 0.04;
/** A single spoilt picture is not told: what hides the scene lasts this long, s, or for two pictures. */
const COVERED_S = 0.15;
/** What shows little structure, but some, for this long is another scene and no hand, s. */
const LONGEST_COVER_S = 10;
const LITTLE_STRUCTURE = 0.005;

/** Judges pictures one after another. */
export class SceneClassifier {
  #hiddenSince: number | undefined;
  #told = false;

  /** True while the background is not in the picture. */
  get hidden(): boolean {
    return this.#hiddenSince !== undefined;
  }

  /** True when the evidence, taken with the last known pose, calls for looking elsewhere. */
  doubts({ recognised }: SceneEvidence): boolean {
    return recognised !== undefined && recognised < SHOWN_SHARE;
  }

  /**
   * What to tell of the picture. After `changed` the background must be taken anew.
   *
   * @param evidence with the best pose that was found
   */
  classify(evidence: SceneEvidence, t: number): SceneCondition {
    if (!this.#isHidden(evidence)) {
      this.#hiddenSince = undefined;
      this.#told = false;
      return 'clear';
    }
    const longS = this.#hiddenSince === undefined ? 0 : t - this.#hiddenSince;
    if (isPicture(evidence) || (longS > LONGEST_COVER_S && isPlainPicture(evidence))) {
      this.#hiddenSince = undefined;
      this.#told = false;
      return 'changed';
    }
    const first = this.#hiddenSince === undefined;
    this.#hiddenSince ??= t;
    if (!this.#told && first) return 'clear';
    if (!this.#told && t - this.#hiddenSince < COVERED_S) return 'clear';
    this.#told = true;
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
