import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Box } from '../../../src/core/maths/box.js';
import type { Detection, Percept } from '../../../src/core/percept.js';

/** A simulated scene as `training.data.mixture.scenes` writes it; boxes in frame heights, 10 frames a second. */
export interface TrackScene {
  readonly aspect: number;
  /** Label by object; null for an empty slot. */
  readonly labels: readonly (string | null)[];
  /** By frame: number, x, y, w, h of each visible object. */
  readonly observed: readonly (readonly number[][])[];
  readonly true: readonly (readonly number[][])[];
  /** s; a whole second. */
  readonly moment: number;
  /** [object, type]: P of exit, stop, start_moving, turn, loiter after the moment; null where not due. */
  readonly single: readonly (readonly (number | null)[])[];
  /** [object, object, type]: of meet, collide. */
  readonly pair: readonly (readonly (readonly (number | null)[])[])[];
  readonly events: readonly {
    /** Index in EVENT_TYPES. */
    readonly type: number;
    readonly objects: readonly number[];
    readonly t: number;
    /** By object: 1 necessary, 0 not necessary, -1 unknown. */
    readonly necessary: readonly number[];
  }[];
}

const FPS = 10;
const HEIGHT = 720;
/** Typical score of a detection; the simulated tracks have none. */
const SCORE = 0.8;
/** Minimum overlap (IoU) of a tracked object with the true object it matches. */
const MIN_IOU = 0.3;

export async function* readScenes(path: string): AsyncGenerator<TrackScene> {
  for await (const line of createInterface({ input: createReadStream(path) }))
    if (line !== '') yield JSON.parse(line) as TrackScene;
}

/** Percepts of the scene. */
export function perceptsOf({ aspect, labels, observed }: TrackScene): Percept[] {
  const width = Math.round(aspect * HEIGHT);
  return observed.map((boxes, index) => ({
    index,
    t: index / FPS,
    receivedAtMs: 0,
    width,
    height: HEIGHT,
    inferenceMs: 0,
    detections: boxes.flatMap(([object = -1, x = 0, y = 0, w = 0, h = 0]): Detection[] => {
      const label = labels[object];
      if (!label) return [];
      const [x0, y0] = [Math.max(x / aspect, 0), Math.max(y, 0)];
      const [x1, y1] = [Math.min((x + w) / aspect, 1), Math.min(y + h, 1)];
      if (x1 - x0 <= 0 || y1 - y0 <= 0) return [];
      const box: Box = [x0, y0, x1 - x0, y1 - y0];
      return [{ label, score: SCORE, box, ...(label === 'object' && { origin: 'motion' as const }) }];
    }),
  }));
}

/** Number of the true object with the largest overlap with a box (fractions of the frame) at t; undefined if there is none. */
export function trueObject({ aspect, true: truth }: TrackScene, t: number, box: Box): number | undefined {
  let [best, most] = [undefined as number | undefined, MIN_IOU];
  for (const [object = -1, x = 0, y = 0, w = 0, h = 0] of truth[Math.round(t * FPS)] ?? []) {
    const overlap = iou([box[0] * aspect, box[1], box[2] * aspect, box[3]], [x, y, w, h]);
    if (overlap > most) [best, most] = [object, overlap];
  }
  return best;
}

function iou(a: Box, b: Box): number {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(w, 0) * Math.max(h, 0);
  return shared / (a[2] * a[3] + b[2] * b[3] - shared || 1);
}
