/** What an entry of the attention bias is for what must not be seen; 0 for the rest. */
const HIDDEN = -10_000;

/** A tree of tokens: each stands after its parent, and does not see its siblings. Row-major in order of adding. */
export class TokenTree {
  readonly tokens: number[] = [];
  /** Index of the token before, -1 where the context is. */
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  /** By `parent/token`. */
  readonly #children = new Map<string, number>();

  get size(): number {
    return this.tokens.length;
  }

  /** Nodes that `add` would make for the sequence. */
  missing(sequence: readonly number[], parent = -1): number {
    let at = parent;
    for (let i = 0; i < sequence.length; i++) {
      const next = this.#children.get(`${at}/${sequence[i] ?? ''}`);
      if (next === undefined) return sequence.length - i;
      at = next;
    }
    return 0;
  }

  /** Adds a sequence after a node; what it shares with others there is shared. Returns the index of its last token. */
  add(sequence: readonly number[], parent = -1): number {
    let at = parent;
    for (const token of sequence) {
      const key = `${at}/${token}`;
      let next = this.#children.get(key);
      if (next === undefined) {
        next = this.tokens.length;
        this.tokens.push(token);
        this.#parents.push(at);
        this.#depths.push(at < 0 ? 0 : (this.#depths[at] ?? 0) + 1);
        this.#children.set(key, next);
      }
      at = next;
    }
    return at;
  }

  /** Position of each token after a context of `past` tokens. */
  positions(past: number): BigInt64Array {
    return BigInt64Array.from(this.#depths, (depth) => BigInt(past + depth));
  }

  /** Attention bias [size, past + size]: a token sees the context, its ancestors and itself. */
  bias(past: number): Float32Array {
    const total = past + this.size;
    const bias = new Float32Array(this.size * total).fill(HIDDEN);
    for (let row = 0; row < this.size; row++) {
      bias.fill(0, row * total, row * total + past);
      for (let at = row; at >= 0; at = this.#parents[at] ?? -1) bias[row * total + past + at] = 0;
    }
    return bias;
  }
}
