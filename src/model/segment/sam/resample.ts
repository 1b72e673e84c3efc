/** Linear map from one line of px to another: each px is a weighted sum of adjacent px; the weights add up to 1. */
export interface LineWeights {
  readonly length: number;
  /** Number of taps of one px; unused taps have weight 0. */
  readonly taps: number;
  /** [length]: index of the first source px. */
  readonly first: Int32Array;
  /** [length, taps] */
  readonly weights: Float32Array;
}

/**
 * Computes weights of antialiased bilinear resizing of one line, px centres at half px: a triangle as wide as the larger of a
 * source px and a target px, as in Pillow, with which SAM was trained.
 */
export function resizeWeights(from: number, to: number): LineWeights {
  const scale = from / to;
  const reach = Math.max(1, scale);
  const taps = Math.min(from, Math.ceil(reach) * 2 + 1);
  const first = new Int32Array(to);
  const weights = new Float32Array(to * taps);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - reach + 0.5));
    const end = Math.min(from, Math.floor(centre + reach + 0.5), start + taps);
    first[i] = start;
    let sum = 0;
    for (let j = start; j < end; j++) sum += Math.max(0, 1 - Math.abs((j + 0.5 - centre) / reach));
    for (let j = start; j < end; j++)
      weights[i * taps + j - start] = Math.max(0, 1 - Math.abs((j + 0.5 - centre) / reach)) / sum;
  }
  return { length: to, taps, first, weights };
}

/**
 * Computes weights of SAM's upsampling from low-resolution logits to the frame in one step: bilinear to the model's input, cut
 * to the part that the picture covers, bilinear to the frame. Two taps of two taps lie within four neighbours.
 *
 * @param low length of the logits
 * @param input length of the model's input
 * @param content part of the input that the picture covers
 * @param to length of the frame
 */
export function upsampleWeights(low: number, input: number, content: number, to: number): LineWeights {
  const taps = Math.min(low, 2 + Math.ceil((2 * low) / input));
  const first = new Int32Array(to);
  const weights = new Float32Array(to * taps);
  for (let i = 0; i < to; i++) {
    const outer = bilinear(i, content, to);
    const inner = [bilinear(outer.low, low, input), bilinear(outer.high, low, input)] as const;
    const start = Math.min(inner[0].low, low - taps);
    first[i] = start;
    const add = (at: number, weight: number): void => {
      const slot = i * taps + at - start;
      weights[slot] = (weights[slot] ?? 0) + weight;
    };
    inner.forEach((one, side) => {
      const share = side === 0 ? 1 - outer.weight : outer.weight;
      add(one.low, share * (1 - one.weight));
      add(one.high, share * one.weight);
    });
  }
  return { length: to, taps, first, weights };
}

/** Returns the position of px `i` of `to` among `from`, without antialiasing, clamped to the ends. */
function bilinear(i: number, from: number, to: number): { low: number; high: number; weight: number } {
  const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
  const low = Math.min(from - 1, Math.floor(at));
  return { low, high: Math.min(from - 1, low + 1), weight: Math.min(1, at - low) };
}

/**
 * Applies weights along the rows, then along the columns.
 * @param source [height, width], row by row
 * @param out [rows.length, columns.length]
 */
export function resample(
  source: Float32Array,
  width: number,
  { columns, rows }: { readonly columns: LineWeights; readonly rows: LineWeights },
  out: Float32Array,
): void {
  const height = source.length / width;
  const across = new Float32Array(height * columns.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < columns.length; x++) {
      const from = y * width + (columns.first[x] ?? 0);
      let sum = 0;
      for (let tap = 0; tap < columns.taps; tap++)
        sum += (source[from + tap] ?? 0) * (columns.weights[x * columns.taps + tap] ?? 0);
      across[y * columns.length + x] = sum;
    }
  out.fill(0);
  for (let y = 0; y < rows.length; y++)
    for (let tap = 0; tap < rows.taps; tap++) {
      const weight = rows.weights[y * rows.taps + tap] ?? 0;
      if (weight === 0) continue;
      const from = ((rows.first[y] ?? 0) + tap) * columns.length;
      const to = y * columns.length;
      for (let x = 0; x < columns.length; x++)
        out[to + x] = (out[to + x] ?? 0) + (across[from + x] ?? 0) * weight;
    }
}
