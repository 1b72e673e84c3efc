import { i420Layout } from '../../core/video/frame.js';
import type { Detection } from '../../core/percept.js';
import { decodeDetections, type DecodeOptions } from './decode.js';
import { fitLetterbox, type Letterbox } from './letterbox.js';
import { ModelSession, type Device, type InputTensor, type OutputTensor } from '../runtime/ort.js';
import { i420Planes, type Picture } from '../runtime/planes.js';

export interface DetectorOptions extends DecodeOptions {
  /** Path of the verified model file. */
  readonly path: string;
  readonly device: Device;
  /** Threads inside one operator. */
  readonly threads: number;
  /** Length of the picture's longer side on the canvas, px, a multiple of 32. */
  readonly longSidePx: number;
}

/** Outputs of the feature pyramid, [channels, height, width] at 1/8, 1/16 and 1/32 of the canvas. */
export const FEATURE_MAPS = ['p3', 'p4', 'p5'] as const;
type FeatureMaps = Record<(typeof FEATURE_MAPS)[number], OutputTensor>;

/** The feature maps of one picture. */
export interface FeatureView {
  readonly maps: FeatureMaps;
  /** Share of the maps' width and height that the picture covers; the rest is border. */
  readonly covered: readonly [width: number, height: number];
}

export interface RawInference {
  readonly fit: Letterbox;
  /** [1, cells, 80] */
  readonly scores: OutputTensor;
  /** [1, cells, 4] */
  readonly boxes: OutputTensor;
  readonly features?: FeatureView;
}

export interface DetectorResult {
  readonly fit: Letterbox;
  readonly detections: Detection[];
  readonly features: FeatureView | undefined;
  /** A copy of the picture on unshared memory, which models require; valid until the next call. */
  readonly own: Picture;
}

/** The detector on the calling thread, which it blocks while it computes. */
export class Detector implements AsyncDisposable {
  readonly #options: DetectorOptions;
  readonly #session: ModelSession;
  /** The native binding rejects SharedArrayBuffers, so each picture is copied once (0.1 ms at 768 × 576). */
  #copy = new Uint8Array(0);

  private constructor(options: DetectorOptions, session: ModelSession) {
    this.#options = options;
    this.#session = session;
  }

  /** @throws {PresageError} model_invalid, device_unavailable */
  static async open(options: DetectorOptions): Promise<Detector> {
    return new Detector(options, await ModelSession.open(options.path, options));
  }

  /** @throws {PresageError} inference_failed */
  async detect(picture: Picture, withFeatures = false): Promise<DetectorResult> {
    const own = this.#own(picture);
    const { fit, scores, boxes, features } = await this.infer(own, withFeatures);
    const detections = decodeDetections({ scores: scores.data, boxes: boxes.data }, fit, this.#options);
    return { fit, detections, own, features };
  }

  /**
   * Runs the network and returns its outputs without decoding.
   * @throws {PresageError} inference_failed
   */
  async infer(picture: Picture, withFeatures = false): Promise<RawInference> {
    const fit = fitLetterbox(picture.width, picture.height, this.#options.longSidePx);
    const feed = this.#feed(picture, fit);
    if (!withFeatures) return { fit, ...(await this.#session.run(feed, ['scores', 'boxes'])) };
    const { scores, boxes, ...maps } = await this.#session.run(feed, ['scores', 'boxes', ...FEATURE_MAPS]);
    const { contentWidth, contentHeight, canvasWidth, canvasHeight } = fit;
    const covered = [contentWidth / canvasWidth, contentHeight / canvasHeight] as const;
    return { fit, scores, boxes, features: { maps, covered } };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #feed(picture: Picture, fit: Letterbox): Record<string, InputTensor> {
    return {
      ...i420Planes(this.#own(picture)),
      content: size(fit.contentHeight, fit.contentWidth),
      canvas: size(fit.canvasHeight, fit.canvasWidth),
    };
  }

  /** Copies the picture to unshared memory unless it is the copy already. */
  #own({ pixels, width, height }: Picture): Picture {
    if (pixels === this.#copy) return { pixels, width, height };
    const { byteLength } = i420Layout(width, height);
    if (this.#copy.length !== byteLength) this.#copy = new Uint8Array(byteLength);
    this.#copy.set(pixels.subarray(0, byteLength));
    return { pixels: this.#copy, width, height };
  }
}

function size(height: number, width: number): InputTensor {
  return { type: 'int64', data: BigInt64Array.of(BigInt(height), BigInt(width)), dims: [2] };
}
