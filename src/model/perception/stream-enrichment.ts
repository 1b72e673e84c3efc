import type { Frame } from '../../core/video/frame.js';
import type { Detection, Effort } from '../../core/percept.js';
import { SceneWindow } from './scene-window.js';
import type { SceneAnswer, DetectorAnswer } from '../detector/detector-protocol.js';
import { bestOf, enrichmentOf, MAX_SEGMENTS, type AnalysisRequest } from './frame-analyzer.js';
import { iou } from '../../core/maths/box.js';
import type { GridOptions } from '../segment/sam/sam-masks.js';
import type { SamAnswer, SamThread } from '../segment/sam/sam-thread.js';

/** `auto`: where there is a model, unless the effort excludes masks. `on`: at any load. */
export type MaskMode = 'auto' | 'on' | 'off';

export interface StreamEnrichmentOptions {
  readonly masks: MaskMode;
  /** The results that the workers can compute. */
  readonly available: {
    readonly masks: boolean;
    readonly embeddings: boolean;
    readonly sceneEmbeddings: boolean;
  };
  readonly encodeScene: (grids: Float32Array) => Promise<SceneAnswer>;
  /** A SAM-family model for the masks, instead of the detector's workers. */
  readonly sam?: Pick<SamThread, 'encode'> | undefined;
  /** Interval of SAM runs, s of media time. */
  readonly samEveryS: number;
  /** Points at which SAM also finds objects without a detection. Default: none. */
  readonly samGrid?: GridOptions | undefined;
}

/** Share of the frame above which a mask shows the ground or the sky. */
const MAX_OBJECT_AREA = 0.25;
/** A mask whose box overlaps a detection's by more than this shows the same object. */
const SAME_OBJECT_IOU = 0.5;
/** Tolerance of frame times, which are rounded decimal numbers, s. */
const SLACK_S = 1e-6;

/**
 * Enrichment of one stream: selects by media time and effort which frames get masks, appearances and scene embeddings, and
 * adds those that the detector's workers do not compute with the detections.
 */
export class StreamEnrichment {
  readonly #options: StreamEnrichmentOptions;
  readonly #window = new SceneWindow();
  #effort: Pick<Effort, 'masks' | 'embeddings'> = { masks: true, embeddings: true };
  #nextSamS = -Infinity;

  constructor(options: StreamEnrichmentOptions) {
    this.#options = options;
  }

  setEffort(effort: Pick<Effort, 'masks' | 'embeddings'>): void {
    this.#effort = effort;
  }

  /** Returns the request to the worker for the frame at `t`. Call once per frame with a detector run, in order. */
  requestFor(t: number): AnalysisRequest {
    const { available, sam } = this.#options;
    return {
      masks: available.masks && !sam && this.#masksEnabled,
      embeddings: available.embeddings && this.#effort.embeddings,
      grid: available.sceneEmbeddings && this.#window.isDue(t),
    };
  }

  /**
   * Adds SAM masks and the scene embedding. Call in order, each call after the previous one has settled.
   * @param detections final boxes, frame fractions
   * @throws {PresageError} inference_failed, worker_crashed (retryable), interrupted
   */
  async complete(
    frame: Frame,
    { grid }: Pick<DetectorAnswer, 'grid'>,
    detections: readonly Detection[],
  ): Promise<{ detections: readonly Detection[]; sceneEmbedding?: Float32Array }> {
    const grids = grid && this.#window.add(frame.t, grid);
    const [segmented, scene] = await Promise.all([
      this.#segment(frame, detections),
      grids && this.#options.encodeScene(grids),
    ]);
    return { detections: segmented, ...(scene?.embedding && { sceneEmbedding: scene.embedding }) };
  }

  /** Clears the state of the previous scene, because the scene has changed. */
  reset(): void {
    this.#window.clear();
  }

  get #masksEnabled(): boolean {
    const { masks } = this.#options;
    return masks === 'on' || (masks === 'auto' && this.#effort.masks);
  }

  async #segment(frame: Frame, detections: readonly Detection[]): Promise<readonly Detection[]> {
    const { sam, samEveryS, samGrid } = this.#options;
    if (!sam || !this.#masksEnabled || frame.t < this.#nextSamS - SLACK_S) return detections;
    this.#nextSamS = frame.t + samEveryS;
    const chosen = bestOf(detections, MAX_SEGMENTS);
    if (chosen.length === 0 && !samGrid) return detections;
    const { width, height } = frame.layout;
    const prompts = chosen.map(({ box }) => ({ box }));
    const { prompted, found } = await sam.encode({ pixels: frame.pixels, width, height }, prompts, samGrid);
    const enrichments = new Map(chosen.map((detection, row) => [detection, enrichmentOf(prompted[row])]));
    const segmented = detections.map((detection) => ({ ...detection, ...enrichments.get(detection) }));
    return [...segmented, ...newObjects(found, detections)];
  }
}

/** Returns the masks of the grid that are neither background nor shown by another detection. */
function newObjects(found: SamAnswer['found'], known: readonly Detection[]): Detection[] {
  return found
    .filter(({ box }) => box[2] * box[3] <= MAX_OBJECT_AREA)
    .filter(({ box }) => !known.some((other) => iou(other.box, box) > SAME_OBJECT_IOU))
    .slice(0, MAX_SEGMENTS)
    .map(({ box, mask, quality }) => ({ label: 'object', score: quality, box, origin: 'segmenter', mask }));
}
