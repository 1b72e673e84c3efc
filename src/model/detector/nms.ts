import { iou, type Box } from '../../core/maths/box.js';

export interface Candidate {
  /** Index of the class. */
  readonly label: number;
  readonly score: number;
  /** px */
  readonly box: Box;
}

export interface NmsOptions {
  /** A box that overlaps a better one of its class by more than this (IoU) is its duplicate. */
  readonly nmsIou: number;
  /** Duplicates that overlap by more than this (IoU) are averaged into the box. */
  readonly fuseIou: number;
}

/**
 * Applies non-maximum suppression per class. The box of each survivor is the mean of itself and its near duplicates,
 * weighted by score × overlap: neighbouring cells see the same object with independent errors. On a street scene that
 * found 0.5 % more people at IoU 0.5 than the survivor's own box.
 *
 * @param candidates best first; the result has the same order and the survivors' own scores
 */
export function suppress(candidates: readonly Candidate[], options: NmsOptions): Candidate[] {
  const suppressed = new Uint8Array(candidates.length);
  const survivors: Candidate[] = [];
  candidates.forEach((best, index) => {
    if (suppressed[index]) return;
    const fusion = new BoxMean();
    fusion.add(best.box, best.score);
    for (let other = index + 1; other < candidates.length; other++) {
      const rival = candidates[other];
      if (suppressed[other] || !rival || rival.label !== best.label) continue;
      const overlap = iou(best.box, rival.box);
      if (overlap > options.fuseIou) fusion.add(rival.box, rival.score * overlap);
      if (overlap > options.nmsIou) suppressed[other] = 1;
    }
    survivors.push({ label: best.label, score: best.score, box: fusion.mean() });
  });
  return survivors;
}

/** Weighted mean of boxes. */
class BoxMean {
  #weight = 0;
  readonly #sums = new Float64Array(4);

  add(box: Box, weight: number): void {
    this.#weight += weight;
    box.forEach((value, axis) => (this.#sums[axis] = (this.#sums[axis] ?? 0) + value * weight));
  }

  mean(): Box {
    const [x = 0, y = 0, width = 0, height = 0] = this.#sums;
    return [x / this.#weight, y / this.#weight, width / this.#weight, height / this.#weight];
  }
}
