import type { Detection } from '../../core/percept.js';
import { SceneEncoder, type SceneEncoderOptions } from './scene-encoder.js';
import { Detector, type DetectorOptions } from '../detector/detector.js';
import { fuseProposals } from './fusion.js';
import type { Letterbox } from '../detector/letterbox.js';
import type { Picture } from '../runtime/planes.js';
import { ObjectHead, type ObjectHeadOptions } from '../segment/object-head.js';
import type { Segment } from '../segment/segmenter.js';

/** What one worker loads. */
export interface AnalyzerOptions extends DetectorOptions {
  /** Only objects of these labels get masks and embeddings. Default: all. */
  readonly labels?: readonly string[];
  /** Makes masks, object embeddings and the grids of clip embeddings; without it there are none. */
  readonly objects?: ObjectHeadOptions;
  readonly scene?: SceneEncoderOptions;
}

/** What is wanted beyond detections. */
export interface AnalysisRequest {
  readonly masks?: boolean;
  readonly embeddings?: boolean;
  /** The pooled features of the whole picture, for the clip embedding. */
  readonly grid?: boolean;
  /** What motion proposes: fused with the detections, so that masks and embeddings are those of the final boxes. */
  readonly proposals?: readonly Detection[];
  /** Detections of this score or more get masks and embeddings. Default `MIN_ENRICHED_SCORE`. */
  readonly minScore?: number;
}

export interface FrameAnalysis {
  readonly fit: Letterbox;
  /** Of all labels, best first, then what motion alone proposed; with masks and embeddings where wanted. */
  readonly detections: readonly Detection[];
  /** Objects that got neither mask nor embedding because there were too many. */
  readonly unsegmented: number;
  /** [48, 256] */
  readonly grid?: Float32Array;
}

/** What can be said of an object beyond its box. */
type ObjectEnrichment = Pick<Detection, 'mask' | 'embedding'>;

/** Weaker detections only bridge gaps of a track (ByteTrack's second stage): they are not worth a look, 1 ms each. */
export const MIN_ENRICHED_SCORE = 0.5;
/** Most boxes of one frame that get masks and embeddings, by score: bounds the head's cost on a crowded picture. */
export const MAX_SEGMENTS = 64;

/** All models that look at one frame, one after the other on one thread. Blocks it while they compute. */
export class FrameAnalyzer implements AsyncDisposable {
  readonly #detector: Detector;
  readonly #head: ObjectHead | undefined;
  readonly #clip: SceneEncoder | undefined;
  readonly #labels: ReadonlySet<string> | undefined;

  private constructor(parts: {
    detector: Detector;
    head: ObjectHead | undefined;
    clip: SceneEncoder | undefined;
    labels: ReadonlySet<string> | undefined;
  }) {
    this.#detector = parts.detector;
    this.#head = parts.head;
    this.#clip = parts.clip;
    this.#labels = parts.labels;
  }

  /** @throws PresageError `model_invalid` or `device_unavailable` */
  static async open({ labels, objects, scene: clip, ...detector }: AnalyzerOptions): Promise<FrameAnalyzer> {
    return new FrameAnalyzer({
      detector: await Detector.open(detector),
      head: objects && (await ObjectHead.open(objects)),
      clip: clip && (await SceneEncoder.open(clip)),
      labels: labels && new Set(labels),
    });
  }

  /** @throws PresageError `inference_failed` */
  async analyze(picture: Picture, wants: AnalysisRequest): Promise<FrameAnalysis> {
    const {
      masks = false,
      embeddings = false,
      grid = false,
      proposals = [],
      minScore = MIN_ENRICHED_SCORE,
    } = wants;
    const head = masks || embeddings || grid ? this.#head : undefined;
    const {
      fit,
      detections: found,
      features,
      own,
    } = await this.#detector.detect(picture, head !== undefined);
    const detections = fuseProposals(found, proposals);
    if (!head || !features) return { fit, detections, unsegmented: 0 };
    const worth = (masks || embeddings ? detections : []).filter(
      ({ label, score }) => score >= minScore && (this.#labels?.has(label) ?? true),
    );
    const chosen = bestOf(worth, MAX_SEGMENTS);
    const { segments, grid: pooled } = await head.run({ ...own, features }, chosen, {
      masks,
      embeddings,
      grid,
    });
    const looks = new Map(chosen.map((detection, row) => [detection, enrichmentOf(segments[row])]));
    return {
      fit,
      detections: detections.map((detection) => ({ ...detection, ...looks.get(detection) })),
      unsegmented: worth.length - chosen.length,
      ...(pooled && { grid: pooled }),
    };
  }

  /**
   * @param grids of the last seconds, see `SceneEncoder`
   * @returns undefined where there is no clip model
   * @throws PresageError `inference_failed`
   */
  async encodeScene(grids: Float32Array): Promise<Float32Array | undefined> {
    return this.#clip?.encode(grids);
  }

  async close(): Promise<void> {
    await this.#clip?.close();
    await this.#head?.close();
    await this.#detector.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Those with the highest scores, in their order. */
export function bestOf<T extends { readonly score: number }>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  const best = new Set([...all].sort((a, b) => b.score - a.score).slice(0, most));
  return all.filter((one) => best.has(one));
}

/** A segment as a detection carries it. */
export function enrichmentOf(segment: Segment | undefined): ObjectEnrichment {
  return {
    ...(segment?.mask && { mask: segment.mask }),
    ...(segment?.embedding && { embedding: segment.embedding }),
  };
}
