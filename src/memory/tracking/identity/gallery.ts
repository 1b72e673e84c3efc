import { z } from 'zod';
import { savedEmbedding, saveEmbedding } from '../../state/saved-state.js';

/** Maximum number of appearances of one object: front, back, side, and one more. */
const MAX_APPEARANCES = 4;
/** Minimum interval between appearances, s: embeddings of successive frames add no information. */
const SAMPLE_INTERVAL_S = 0.5;
/** An appearance counts as past when it was last updated this long ago, s. */
const SETTLED_S = 1;
/** Maximum weight of an appearance in embeddings, so that it can still follow a change of light. */
const MAX_WEIGHT = 20;

const savedAppearanceSample = z.object({
  embedding: savedEmbedding,
  weight: z.number().positive(),
  t: z.number(),
});
export const savedGallery = z.array(savedAppearanceSample).max(MAX_APPEARANCES);
type AppearanceSample = z.output<typeof savedAppearanceSample>;

/**
 * A few embeddings that cover the appearances of one object: new ones are added, and the two most similar are merged.
 */
export class Gallery {
  #samples: AppearanceSample[] = [];

  get size(): number {
    return this.#samples.length;
  }

  /** @param embedding unit length; embeddings of another length replace all earlier ones */
  add(embedding: Float32Array, t: number): void {
    if (this.#samples[0] && this.#samples[0].embedding.length !== embedding.length) this.#samples = [];
    const newest = this.#samples.at(-1);
    if (newest && t - newest.t < SAMPLE_INTERVAL_S) return;
    this.#samples.push({ embedding, weight: 1, t });
    if (this.#samples.length > MAX_APPEARANCES) this.#mergeClosest();
  }

  /** Adds the earlier appearances of the same object. */
  adopt(older: Gallery): void {
    this.#samples = [...older.#samples, ...this.#samples];
    while (this.#samples.length > MAX_APPEARANCES) this.#mergeClosest();
  }

  /** Maximum cosine of an embedding with the appearances; undefined when none is comparable. */
  cosine(embedding: Float32Array | undefined): number | undefined {
    return this.#cosine(embedding, Infinity);
  }

  /** The same, with appearances from more than a moment before `t` only. */
  cosineWithPast(embedding: Float32Array, t: number): number | undefined {
    return this.#cosine(embedding, t - SETTLED_S);
  }

  #cosine(embedding: Float32Array | undefined, before: number): number | undefined {
    let best: number | undefined;
    for (const sample of this.#samples) {
      if (embedding?.length !== sample.embedding.length || sample.t > before) continue;
      best = Math.max(best ?? -1, dot(embedding, sample.embedding));
    }
    return best;
  }

  /** The merged appearance takes the position of the newer one: the list stays in order of time. */
  #mergeClosest(): void {
    let [older, newer, max] = [0, 1, -Infinity];
    this.#samples.forEach((a, i) =>
      this.#samples.slice(i + 1).forEach((b, k) => {
        const cosine = dot(a.embedding, b.embedding);
        if (cosine > max) [older, newer, max] = [i, i + 1 + k, cosine];
      }),
    );
    const [a, b] = [this.#samples[older] as AppearanceSample, this.#samples[newer] as AppearanceSample];
    const share = b.weight / (a.weight + b.weight);
    this.#samples[newer] = {
      embedding: blend(a.embedding, b.embedding, share),
      weight: Math.min(a.weight + b.weight, MAX_WEIGHT),
      t: b.t,
    };
    this.#samples.splice(older, 1);
  }

  saveState(): z.input<typeof savedGallery> {
    return this.#samples.map(({ embedding, weight, t }) => ({
      embedding: saveEmbedding(embedding),
      weight,
      t,
    }));
  }

  static restore(samples: z.output<typeof savedGallery>): Gallery {
    const gallery = new Gallery();
    gallery.#samples = [...samples];
    return gallery;
  }
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) sum += (a[k] as number) * (b[k] as number);
  return sum;
}

/** (1 − weight) · a + weight · b, scaled to unit length. */
export function blend(a: Float32Array, b: Float32Array, weight: number): Float32Array {
  const mixed = a.map((value, k) => (1 - weight) * value + weight * (b[k] ?? 0));
  const length = Math.sqrt(dot(mixed, mixed)) || 1;
  return mixed.map((value) => value / length);
}
