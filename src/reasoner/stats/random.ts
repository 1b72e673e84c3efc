/** Draws of the path sampler: seeded and cheap, so that the same history gives the same numbers on every machine. */

const TABLE_BITS = 12;
const TABLE_SIZE = 1 << TABLE_BITS;

/**
 * Rational approximation of the inverse normal distribution function, |relative error| < 1.2e-9.
 * Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function", 2003.
 */
function inverseNormal(p: number): number {
  const split = 0.02425;
  if (p < split) return lowerTail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - split) return -lowerTail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  const top =
    ((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
      30.66479806614716) *
      r +
    2.506628277459239;
  const bottom =
    ((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
      13.28068155288572) *
      r +
    1;
  return (top * q) / bottom;
}

function lowerTail(q: number): number {
  const top =
    ((((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) *
      q +
      4.374664141464968) *
      q +
    2.938163982698783;
  const bottom =
    (((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q +
    1;
  return top / bottom;
}

/** Quantiles of the standard normal at the middles of 4096 equal shares: a draw is one look-up. */
const NORMAL = Float64Array.from({ length: TABLE_SIZE }, (_, i) => inverseNormal((i + 0.5) / TABLE_SIZE));

/** 32-bit FNV-1a hash of a text, mixed with a number: the seed of one object at one moment. */
export function seedOf(text: string, tick: number): number {
  let hash = 0x811c9dc5 ^ (tick | 0);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** sfc32 (C. Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  /** @param seed any 32-bit integer. */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.imul(seed, 0x9e3779b9) | 0;
    this.#c = ~seed;
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Uniform in (0, 1). */
  uniform(): number {
    return (this.bits() + 0.5) / 4294967296;
  }

  /** Standard normal, cut at ±3.67. */
  normal(): number {
    return NORMAL[this.bits() >>> (32 - TABLE_BITS)] ?? 0;
  }

  /**
   * Fills `out` with one uniform of each of its n equal shares, in random order (stratified sampling): a share of the
   * paths that depends on one draw then has an error of order 1/n instead of 1/√n.
   */
  stratified(out: Float64Array): void {
    const n = out.length;
    for (let i = 0; i < n; i++) {
      const j = Math.floor(this.uniform() * (i + 1));
      out[i] = out[j] ?? 0;
      out[j] = (i + this.uniform()) / n;
    }
  }
}
