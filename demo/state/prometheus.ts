export interface Bucket {
  /** Upper bound; Infinity for the last. */
  readonly le: number;
  /** Up to it, all told. */
  readonly count: number;
}

/** The buckets of a histogram in Prometheus text, for one stream. */
export function readHistogram(text: string, name: string, stream: string): Bucket[] {
  const buckets: Bucket[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name}_bucket{`) || !line.includes(`stream="${stream}"`)) continue;
    const le = /le="([^"]+)"/.exec(line)?.[1];
    const count = Number(line.slice(line.lastIndexOf(' ') + 1));
    if (le !== undefined && Number.isFinite(count))
      buckets.push({ le: le === '+Inf' ? Infinity : Number(le), count });
  }
  return buckets.sort((a, b) => a.le - b.le);
}

/** By straight lines within a bucket; undefined while it is empty. */
export function quantileOf(buckets: readonly Bucket[], part: number): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return undefined;
  const wanted = part * total;
  let [before, below] = [0, 0];
  for (const { le, count } of buckets) {
    if (count >= wanted)
      return le === Infinity
        ? below
        : below + ((wanted - before) / Math.max(count - before, 1)) * (le - below);
    [before, below] = [count, le];
  }
  return below;
}
