import { createHash } from 'node:crypto';
import type { VisualTokens } from '../../core/learned-models.js';
import { ModelSession, type InputTensor } from '../runtime/ort.js';
import { trackFeed } from '../learned/track-feed.js';

/** Rows of the visual prefix. */
export const PREFIX_ROWS = 32;
/** Width of the core's appearance and scene inputs. */
const EMBEDDING_WIDTH = 256;

/** The graph `fusion.onnx` (docs/fused-model.md): converts tracks and embeddings to a prefix of the text. */
export class FusionCore implements AsyncDisposable {
  readonly #session: ModelSession;

  private constructor(session: ModelSession) {
    this.#session = session;
  }

  /** @throws {PresageError} model_invalid */
  static async open(path: string, threads: number): Promise<FusionCore> {
    const mayBeEmpty = ['clips', 'clip_age'];
    return new FusionCore(
      await ModelSession.open(path, { device: 'cpu', threads, arena: false, mayBeEmpty }),
    );
  }

  /**
   * Returns the visual prefix, [32, 576].
   * @throws {PresageError} inference_failed
   */
  async prefix(visual: VisualTokens): Promise<Float32Array> {
    const outputs = await this.#session.run(feedOf(visual), ['prefix']);
    return outputs.prefix.data;
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Returns a key that is equal for equal input, to reuse the prefix of an earlier request. */
export function visualKey({ tracks, slots, appearances, scenes }: VisualTokens): string {
  const hash = createHash('sha1');
  const numbers = [tracks.count, tracks.steps, tracks.aspect, ...tracks.kinds, ...slots];
  const arrays = [Float64Array.from(numbers), tracks.boxes, tracks.seen, tracks.ages, appearances];
  for (const array of arrays) hash.update(bytesOf(array));
  for (const { ageS, embedding } of scenes)
    hash.update(bytesOf(Float64Array.of(ageS))).update(bytesOf(embedding));
  return hash.digest('base64');
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function feedOf({ tracks, slots, appearances, scenes }: VisualTokens): Record<string, InputTensor> {
  const { count } = tracks;
  const sceneRows = new Float32Array(scenes.length * EMBEDDING_WIDTH);
  scenes.forEach(({ embedding }, i) =>
    sceneRows.set(embedding.subarray(0, EMBEDDING_WIDTH), i * EMBEDDING_WIDTH),
  );
  return {
    ...trackFeed(tracks),
    slot: { type: 'int64', data: BigInt64Array.from(slots, BigInt), dims: [count] },
    looks: { type: 'float32', data: appearances, dims: [count, EMBEDDING_WIDTH] },
    clips: { type: 'float32', data: sceneRows, dims: [scenes.length, EMBEDDING_WIDTH] },
    clip_age: { type: 'float32', data: Float32Array.from(scenes, ({ ageS }) => ageS), dims: [scenes.length] },
  };
}
