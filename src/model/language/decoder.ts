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
  /** Rows whose logits are wanted, at least one. */
  readonly wanted: readonly number[];
  readonly past: KeyValueCache;
}

export interface DecoderOutput {
  /** Of each wanted row, over the vocabulary. */
  readonly logits: readonly Float32Array[];
  /** Of P + S positions; that of the past where it was not asked for. */
  readonly cache: KeyValueCache;
}

/** The graph `language.onnx` (docs/fused-model.md). Blocks its thread while it computes. */
export class Decoder implements AsyncDisposable {
  readonly layers: number;
  readonly #session: ModelSession;

  private constructor(session: ModelSession, layers: number) {
    this.#session = session;
    this.layers = layers;
  }

  /** @throws PresageError `model_invalid` */
  static async open(path: string, threads: number): Promise<Decoder> {
    // The names are only known once it is open; layers beyond the last are names that nothing has.
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

  /** @param keep whether keys and values are wanted. @throws PresageError `inference_failed` */
  async run(input: DecoderInput, keep: boolean): Promise<DecoderOutput> {
    const { past, wanted } = input;
    const rows = input.positions.length;
    const kept = Array.from({ length: keep ? this.layers : 0 }, (_, i) => i);
    const names = kept.flatMap((i) => [`present_key_${i}`, `present_value_${i}`]);
    const outputs = await this.#session.run(feedOf(input, rows), ['logits', ...names]);
    const { data, dims } = outputs['logits'] ?? { data: new Float32Array(0), dims: [] };
    const vocabulary = dims[2] ?? 0;
    const logits = wanted.map((_, i) => data.subarray(i * vocabulary, (i + 1) * vocabulary));
    if (!keep) return { logits, cache: past };
    const part = (name: string): Float32Array => outputs[name]?.data ?? new Float32Array(0);
    const layers = kept.map((i) => ({ key: part(`present_key_${i}`), value: part(`present_value_${i}`) }));
    return { logits, cache: { length: past.length + rows, layers } };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** SmolLM2-135M has 30. */
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
