import { readFile } from 'node:fs/promises';
import { PresageError } from '../../core/errors.js';

/** Width of the language model's rows. */
export const WIDTH = 576;
const BYTES_PER_SCALE = 4;

/**
 * One int8 row with a float32 scale per token (docs/fused-model.md). The lookup is outside the graph so that a prefix can
 * precede the text.
 */
export class EmbeddingTable {
  readonly size: number;
  readonly #rows: Int8Array;
  readonly #scales: Float32Array;

  constructor(bytes: Uint8Array) {
    this.size = bytes.length / (WIDTH + BYTES_PER_SCALE);
    if (!Number.isInteger(this.size) || this.size === 0)
      throw new PresageError(
        'model_invalid',
        `the embeddings have ${bytes.length} bytes, not a whole number of rows`,
      );
    // A copy: the scales must be aligned.
    const buffer = bytes.slice().buffer;
    this.#rows = new Int8Array(buffer, 0, this.size * WIDTH);
    this.#scales = new Float32Array(buffer, this.size * WIDTH, this.size);
  }

  /** @throws {PresageError} model_missing, model_invalid */
  static async open(path: string): Promise<EmbeddingTable> {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new PresageError('model_missing', `${path} cannot be read`, { cause });
    });
    return new EmbeddingTable(bytes);
  }

  /**
   * Writes the rows of tokens, [tokens, 576], into `into` from `offset` (floats) on.
   * @throws {PresageError} inference_failed — a token is not in the vocabulary
   */
  lookUp(tokens: readonly number[], into: Float32Array, offset: number): void {
    tokens.forEach((token, at) => {
      const scale = this.#scales[token];
      if (scale === undefined)
        throw new PresageError('inference_failed', `token ${token} is not in the vocabulary`);
      const row = token * WIDTH;
      const start = offset + at * WIDTH;
      for (let i = 0; i < WIDTH; i++) into[start + i] = (this.#rows[row + i] ?? 0) * scale;
    });
  }
}
