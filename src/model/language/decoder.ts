import { PresageError } from '../../core/errors.js';
import { ModelSession, type InputTensor } from '../runtime/ort.js';
import { WIDTH } from './embedding-table.js';
import { HEADS, HEAD_WIDTH, type KeyValueCache } from './key-value-cache.js';

/** One run of the decoder: S rows after a context of P positions. */
export interface DecoderInput {
  /** [S, 576] */
  readonly embedded: Float32Array;
  /** [S] */
  readonly positions: BigInt64Array;
  /** [S, P + S] */
  readonly bias: Float32Array;
  /** Rows to return logits for, at least one. */
  readonly wanted: readonly number[];
  readonly past: KeyValueCache;
}

export interface DecoderOutput {
  /** [vocabulary] for each wanted row. */
  readonly logits: readonly Float32Array[];
  /** Of P + S positions; the past cache when `keep` is false. */
  readonly cache: KeyValueCache;
}

/** The graph `language.onnx` (docs/fused-model.md). Blocks the calling thread while it computes. */
export class Decoder implements AsyncDisposable {
  readonly layers: number;
  readonly #session: ModelSession;

  private constructor(session: ModelSession, layers: number) {
    this.#session = session;
    this.layers = layers;
  }

  /** @throws {PresageError} model_invalid */
  static async open(path: string, threads: number): Promise<Decoder> {
    // The number of layers is unknown before the session opens; names of layers beyond the last have no effect.
    const mayBeEmpty = Array.from({ length: MAX_LAYERS }, (_, i) => [`past_key_${i}`, `past_value_${i}`]);
    const options = { device: 'cpu', threads, arena: false, mayBeEmpty: mayBeEmpty.flat() } as const;
    const session = await ModelSession.open(path, options);
    const layers = session.inputs.filter(({ name }) => name.startsWith('past_key_')).length;
    if (layers === 0 || !session.outputs.includes('logits')) {
      await session.close();
      throw new PresageError('model_invalid', `${path} is not a decoder with keys and values`);
    }
    return new Decoder(session, layers);
  }

  /**
   * @param keep true: return keys and values
   * @throws {PresageError} inference_failed
   */
  async run(input: DecoderInput, keep: boolean): Promise<DecoderOutput> {
    const { past, wanted } = input;
    const rows = input.positions.length;
    const indices = Array.from({ length: keep ? this.layers : 0 }, (_, i) => i);
    const names = indices.flatMap((i) => [`present_key_${i}`, `present_value_${i}`]);
    const outputs = await this.#session.run(feedOf(input, rows), ['logits', ...names]);
    const { data, dims } = outputs['logits'] ?? { data: new Float32Array(0), dims: [] };
    const vocabulary = dims[2] ?? 0;
    const logits = wanted.map((_, i) => data.subarray(i * vocabulary, (i + 1) * vocabulary));
    if (!keep) return { logits, cache: past };
    const output = (name: string): Float32Array => outputs[name]?.data ?? new Float32Array(0);
    const layers = indices.map((i) => ({
      key: output(`present_key_${i}`),
      value: output(`present_value_${i}`),
    }));
    return { logits, cache: { length: past.length + rows, layers } };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Maximum number of layers; SmolLM2-135M has 30. */
const MAX_LAYERS = 64;

function feedOf(input: DecoderInput, rows: number): Record<string, InputTensor> {
  const { past, wanted } = input;
  const feed: Record<string, InputTensor> = {
    inputs_embeds: { type: 'float32', data: input.embedded, dims: [1, rows, WIDTH] },
    position_ids: { type: 'int64', data: input.positions, dims: [1, rows] },
    attention_bias: { type: 'float32', data: input.bias, dims: [1, 1, rows, past.length + rows] },
    logit_positions: { type: 'int64', data: BigInt64Array.from(wanted, BigInt), dims: [wanted.length] },
  };
  past.layers.forEach(({ key, value }, i) => {
    const dims = [1, HEADS, past.length, HEAD_WIDTH];
    feed[`past_key_${i}`] = { type: 'float32', data: key, dims };
    feed[`past_value_${i}`] = { type: 'float32', data: value, dims };
  });
  return feed;
}
