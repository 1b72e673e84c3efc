/** The scores of a set of probabilities against what happened; the definitions of the evaluation's scorer. */

/** Bins of the calibration error, of equal mass. */
const ECE_BINS = 15;

export interface ReliabilityBin {
  /** Mean probability stated. */
  readonly p: number;
  /** Share that came true. */
  readonly observed: number;
  readonly n: number;
}

/** Mean squared error of the probabilities; null without items. */
export function brierScore(p: ArrayLike<number>, y: ArrayLike<number>): number | null {
  if (p.length === 0) return null;
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += ((p[i] ?? 0) - (y[i] ?? 0)) ** 2;
  return sum / p.length;
}

/** 1 − BS / BS of the reference probabilities; null where the reference is never wrong (no positives, or only). */
export function skillScore(
  p: ArrayLike<number>,
  y: ArrayLike<number>,
  reference: ArrayLike<number>,
): number | null {
  const own = brierScore(p, y);
  const base = brierScore(reference, y);
  return own === null || base === null || base <= 1e-12 ? null : 1 - own / base;
}

/** Average precision; tied probabilities are one step. Null without positives. */
export function averagePrecision(p: ArrayLike<number>, y: ArrayLike<number>): number | null {
  const order = Array.from({ length: p.length }, (_, i) => i).sort((a, b) => (p[b] ?? 0) - (p[a] ?? 0));
  let [sum, hits, counted] = [0, 0, 0];
  for (let k = 0; k < order.length; k++) {
    const i = order[k] ?? 0;
    hits += y[i] ?? 0;
    const next = order[k + 1];
    if (next !== undefined && p[next] === p[i]) continue;
    sum += ((hits - counted) * hits) / (k + 1);
    counted = hits;
  }
  return hits === 0 ? null : sum / hits;
}

/** Bins of equal mass by quantiles (linear between order statistics); equal probabilities stay in one bin. */
export function reliabilityBins(
  p: ArrayLike<number>,
  y: ArrayLike<number>,
  bins: number = ECE_BINS,
): ReliabilityBin[] {
  if (p.length === 0) return [];
  const sorted = Float64Array.from(p).sort();
  const edges = Array.from({ length: bins - 1 }, (_, i) => quantile(sorted, (i + 1) / bins));
  const sums = Array.from({ length: bins }, () => ({ p: 0, y: 0, n: 0 }));
  for (let i = 0; i < p.length; i++) {
    const value = p[i] ?? 0;
    const bin = sums[firstAtLeast(edges, value)];
    if (!bin) continue;
    bin.p += value;
    bin.y += y[i] ?? 0;
    bin.n += 1;
  }
  return sums.filter((b) => b.n > 0).map((b) => ({ p: b.p / b.n, observed: b.y / b.n, n: b.n }));
}

/** Expected calibration error: mean |stated − observed| over the bins, by mass; null without items. */
export function calibrationError(
  p: ArrayLike<number>,
  y: ArrayLike<number>,
  bins: number = ECE_BINS,
): number | null {
  if (p.length === 0) return null;
  return reliabilityBins(p, y, bins).reduce((sum, b) => sum + Math.abs(b.p - b.observed) * b.n, 0) / p.length;
}

/** Median; null without values. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return quantile(Float64Array.from(values).sort(), 0.5);
}

function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? 0;
  const above = sorted[Math.ceil(at)] ?? below;
  const f = at - Math.floor(at);
  // As numpy does, so that ties at an edge fall on the same side.
  return f < 0.5 ? below + (above - below) * f : above - (above - below) * (1 - f);
}

/** Index of the first edge ≥ value; the number of edges when there is none. */
function firstAtLeast(edges: readonly number[], value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
