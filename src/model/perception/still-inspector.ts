import { iou, type Box } from '../../core/maths/box.js';
import { cropI420, pxRegion } from '../../core/image/crop-i420.js';
import { toPresageError } from '../../core/errors.js';
import { i420Layout } from '../../core/video/frame.js';
import type { Still, StillPerception } from '../../core/inspection.js';
import { placeMask } from '../../core/image/place-mask.js';
import type { Detection } from '../../core/percept.js';
import type { DetectorLane } from '../detector/detector-pool.js';
import { enrichmentOf, MAX_SEGMENTS } from './frame-analyzer.js';
import { OBJECT_LABEL } from '../motion/motion-analyzer.js';
import type { StreamMotion } from '../motion/motion-threads.js';
import type { SamThread } from '../segment/sam/sam-thread.js';
import { maskSize } from '../segment/segmenter.js';
import { isCut, tilesOf, type Tile } from './tiles.js';

export interface StillInspectorOptions {
  /** Opens a lane of the detector for one inspection. */
  readonly openLane: () => Pick<DetectorLane, 'detect' | 'close'>;
  /** Opens a motion analysis with its own background for one inspection. */
  readonly openMotion: () => StreamMotion;
  /** The longer side of the detector's canvas, px. */
  readonly canvasPx: number;
  /** The model of the masks, instead of the detector's workers. */
  readonly sam?: Pick<SamThread, 'encode'> | undefined;
  readonly masks: boolean;
  /** Labels to report; all when undefined. */
  readonly labels?: ReadonlySet<string> | undefined;
}

/** Minimum score of detections: most detections below are wrong. */
const MIN_SCORE = 0.35;
/** Minimum score of motion alone: proposals below are not proven to be objects. */
const MIN_MOTION_SCORE = 0.6;
/** The detector also runs on an enlarged focus when the focus is smaller than this share of the canvas. */
const ENLARGED_SHARE = 0.75;
/** Minimum IoU of detections of two passes that show one object. */
const SAME_IOU = 0.5;
/** Minimum share of a detection inside one of another pass that shows the same object. */
const INSIDE_SHARE = 0.7;

/** A detection of one pass. */
interface Candidate {
  readonly detection: Detection;
  readonly pass: number;
  /** The region that its mask covers, fractions of the picture. */
  readonly region: Box;
}

/**
 * Detects objects in stills with more work per picture than in a stream: motion over all of them, then the detector on each
 * still with `detect` as a whole and in tiles of full resolution, so that small objects are found.
 */
export class StillInspector implements StillPerception {
  readonly #options: StillInspectorOptions;

  constructor(options: StillInspectorOptions) {
    this.#options = options;
  }

  get minSidePx(): number {
    return this.#options.canvasPx;
  }

  passes(width: number, height: number): number {
    return 2 + tilesOf(width, height, this.#options.canvasPx).length;
  }

  async inspect(stills: AsyncIterable<Still>, signal?: AbortSignal): Promise<(readonly Detection[])[]> {
    const motion = this.#options.openMotion();
    const lane = this.#options.openLane();
    const results: (readonly Detection[])[] = [];
    try {
      for await (const still of stills) {
        signal?.throwIfAborted();
        const layout = i420Layout(still.width, still.height);
        const moved = await motion.analyze({ ...still, layout });
        if (!still.detect) continue;
        results.push(
          moved?.scene === 'covered' ? [] : await this.#detect(lane, still, moved?.proposals ?? [], signal),
        );
      }
      return results;
    } catch (thrown) {
      throw toPresageError(thrown, signal?.aborted === true ? 'interrupted' : 'inference_failed');
    } finally {
      lane.close();
      motion.close();
    }
  }

  async #detect(
    lane: Pick<DetectorLane, 'detect'>,
    still: Still,
    proposals: readonly Detection[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Detection[]> {
    const { canvasPx, sam, masks, labels } = this.#options;
    const { pixels, width, height } = still;
    const layout = i420Layout(width, height);
    const request = { masks: masks && !sam, minScore: MIN_SCORE };
    const whole = await lane.detect({ pixels, layout }, { ...request, proposals });
    const candidates: Candidate[] = whole.detections.map((detection) => ({
      detection,
      pass: 0,
      region: [0, 0, 1, 1],
    }));
    const tiles = [...tilesOf(width, height, canvasPx), ...enlarged(still, canvasPx)];
    for (const [at, tile] of tiles.entries()) {
      signal?.throwIfAborted();
      const crop = { pixels: cropI420(pixels, layout, tile), layout: i420Layout(tile.width, tile.height) };
      const { detections } = await lane.detect(crop, request);
      candidates.push(...ofTile(detections, tile, at + 1, width, height));
    }
    const merged = merge(
      candidates.filter(({ detection }) => isConfident(detection) && (labels?.has(detection.label) ?? true)),
    );
    return masks && sam ? this.#segment(still, merged) : merged.map((one) => placed(one, width, height));
  }

  async #segment(
    { pixels, width, height }: Still,
    candidates: readonly Candidate[],
  ): Promise<readonly Detection[]> {
    const detections = candidates.map(({ detection }) => detection);
    const chosen = detections.slice(0, MAX_SEGMENTS);
    if (chosen.length === 0) return [];
    const prompts = chosen.map(({ box }) => ({ box }));
    const answer = await this.#options.sam?.encode({ pixels, width, height }, prompts);
    return detections.map((detection, row) => ({ ...detection, ...enrichmentOf(answer?.prompted[row]) }));
  }
}

/** Returns the focus as a tile, where the canvas enlarges it. */
function enlarged({ width, height, focus }: Still, canvasPx: number): Tile[] {
  if (!focus) return [];
  const region = pxRegion(focus, { width, height });
  if (Math.max(region.width, region.height) > ENLARGED_SHARE * canvasPx) return [];
  const { left, top, width: w, height: h } = region;
  return [{ ...region, region: [left / width, top / height, w / width, h / height] }];
}

function isConfident({ score, origin }: Detection): boolean {
  return score >= (origin === 'motion' ? MIN_MOTION_SCORE : MIN_SCORE);
}

/** Converts detections of a tile to fractions of the picture. Drops those that are cut: another pass shows them whole. */
function ofTile(
  detections: readonly Detection[],
  tile: Tile,
  pass: number,
  width: number,
  height: number,
): Candidate[] {
  const [left, top, w, h] = tile.region;
  return detections
    .filter(({ box }) => {
      const px: Box = [box[0] * tile.width, box[1] * tile.height, box[2] * tile.width, box[3] * tile.height];
      return !isCut(tile, px, width, height);
    })
    .map((detection) => {
      const { box } = detection;
      const placedBox: Box = [left + box[0] * w, top + box[1] * h, box[2] * w, box[3] * h];
      return { detection: { ...detection, box: placedBox }, pass, region: tile.region };
    });
}

/** Merges the passes, each of which is free of duplicates, to one candidate per object, best first. */
function merge(candidates: readonly Candidate[]): readonly Candidate[] {
  const merged: Candidate[] = [];
  const best = [...candidates].sort((a, b) => b.detection.score - a.detection.score);
  // A detection with a label precedes one of motion alone, even at a lower score.
  const labelled = best.filter(({ detection }) => detection.label !== OBJECT_LABEL);
  const unlabelled = best.filter(({ detection }) => detection.label === OBJECT_LABEL);
  for (const one of [...labelled, ...unlabelled]) {
    if (!merged.some((other) => isSame(one, other))) merged.push(one);
  }
  return merged.sort((a, b) => b.detection.score - a.detection.score);
}

function isSame(one: Candidate, other: Candidate): boolean {
  const [a, b] = [one.detection, other.detection];
  // One pass of the detector is free of duplicates, but a proposal of motion can duplicate its detection.
  if (one.pass === other.pass && a.label === b.label) return false;
  if (a.label !== b.label && a.label !== OBJECT_LABEL && b.label !== OBJECT_LABEL) return false;
  if (iou(a.box, b.box) > SAME_IOU) return true;
  const width = Math.min(a.box[0] + a.box[2], b.box[0] + b.box[2]) - Math.max(a.box[0], b.box[0]);
  const height = Math.min(a.box[1] + a.box[3], b.box[1] + b.box[3]) - Math.max(a.box[1], b.box[1]);
  if (width <= 0 || height <= 0) return false;
  return width * height > INSIDE_SHARE * Math.min(a.box[2] * a.box[3], b.box[2] * b.box[3]);
}

/** Returns the detection with its mask converted to the whole picture. */
function placed({ detection, region }: Candidate, width: number, height: number): Detection {
  const { mask, ...rest } = detection;
  if (mask === undefined || region[2] === 1) return detection;
  const whole = placeMask(mask, region, detection.box, maskSize(width, height));
  return { ...rest, ...(whole && { mask: whole }) };
}
