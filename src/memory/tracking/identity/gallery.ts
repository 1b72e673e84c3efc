import { z } from 'zod';
import { savedToken, saveToken } from '../../state/saved-state.js';

/** Most looks of one object: front, back, side, and one more. */
const MOST_LOOKS = 4;
/** A look is taken this often at most, s: tokens of successive frames tell nothing new. */
const LOOK_EVERY_S = 0.5;
/** A look counts as of another time when it was last taken this long ago, s. */
const SETTLED_S = 1;
/** A look counts as at most this many tokens, so that it can still follow a change of light. */
const MOST_WEIGHT = 20;

const savedLook = z.object({ token: savedToken, weight: z.number().positive(), t: z.number() });
export const savedGallery = z.array(savedLook).max(MOST_LOOKS);
type Look = z.output<typeof savedLook>;

/** A few tokens that cover how one object has looked: successive ones are kept, the two most alike become one. */
export class Gallery {
  #looks: Look[] = [];

  get size(): number {
    return this.#looks.length;
  }

  /** @param token unit length; tokens of another length replace all before */
  add(token: Float32Array, t: number): void {
    if (this.#looks[0] && this.#looks[0].token.length !== token.length) this.#looks = [];
    const newest = this.#looks.at(-1);
    if (newest && t - newest.t < LOOK_EVERY_S) return;
    this.#looks.push({ token, weight: 1, t });
    if (this.#looks.length > MOST_LOOKS) this.#mergeClosest();
  }

  /** Takes over the looks of the same object from before. */
  adopt(older: Gallery): void {
    this.#looks = [...older.#looks, ...this.#looks];
    while (this.#looks.length > MOST_LOOKS) this.#mergeClosest();
  }

  /** Largest cosine of a token with the looks; undefined without any to compare with. */
  cosine(token: Float32Array | undefined): number | undefined {
    return this.#cosine(token, Infinity);
  }

  /** The same with looks of more than a moment before `t` only. */
  cosineWithPast(token: Float32Array, t: number): number | undefined {
    return this.#cosine(token, t - SETTLED_S);
  }

  #cosine(token: Float32Array | undefined, before: number): number | undefined {
    let best: number | undefined;
    for (const look of this.#looks) {
      if (token?.length !== look.token.length || look.t > before) continue;
      best = Math.max(best ?? -1, dot(token, look.token));
    }
    return best;
  }

  /** The merged look stands where the newer of the two stood: the list stays in order of time. */
  #mergeClosest(): void {
    let [older, newer, most] = [0, 1, -Infinity];
    this.#looks.forEach((a, i) =>
      this.#looks.slice(i + 1).forEach((b, k) => {
        const cosine = dot(a.token, b.token);
        if (cosine > most) [older, newer, most] = [i, i + 1 + k, cosine];
      }),
    );
    const [a, b] = [this.#looks[older] as Look, this.#looks[newer] as Look];
    const share = b.weight / (a.weight + b.weight);
    this.#looks[newer] = {
      token: blend(a.token, b.token, share),
      weight: Math.min(a.weight + b.weight, MOST_WEIGHT),
      t: b.t,
    };
    this.#looks.splice(older, 1);
  }

  saveState(): z.input<typeof savedGallery> {
    return this.#looks.map(({ token, weight, t }) => ({ token: saveToken(token), weight, t }));
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
