import { ModelSession, type Device } from '../runtime/ort.js';

export interface SceneEncoderOptions {
  /** Path of the verified model file. */
  readonly path: string;
  readonly device: Device;
  readonly threads: number;
}

/** Frames of one clip, how many a second, and what each is: 48 cells of 256 pooled features. */
export const SCENE_GRIDS = 16;
export const SCENE_FPS = 4;
export const GRID_LENGTH = 48 * 256;

/** Temporal encoder: what the last seconds showed as a whole. Blocks its thread while it computes. */
export class SceneEncoder implements AsyncDisposable {
  readonly #session: ModelSession;

  private constructor(session: ModelSession) {
    this.#session = session;
  }

  /** @throws PresageError `model_invalid` or `device_unavailable` */
  static async open(options: SceneEncoderOptions): Promise<SceneEncoder> {
    return new SceneEncoder(await ModelSession.open(options.path, options));
  }

  /**
   * @param grids [16, 48, 256] at 4 a second, oldest first
   * @returns [256], unit length
   * @throws PresageError `inference_failed`
   */
  async encode(grids: Float32Array): Promise<Float32Array> {
    const grid = { type: 'float32', data: grids, dims: [1, SCENE_GRIDS, 48, 256] } as const;
    const { token: embedding } = await this.#session.run({ grid }, ['token']);
    return embedding.data.slice();
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
