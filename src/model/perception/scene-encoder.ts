import { ModelSession, type Device } from '../runtime/ort.js';

export interface SceneEncoderOptions {
  /** Path of the verified model file. */
  readonly path: string;
  readonly device: Device;
  readonly threads: number;
}

/** Grids of one scene embedding. */
export const SCENE_GRIDS = 16;
/** Grids per second of media time. */
export const SCENE_FPS = 4;
/** Numbers of one grid: 48 cells of 256 pooled features. */
export const GRID_LENGTH = 48 * 256;

/** Temporal encoder: the scene embedding of the last seconds. Blocks the calling thread while it computes. */
export class SceneEncoder implements AsyncDisposable {
  readonly #session: ModelSession;

  private constructor(session: ModelSession) {
    this.#session = session;
  }

  /** @throws {PresageError} model_invalid, device_unavailable */
  static async open(options: SceneEncoderOptions): Promise<SceneEncoder> {
    return new SceneEncoder(await ModelSession.open(options.path, options));
  }

  /**
   * @param grids [16, 48, 256] at 4 per second, oldest first
   * @returns [256], unit length
   * @throws {PresageError} inference_failed
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
