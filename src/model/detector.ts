import { i420Layout } from '../core/frame.js';
import type { Detection } from '../core/stages.js';
import { decodeDetections, type DecodeOptions } from './decode.js';
import { fitLetterbox, type Letterbox } from './letterbox.js';
import { ModelSession, type Device, type InputTensor, type OutputTensor } from './ort.js';

export interface DetectorOptions extends DecodeOptions {
  /** Path of the verified model file. */
  readonly path: string;
  readonly device: Device;
  /** Threads inside one operator. */
  readonly threads: number;
  /** Length of the picture's longer side on the canvas, px, a multiple of 32. */
  readonly longSidePx: number;
}

/** An I420 picture (BT.601 limited range): Y, then U, then V. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Maps of the feature pyramid, [channels, height, width] at 1/8, 1/16 and 1/32 of the canvas. */
export const FEATURE_MAPS = ['p3', 'p4', 'p5'] as const;
export type FeatureMaps = Record<(typeof FEATURE_MAPS)[number], OutputTensor>;

export interface RawInference {
  readonly fit: Letterbox;
  /** [1, cells, 80] */
  readonly scores: OutputTensor;
  /** [1, cells, 4] */
  readonly boxes: OutputTensor;
  readonly features?: FeatureMaps;
}

export interface DetectorResult {
  readonly fit: Letterbox;
  readonly detections: Detection[];
  readonly features?: FeatureMaps;
}

/** The detector on one thread. Blocks it while it computes. */
export class Detector implements AsyncDisposable {
  readonly #options: DetectorOptions;
  readonly #session: ModelSession;
  /** The native binding refuses SharedArrayBuffers, so each picture is copied once (0.1 ms at 768 × 576). */
  #copy = new Uint8Array(0);

  private constructor(options: DetectorOptions, session: ModelSession) {
    this.#options = options;
    this.#session = session;
  }

  /** @throws PresageError `model_invalid` or `device_unavailable` */
  static async open(options: DetectorOptions): Promise<Detector> {
    return new Detector(options, await ModelSession.open(options.path, options));
  }

  /** @throws PresageError `inference_failed` */
  async detect(picture: Picture, wantFeatures = false): Promise<DetectorResult> {
    const { fit, scores, boxes, features } = await this.infer(picture, wantFeatures);
    const detections = decodeDetections({ scores: scores.data, boxes: boxes.data }, fit, this.#options);
    return { fit, detections, ...(features && { features }) };
  }

  /** The bare network, outputs not decoded. @throws PresageError `inference_failed` */
  async infer(picture: Picture, wantFeatures = false): Promise<RawInference> {
    const fit = fitLetterbox(picture.width, picture.height, this.#options.longSidePx);
    const feed = this.#feed(picture, fit);
    if (!wantFeatures) return { fit, ...(await this.#session.run(feed, ['scores', 'boxes'])) };
    const { scores, boxes, ...features } = await this.#session.run(feed, [
      'scores',
      'boxes',
      ...FEATURE_MAPS,
    ]);
    return { fit, scores, boxes, features };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #feed({ pixels, width, height }: Picture, fit: Letterbox): Record<string, InputTensor> {
    const { ySize, chromaSize, chromaWidth, chromaHeight, byteLength } = i420Layout(width, height);
    if (this.#copy.length !== byteLength) this.#copy = new Uint8Array(byteLength);
    this.#copy.set(pixels.subarray(0, byteLength));
    const plane = (from: number, rows: number, columns: number): InputTensor => {
      return {
        type: 'uint8',
        data: this.#copy.subarray(from, from + rows * columns),
        dims: [1, 1, rows, columns],
      };
    };
    return {
      y: plane(0, height, width),
      u: plane(ySize, chromaHeight, chromaWidth),
      v: plane(ySize + chromaSize, chromaHeight, chromaWidth),
      content: size(fit.contentHeight, fit.contentWidth),
      canvas: size(fit.canvasHeight, fit.canvasWidth),
    };
  }
}

function size(height: number, width: number): InputTensor {
  return { type: 'int64', data: BigInt64Array.of(BigInt(height), BigInt(width)), dims: [2] };
}
