import type { Detection } from '../../core/percept.js';
import { ClipEncoder, type ClipEncoderOptions } from './scene-encoder.js';
import { Detector, type DetectorOptions } from '../detector/detector.js';
import { fuseProposals } from './fusion.js';
import type { Letterbox } from '../detector/letterbox.js';
import type { Picture } from '../runtime/planes.js';
import { ObjectHead, type ObjectHeadOptions } from '../segment/object-head.js';
import type { Segment } from '../segment/segmenter.js';

/** What one worker loads. */
export interface AnalyzerOptions extends DetectorOptions {
  /** Only objects of these labels get masks and tokens. Default: all. */
  readonly labels?: readonly string[];
  /** Makes masks, object tokens and the grids of clip tokens; without it there are none. */
  readonly objects?: ObjectHeadOptions;
  readonly clip?: ClipEncoderOptions;
}

/** What is wanted beyond detections. */
export interface AnalysisWants {
  readonly masks?: boolean;
  readonly tokens?: boolean;
  /** The pooled features of the whole picture, for the clip token. */
  readonly grid?: boolean;
  /** What motion proposes: fused with the detections, so that masks and tokens are those of the final boxes. */
  readonly proposals?: readonly Detection[];
  /** Detections of this score or more get masks and tokens. Default `LEAST_LOOK_SCORE`. */
  readonly leastScore?: number;
}

export interface FrameAnalysis {
  readonly fit: Letterbox;
  /** Of all labels, best first, then what motion alone proposed; with masks and tokens where wanted. */
  readonly detections: readonly Detection[];
  /** Objects that got neither mask nor token because there were too many. */
  readonly unsegmented: number;
  /** [48, 256] */
  readonly grid?: Float32Array;
}

/** What can be said of an object beyond its box. */
type ObjectLook = Pick<Detection, 'mask' | 'token'>;

/** Weaker detections only bridge gaps of a track (ByteTrack's second stage): they are not worth a look, 1 ms each. */
export const LEAST_LOOK_SCORE = 0.5;
/** Most boxes of one frame that get masks and tokens, by score: bounds the head's cost on a crowded picture. */
export const MAX_SEGMENTS = 64;

/** All models that look at one frame, one after the other on one thread. Blocks it while they compute. */
export class FrameAnalyzer implements AsyncDisposable {
  readonly #detector: Detector;
  readonly #head: ObjectHead | undefined;
  readonly #clip: ClipEncoder | undefined;
  readonly #labels: ReadonlySet<string> | undefined;

  private constructor(parts: {
    detector: Detector;
    head: ObjectHead | undefined;
    clip: ClipEncoder | undefined;
    labels: ReadonlySet<string> | undefined;
  }) {
    this.#detector = parts.detector;
    this.#head = parts.head;
    this.#clip = parts.clip;
    this.#labels = parts.labels;
  }

  /** @throws PresageError `model_invalid` or `device_unavailable` */
  static async open({ labels, objects, clip, ...detector }: AnalyzerOptions): Promise<FrameAnalyzer> {
    return new FrameAnalyzer({
      detector: await Detector.open(detector),
      head: objects && (await ObjectHead.open(objects)),
      clip: clip && (await ClipEncoder.open(clip)),
      labels: labels && new Set(labels),
    });
  }

  /** @throws PresageError `inference_failed` */
  async analyze(picture: Picture, wants: AnalysisWants): Promise<FrameAnalysis> {
    const {
      masks = false,
      tokens = false,
      grid = false,
      proposals = [],
      leastScore = LEAST_LOOK_SCORE,
    } = wants;
    const head = masks || tokens || grid ? this.#head : undefined;
    const {
      fit,
      detections: found,
      features,
      own,
    } = await this.#detector.detect(picture, head !== undefined);
    const detections = fuseProposals(found, proposals);
    if (!head || !features) return { fit, detections, unsegmented: 0 };
    const worth = (masks || tokens ? detections : []).filter(
      ({ label, score }) => score >= leastScore && (this.#labels?.has(label) ?? true),
    );
    const chosen = bestOf(worth, MAX_SEGMENTS);
    const { segments, grid: pooled } = await head.run({ ...own, features }, chosen, { masks, tokens, grid });
    const looks = new Map(chosen.map((detection, row) => [detection, lookOf(segments[row])]));
    return {
      fit,
      detections: detections.map((detection) => ({ ...detection, ...looks.get(detection) })),
      unsegmented: worth.length - chosen.length,
      ...(pooled && { grid: pooled }),
    };
  }

  /**
   * @param grids of the last seconds, see `ClipEncoder`
   * @returns undefined where there is no clip model
   * @throws PresageError `inference_failed`
   */
  async encodeClip(grids: Float32Array): Promise<Float32Array | undefined> {
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
export function lookOf(segment: Segment | undefined): ObjectLook {
  return {
    ...(segment?.mask && { mask: segment.mask }),
    ...(segment?.token && { token: segment.token }),
  };
}
