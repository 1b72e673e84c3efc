/** Number of key-value heads (docs/fused-model.md). */
export const HEADS = 3;
/** Numbers of one head and position. */
export const HEAD_WIDTH = 64;

/** Keys and values of one layer, each [1, 3, length, 64]. */
interface LayerCache {
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/** Keys and values of a context of `length` positions, layer by layer. Immutable. */
export interface KeyValueCache {
  readonly length: number;
  readonly layers: readonly LayerCache[];
}

export function emptyCache(layers: number): KeyValueCache {
  const none = new Float32Array(0);
  return { length: 0, layers: Array.from({ length: layers }, () => ({ key: none, value: none })) };
}

/** Returns the first `length` positions. */
export function headOf(cache: KeyValueCache, length: number): KeyValueCache {
  if (length === cache.length) return cache;
  const cut = (rows: Float32Array): Float32Array => {
    const head = new Float32Array(HEADS * length * HEAD_WIDTH);
    for (let i = 0; i < HEADS; i++) {
      const start = i * cache.length * HEAD_WIDTH;
      head.set(rows.subarray(start, start + length * HEAD_WIDTH), i * length * HEAD_WIDTH);
    }
    return head;
  };
  return { length, layers: cache.layers.map(({ key, value }) => ({ key: cut(key), value: cut(value) })) };
}
