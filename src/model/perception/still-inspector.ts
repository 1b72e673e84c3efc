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
  /** Opens a turn at the detector, for one look. */
  readonly openLane: () => Pick<DetectorLane, 'detect' | 'close'>;
  /** Opens motion for one look, with a background of its own. */
  readonly openMotion: () => StreamMotion;
  /** The longer side of the detector's canvas, px. */
  readonly canvasPx: number;
  /** Makes the masks in place of the detector's workers. */
  readonly sam?: Pick<SamThread, 'encode'> | undefined;
  readonly masks: boolean;
  /** Labels that are reported; all when undefined. */
  readonly labels?: ReadonlySet<string> | undefined;
}

/** Lowest score that is reported: below, most are not there. Of motion alone, what has not proven to be a thing is left out. */
const MIN_SCORE = 0.35;
const MIN_MOTION_SCORE = 0.6;
/** A focus smaller than this share of the canvas is looked at enlarged, too. */
const ENLARGED_SHARE = 0.75;
/** Of two passes, what overlaps this much (IoU), or lies in the other by this share, is one thing. */
const SAME_IOU = 0.5;
const INSIDE_SHARE = 0.7;

/** A detection of one pass. */
interface Candidate {
  readonly detection: Detection;
  readonly pass: number;
  /** What its mask covers, fractions of the picture. */
  readonly part: Box;
}

/**
 * Looks at pictures again, the slow way: motion over all of them, then the detector on each wanted one as a whole and in
 * tiles of full resolution, so that what is small is seen, too.
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
    const looked: (readonly Detection[])[] = [];
    try {
      for await (const still of stills) {
        signal?.throwIfAborted();
        const layout = i420Layout(still.width, still.height);
        const moved = await motion.analyze({ ...still, layout });
        if (!still.detect) continue;
        looked.push(
          moved?.scene === 'covered' ? [] : await this.#detect(lane, still, moved?.proposals ?? [], signal),
        );
      }
      return looked;
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
    const wants = { masks: masks && !sam, minScore: MIN_SCORE };
    const whole = await lane.detect({ pixels, layout }, { ...wants, proposals });
    const candidates: Candidate[] = whole.detections.map((detection) => ({
      detection,
      pass: 0,
      part: [0, 0, 1, 1],
    }));
    const tiles = [...tilesOf(width, height, canvasPx), ...enlarged(still, canvasPx)];
    for (const [at, tile] of tiles.entries()) {
      signal?.throwIfAborted();
      const part = { pixels: cropI420(pixels, layout, tile), layout: i420Layout(tile.width, tile.height) };
      const { detections } = await lane.detect(part, wants);
      candidates.push(...ofTile(detections, tile, at + 1, width, height));
    }
    const kept = merge(
      candidates.filter(({ detection }) => isSure(detection) && (labels?.has(detection.label) ?? true)),
    );
    return masks && sam ? this.#segment(still, kept) : kept.map((one) => placed(one, width, height));
  }

  async #segment(
    { pixels, width, height }: Still,
    kept: readonly Candidate[],
  ): Promise<readonly Detection[]> {
    const detections = kept.map(({ detection }) => detection);
    const chosen = detections.slice(0, MAX_SEGMENTS);
    if (chosen.length === 0) return [];
    const prompts = chosen.map(({ box }) => ({ box }));
    const answer = await this.#options.sam?.encode({ pixels, width, height }, prompts);
    return detections.map((detection, row) => ({ ...detection, ...enrichmentOf(answer?.prompted[row]) }));
  }
}

/** The part that matters, where the detector sees it larger than it is. */
function enlarged({ width, height, focus }: Still, canvasPx: number): Tile[] {
  if (!focus) return [];
  const region = pxRegion(focus, { width, height });
  if (Math.max(region.width, region.height) > ENLARGED_SHARE * canvasPx) return [];
  const { left, top, width: w, height: h } = region;
  return [{ ...region, part: [left / width, top / height, w / width, h / height] }];
}

function isSure({ score, origin }: Detection): boolean {
  return score >= (origin === 'motion' ? MIN_MOTION_SCORE : MIN_SCORE);
}

/** What a tile shows, in fractions of the picture. What a cut goes through is seen better by another pass. */
function ofTile(
  detections: readonly Detection[],
  tile: Tile,
  pass: number,
  width: number,
  height: number,
): Candidate[] {
  const [left, top, w, h] = tile.part;
  return detections
    .filter(({ box }) => {
      const px: Box = [box[0] * tile.width, box[1] * tile.height, box[2] * tile.width, box[3] * tile.height];
      return !isCut(tile, px, width, height);
    })
    .map((detection) => {
      const { box } = detection;
      const placedBox: Box = [left + box[0] * w, top + box[1] * h, box[2] * w, box[3] * h];
      return { detection: { ...detection, box: placedBox }, pass, part: tile.part };
    });
}

/** Best first, one for each thing; the passes are each free of duplicates already. */
function merge(candidates: readonly Candidate[]): readonly Candidate[] {
  const kept: Candidate[] = [];
  const best = [...candidates].sort((a, b) => b.detection.score - a.detection.score);
  // What has a name is told by it, also where motion alone is surer that something is there.
  const named = best.filter(({ detection }) => detection.label !== OBJECT_LABEL);
  const nameless = best.filter(({ detection }) => detection.label === OBJECT_LABEL);
  for (const one of [...named, ...nameless]) {
    if (!kept.some((other) => isSame(one, other))) kept.push(one);
  }
  return kept.sort((a, b) => b.detection.score - a.detection.score);
}

function isSame(one: Candidate, other: Candidate): boolean {
  const [a, b] = [one.detection, other.detection];
  // The detector's own passes are free of duplicates; what moves may be what it sees.
  if (one.pass === other.pass && a.label === b.label) return false;
  if (a.label !== b.label && a.label !== OBJECT_LABEL && b.label !== OBJECT_LABEL) return false;
  if (iou(a.box, b.box) > SAME_IOU) return true;
  const width = Math.min(a.box[0] + a.box[2], b.box[0] + b.box[2]) - Math.max(a.box[0], b.box[0]);
  const height = Math.min(a.box[1] + a.box[3], b.box[1] + b.box[3]) - Math.max(a.box[1], b.box[1]);
  if (width <= 0 || height <= 0) return false;
  return width * height > INSIDE_SHARE * Math.min(a.box[2] * a.box[3], b.box[2] * b.box[3]);
}

/** With its mask in the whole picture. */
function placed({ detection, part }: Candidate, width: number, height: number): Detection {
  const { mask, ...rest } = detection;
  if (mask === undefined || part[2] === 1) return detection;
  const whole = placeMask(mask, part, detection.box, maskSize(width, height));
  return { ...rest, ...(whole && { mask: whole }) };
}
