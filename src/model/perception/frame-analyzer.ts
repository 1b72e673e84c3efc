import type { Detection } from '../../core/percept.js';
import { SceneEncoder, type SceneEncoderOptions } from './scene-encoder.js';
import { Detector, type DetectorOptions } from '../detector/detector.js';
import { fuseProposals } from './fusion.js';
import type { Letterbox } from '../detector/letterbox.js';
import type { Picture } from '../runtime/planes.js';
import { ObjectHead, type ObjectHeadOptions } from '../segment/object-head.js';
import type { Segment } from '../segment/segmenter.js';

/** Models and options of one worker. */
export interface AnalyzerOptions extends DetectorOptions {
  /** Only objects of these labels get masks and embeddings. Default: all. */
  readonly labels?: readonly string[] | undefined;
  /** The model of masks, appearances and the grids of scene embeddings; without it there are none. */
  readonly objects?: ObjectHeadOptions | undefined;
  readonly scene?: SceneEncoderOptions | undefined;
}

/** Results to compute in addition to detections. */
export interface AnalysisRequest {
  readonly masks?: boolean;
  readonly embeddings?: boolean;
  /** The pooled features of the whole picture, for the scene embedding. */
  readonly grid?: boolean;
  /** Proposals of motion: fused with the detections, so that masks and embeddings are those of the final boxes. */
  readonly proposals?: readonly Detection[] | undefined;
  /** Minimum score of detections that get masks and embeddings. Default `MIN_ENRICHED_SCORE`. */
  readonly minScore?: number;
}

export interface FrameAnalysis {
  readonly fit: Letterbox;
  /** Detections of all labels, best first, then remaining proposals; with masks and embeddings where requested. */
  readonly detections: readonly Detection[];
  /** Number of objects that got neither mask nor embedding because there were too many. */
  readonly unsegmented: number;
  /** [48, 256] */
  readonly grid?: Float32Array | undefined;
}

/** The enrichment of one detection. */
type ObjectEnrichment = Pick<Detection, 'mask' | 'embedding'>;

/** Weaker detections only bridge gaps of a track (ByteTrack's second stage): enriching them costs 1 ms each for no use. */
export const MIN_ENRICHED_SCORE = 0.5;
/** Maximum number of boxes of one frame that get masks and embeddings, by score: bounds the head's cost on a crowd. */
export const MAX_SEGMENTS = 64;

/** Runs all models for one frame in sequence on the calling thread, which it blocks while they compute. */
export class FrameAnalyzer implements AsyncDisposable {
  readonly #detector: Detector;
  readonly #head: ObjectHead | undefined;
  readonly #scene: SceneEncoder | undefined;
  readonly #labels: ReadonlySet<string> | undefined;

  private constructor(deps: {
    detector: Detector;
    head: ObjectHead | undefined;
    scene: SceneEncoder | undefined;
    labels: ReadonlySet<string> | undefined;
  }) {
    this.#detector = deps.detector;
    this.#head = deps.head;
    this.#scene = deps.scene;
    this.#labels = deps.labels;
  }

  /** @throws {PresageError} model_invalid, device_unavailable */
  static async open({ labels, objects, scene, ...detector }: AnalyzerOptions): Promise<FrameAnalyzer> {
    return new FrameAnalyzer({
      detector: await Detector.open(detector),
      head: objects && (await ObjectHead.open(objects)),
      scene: scene && (await SceneEncoder.open(scene)),
      labels: labels && new Set(labels),
    });
  }

  /** @throws {PresageError} inference_failed */
  async analyze(picture: Picture, request: AnalysisRequest): Promise<FrameAnalysis> {
    const {
      masks = false,
      embeddings = false,
      grid = false,
      proposals = [],
      minScore = MIN_ENRICHED_SCORE,
    } = request;
    const head = masks || embeddings || grid ? this.#head : undefined;
    const {
      fit,
      detections: found,
      features,
      own,
    } = await this.#detector.detect(picture, head !== undefined);
    const detections = fuseProposals(found, proposals);
    if (!head || !features) return { fit, detections, unsegmented: 0 };
    const eligible = (masks || embeddings ? detections : []).filter(
      ({ label, score }) => score >= minScore && (this.#labels?.has(label) ?? true),
    );
    const chosen = bestOf(eligible, MAX_SEGMENTS);
    const { segments, grid: pooled } = await head.run({ ...own, features }, chosen, {
      masks,
      embeddings,
      grid,
    });
    const enrichments = new Map(chosen.map((detection, row) => [detection, enrichmentOf(segments[row])]));
    return {
      fit,
      detections: detections.map((detection) => ({ ...detection, ...enrichments.get(detection) })),
      unsegmented: eligible.length - chosen.length,
      grid: pooled,
    };
  }

  /**
   * Computes the scene embedding.
   * @param grids of the last seconds, see `SceneEncoder`
   * @returns undefined where there is no scene encoder
   * @throws {PresageError} inference_failed
   */
  async encodeScene(grids: Float32Array): Promise<Float32Array | undefined> {
    return this.#scene?.encode(grids);
  }

  async close(): Promise<void> {
    await this.#scene?.close();
    await this.#head?.close();
    await this.#detector.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Returns the `max` elements with the highest scores, in their original order. */
export function bestOf<T extends { readonly score: number }>(all: readonly T[], max: number): readonly T[] {
  if (all.length <= max) return all;
  const best = new Set([...all].sort((a, b) => b.score - a.score).slice(0, max));
  return all.filter((one) => best.has(one));
}

/** Converts a segment to the fields of a detection. */
export function enrichmentOf(segment: Segment | undefined): ObjectEnrichment {
  return {
    ...(segment?.mask && { mask: segment.mask }),
    ...(segment?.embedding && { embedding: segment.embedding }),
  };
}
