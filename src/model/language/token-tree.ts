/** Attention bias of positions that a token must not attend to; 0 for the others. */
const HIDDEN = -10_000;

/** A tree of tokens: each follows its parent and does not attend to its siblings. Rows are in the order of insertion. */
export class TokenTree {
  readonly tokens: number[] = [];
  /** Index of the previous token; -1: the context. */
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  /** By `parent/token`. */
  readonly #children = new Map<string, number>();

  get size(): number {
    return this.tokens.length;
  }

  /** Returns the number of nodes that `add` would create for the sequence. */
  missing(sequence: readonly number[], parent = -1): number {
    let at = parent;
    for (let i = 0; i < sequence.length; i++) {
      const next = this.#children.get(`${at}/${sequence[i] ?? ''}`);
      if (next === undefined) return sequence.length - i;
      at = next;
    }
    return 0;
  }

  /** Adds a sequence after a node and reuses a common beginning. Returns the index of its last token. */
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

  /** Returns the position of each token after a context of `past` tokens. */
  positions(past: number): BigInt64Array {
    return BigInt64Array.from(this.#depths, (depth) => BigInt(past + depth));
  }

  /** Returns the attention bias [size, past + size]: a token attends to the context, its ancestors and itself. */
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
