/** One plane of grey levels. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Levels of a pyramid below the full resolution: an eighth of the work resolution is the coarsest. */
const LEVELS = 3;
const MIN_SIDE = 16;

/** Returns the plane, its half, quarter and eighth, as far as they are large enough; area averages. */
export function buildPyramid(data: ArrayLike<number>, width: number, height: number): Plane[] {
  const levels: Plane[] = [{ width, height, data: Float32Array.from(data) }];
  for (let level = 0; level < LEVELS; level += 1) {
    const above = levels[level] as Plane;
    if (Math.min(above.width, above.height) < 2 * MIN_SIDE) break;
    levels.push(halved(above));
  }
  return levels;
}

function halved({ width, height, data }: Plane): Plane {
  const half = { width: width >> 1, height: height >> 1 };
  const out = new Float32Array(half.width * half.height);
  for (let row = 0, at = 0; row < half.height; row += 1) {
    let a = 2 * row * width;
    for (let x = 0; x < half.width; x += 1, at += 1, a += 2) {
      const b = a + width;
      const sum =
        (data[a] as number) + (data[a + 1] as number) + (data[b] as number) + (data[b + 1] as number);
      out[at] = sum / 4;
    }
  }
  return { ...half, data: out };
}

/**
 * Returns the whole-pixel shift of `to` against `from` with the highest correlation over their overlap.
 * @param reach maximum shift, as a share of the sides
 */
export function bestShift(from: Plane, to: Plane, reach: number): [x: number, y: number] {
  const { width, height } = from;
  const [maxX, maxY] = [Math.floor(width * reach), Math.floor(height * reach)];
  let best: [number, number] = [0, 0];
  let bestValue = -Infinity;
  for (let dy = -maxY; dy <= maxY; dy += 1) {
    for (let dx = -maxX; dx <= maxX; dx += 1) {
      const value = correlation(from, to, dx, dy);
      if (value > bestValue) [bestValue, best] = [value, [dx, dy]];
    }
  }
  return best;
}

/** Returns the normalised cross-correlation of `from` with `to` shifted back, −1…1. */
function correlation(from: Plane, to: Plane, dx: number, dy: number): number {
  const { width, height, data: a } = from;
  const b = to.data;
  let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
  for (let row = Math.max(0, -dy); row < Math.min(height, height - dy); row += 1) {
    const end = row * width + Math.min(width, width - dx);
    for (let k = row * width + Math.max(0, -dx); k < end; k += 1) {
      const p = a[k] as number;
      const q = b[k + dy * width + dx] as number;
      n += 1;
      sa += p;
      sb += q;
      saa += p * p;
      sbb += q * q;
      sab += p * q;
    }
  }
  const variance = (saa - (sa * sa) / n) * (sbb - (sb * sb) / n);
  return variance > 0 ? (sab - (sa * sb) / n) / Math.sqrt(variance) : -1;
}
