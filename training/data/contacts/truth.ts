import type { Box } from '../../../src/core/maths/box.js';
import type { SceneTruth } from './scene.js';

/** Minimum overlap (IoU) of a tracked object with the true object it matches. */
const MIN_IOU = 0.35;

/** Id of the true object with the largest overlap with a box in px at media time t; undefined if there is none. */
export function trueObject(truth: SceneTruth, t: number, box: Box): string | undefined {
  let [best, most] = [undefined as string | undefined, MIN_IOU];
  for (const [id, other] of Object.entries(truth.boxes[Math.round(t * truth.fps)] ?? {})) {
    const overlap = iou(box, other);
    if (overlap > most) [best, most] = [id, overlap];
  }
  return best;
}

function iou(a: Box, b: Box): number {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (a[2] * a[3] + b[2] * b[3] - w * h);
}
