import type { Frame } from '../../core/video/frame.js';
import type { Detection, Effort } from '../../core/percept.js';
import { SceneWindow } from './scene-window.js';
import type { SceneAnswer, DetectorAnswer } from '../detector/detector-protocol.js';
import { bestOf, enrichmentOf, MAX_SEGMENTS, type AnalysisRequest } from './frame-analyzer.js';
import { iou } from '../../core/maths/box.js';
import type { GridOptions } from '../segment/sam/sam-masks.js';
import type { SamAnswer, SamThread } from '../segment/sam/sam-thread.js';

/** `auto`: where there is a model, unless the load does not allow it. `on`: whatever the load. */
export type MaskMode = 'auto' | 'on' | 'off';

export interface StreamEnrichmentOptions {
  readonly masks: MaskMode;
  /** What the workers can make. */
  readonly made: { readonly masks: boolean; readonly embeddings: boolean; readonly sceneEmbeddings: boolean };
  readonly encodeScene: (grids: Float32Array) => Promise<SceneAnswer>;
  /** A SAM-family model, which makes the masks in place of the detector's workers. */
  readonly sam?: Pick<SamThread, 'encode'> | undefined;
  /** It looks at a frame this often, s of media time. */
  readonly samEveryS: number;
  /** It also looks for things that nothing else proposed. */
  readonly samGrid?: GridOptions;
}

/** Share of the frame above which a mask shows the ground or the sky. */
const MAX_OBJECT_AREA = 0.25;
/** A mask whose box overlaps a detection's by more than this shows the same thing. */
const SAME_OBJECT_IOU = 0.5;
/** Frame times come as decimal numbers: one that is this much early is on time, s. */
const SLACK_S = 1e-6;

/**
 * Masks, object embeddings and clip embeddings of one stream: decides by media time and effort which frames get which, and adds what
 * is not made by the detector's workers themselves.
 */
export class StreamEnrichment {
  readonly #options: StreamEnrichmentOptions;
  readonly #clip = new SceneWindow();
  #effort: Pick<Effort, 'masks' | 'embeddings'> = { masks: true, embeddings: true };
  #nextSamS = -Infinity;

  constructor(options: StreamEnrichmentOptions) {
    this.#options = options;
  }

  setEffort(effort: Pick<Effort, 'masks' | 'embeddings'>): void {
    this.#effort = effort;
  }

  /** What to ask of the worker for the frame at `t`. Once per frame that goes to a detector, in order. */
  requestFor(t: number): AnalysisRequest {
    const { made, sam } = this.#options;
    return {
      masks: made.masks && !sam && this.#masksWanted,
      embeddings: made.embeddings && this.#effort.embeddings,
      grid: made.sceneEmbeddings && this.#clip.isDue(t),
    };
  }

  /**
   * The detections with everything that is still missing on them. In order, each call after the one before has settled.
   * @param detections final ones, frame fractions
   * @throws PresageError `inference_failed`, `worker_crashed` (retryable), `interrupted`
   */
  async complete(
    frame: Frame,
    { grid }: Pick<DetectorAnswer, 'grid'>,
    detections: readonly Detection[],
  ): Promise<{ detections: readonly Detection[]; sceneEmbedding?: Float32Array }> {
    const clip = grid && this.#clip.add(frame.t, grid);
    const [looked, embedding] = await Promise.all([
      this.#segment(frame, detections),
      clip && this.#options.encodeScene(clip),
    ]);
    return { detections: looked, ...(embedding?.embedding && { sceneEmbedding: embedding.embedding }) };
  }

  /** The scene has changed: what was seen before says nothing about it. */
  reset(): void {
    this.#clip.clear();
  }

  get #masksWanted(): boolean {
    const { masks } = this.#options;
    return masks === 'on' || (masks === 'auto' && this.#effort.masks);
  }

  async #segment(frame: Frame, detections: readonly Detection[]): Promise<readonly Detection[]> {
    const { sam, samEveryS, samGrid } = this.#options;
    if (!sam || !this.#masksWanted || frame.t < this.#nextSamS - SLACK_S) return detections;
    this.#nextSamS = frame.t + samEveryS;
    const chosen = bestOf(detections, MAX_SEGMENTS);
    if (chosen.length === 0 && !samGrid) return detections;
    const { width, height } = frame.layout;
    const prompts = chosen.map(({ box }) => ({ box }));
    const { prompted, found } = await sam.encode({ pixels: frame.pixels, width, height }, prompts, samGrid);
    const looks = new Map(chosen.map((detection, row) => [detection, enrichmentOf(prompted[row])]));
    const looked = detections.map((detection) => ({ ...detection, ...looks.get(detection) }));
    return [...looked, ...newObjects(found, detections)];
  }
}

/** What the grid found that is no background and that nothing else proposed. */
function newObjects(found: SamAnswer['found'], known: readonly Detection[]): Detection[] {
  return found
    .filter(({ box }) => box[2] * box[3] <= MAX_OBJECT_AREA)
    .filter(({ box }) => !known.some((other) => iou(other.box, box) > SAME_OBJECT_IOU))
    .slice(0, MAX_SEGMENTS)
    .map(({ box, mask, quality }) => ({ label: 'object', score: quality, box, origin: 'segmenter', mask }));
}
