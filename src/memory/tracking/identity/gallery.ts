import { z } from 'zod';
import { savedEmbedding, saveEmbedding } from '../../state/saved-state.js';

/** Most looks of one object: front, back, side, and one more. */
const MAX_APPEARANCES = 4;
/** A look is taken this often at most, s: embeddings of successive frames tell nothing new. */
const SAMPLE_INTERVAL_S = 0.5;
/** A look counts as of another time when it was last taken this long ago, s. */
const SETTLED_S = 1;
/** A look counts as at most this many embeddings, so that it can still follow a change of light. */
const MAX_WEIGHT = 20;

const savedAppearanceSample = z.object({
  embedding: savedEmbedding,
  weight: z.number().positive(),
  t: z.number(),
});
export const savedGallery = z.array(savedAppearanceSample).max(MAX_APPEARANCES);
type Look = z.output<typeof savedAppearanceSample>;

/** A few embeddings that cover how one object has looked: successive ones are kept, the two most alike become one. */
export class Gallery {
  #looks: Look[] = [];

  get size(): number {
    return this.#looks.length;
  }

  /** @param embedding unit length; embeddings of another length replace all before */
  add(embedding: Float32Array, t: number): void {
    if (this.#looks[0] && this.#looks[0].embedding.length !== embedding.length) this.#looks = [];
    const newest = this.#looks.at(-1);
    if (newest && t - newest.t < SAMPLE_INTERVAL_S) return;
    this.#looks.push({ embedding, weight: 1, t });
    if (this.#looks.length > MAX_APPEARANCES) this.#mergeClosest();
  }

  /** Takes over the looks of the same object from before. */
  adopt(older: Gallery): void {
    this.#looks = [...older.#looks, ...this.#looks];
    while (this.#looks.length > MAX_APPEARANCES) this.#mergeClosest();
  }

  /** Largest cosine of a embedding with the looks; undefined without any to compare with. */
  cosine(embedding: Float32Array | undefined): number | undefined {
    return this.#cosine(embedding, Infinity);
  }

  /** The same with looks of more than a moment before `t` only. */
  cosineWithPast(embedding: Float32Array, t: number): number | undefined {
    return this.#cosine(embedding, t - SETTLED_S);
  }

  #cosine(embedding: Float32Array | undefined, before: number): number | undefined {
    let best: number | undefined;
    for (const look of this.#looks) {
      if (embedding?.length !== look.embedding.length || look.t > before) continue;
      best = Math.max(best ?? -1, dot(embedding, look.embedding));
    }
    return best;
  }

  /** The merged look stands where the newer of the two stood: the list stays in order of time. */
  #mergeClosest(): void {
    let [older, newer, most] = [0, 1, -Infinity];
    this.#looks.forEach((a, i) =>
      this.#looks.slice(i + 1).forEach((b, k) => {
        const cosine = dot(a.embedding, b.embedding);
        if (cosine > most) [older, newer, most] = [i, i + 1 + k, cosine];
      }),
    );
    const [a, b] = [this.#looks[older] as Look, this.#looks[newer] as Look];
    const share = b.weight / (a.weight + b.weight);
    this.#looks[newer] = {
      embedding: blend(a.embedding, b.embedding, share),
      weight: Math.min(a.weight + b.weight, MAX_WEIGHT),
      t: b.t,
    };
    this.#looks.splice(older, 1);
  }

  saveState(): z.input<typeof savedGallery> {
    return this.#looks.map(({ embedding, weight, t }) => ({
      embedding: saveEmbedding(embedding),
      weight,
      t,
    }));
  }

  static restore(looks: z.output<typeof savedGallery>): Gallery {
    const gallery = new Gallery();
    gallery.#looks = [...looks];
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
