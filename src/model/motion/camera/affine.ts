import type { Affine, Point } from '../../../core/maths/box.js';

export const IDENTITY: Affine = [1, 0, 0, 1, 0, 0];

export function transformPoint([a, b, c, d, e, f]: Affine, [x, y]: Point): Point {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** Returns the map that applies `inner`, then `outer`. */
export function compose(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = outer;
  const [p, q, r, s, u, v] = inner;
  return [a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * u + c * v + e, b * u + d * v + f];
}

/** Returns the inverse of a map that is not degenerate. */
export function invert([a, b, c, d, e, f]: Affine): Affine {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

/** Converts a motion to pictures `factor` times as large; pixel centres map to pixel centres. */
export function enlarge([a, b, c, d, e, f]: Affine, factor: number): Affine {
  const half = (factor - 1) / 2;
  return [a, b, c, d, factor * e + half * (1 - a - c), factor * f + half * (1 - b - d)];
}

/** Transforms a box's centre and scales its size; the result has edges parallel to the axes. */
export function transformEdges(
  affine: Affine,
  { left, top, right, bottom }: { left: number; top: number; right: number; bottom: number },
): { left: number; top: number; right: number; bottom: number } {
  const centre = transformPoint(affine, [(left + right) / 2, (top + bottom) / 2]);
  const scale = Math.sqrt(Math.abs(affine[0] * affine[3] - affine[1] * affine[2]));
  const [w, h] = [((right - left) / 2) * scale, ((bottom - top) / 2) * scale];
  return { left: centre[0] - w, top: centre[1] - h, right: centre[0] + w, bottom: centre[1] + h };
}

/**
 * Fits a similarity (rotation, uniform scale, shift) to pairs of points by least squares (Umeyama, PAMI 1991); undefined
 * below two pairs.
 */
export function fitSimilarity(from: readonly Point[], to: readonly Point[]): Affine | undefined {
  const n = from.length;
  if (n < 2) return undefined;
  let [mx, my, nx, ny] = [0, 0, 0, 0];
  from.forEach(([x, y], k) => {
    const [u, v] = to[k] as Point;
    mx += x / n;
    my += y / n;
    nx += u / n;
    ny += v / n;
  });
  let [spread, dot, cross] = [0, 0, 0];
  from.forEach(([x, y], k) => {
    const [u, v] = to[k] as Point;
    spread += (x - mx) ** 2 + (y - my) ** 2;
    dot += (x - mx) * (u - nx) + (y - my) * (v - ny);
    cross += (x - mx) * (v - ny) - (y - my) * (u - nx);
  });
  if (spread < 1e-6) return undefined;
  const [a, b] = [dot / spread, cross / spread];
  return [a, b, -b, a, nx - a * mx + b * my, ny - b * mx - a * my];
}
