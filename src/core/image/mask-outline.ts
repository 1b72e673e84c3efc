import type { Point } from '../maths/box.js';
import { decodeMaskBox } from './mask.js';
import type { Mask } from '../percept.js';

/**
 * Directions along the edges of px: right, down, left, up. `right` and `left` are the offsets, from the corner reached, of
 * the px ahead on either side of the path.
 */
const STEPS = [
  { by: [1, 0], right: [0, 0], left: [0, -1] },
  { by: [0, 1], right: [-1, 0], left: [0, 0] },
  { by: [-1, 0], right: [-1, -1], left: [-1, 0] },
  { by: [0, -1], right: [0, -1], left: [-1, -1] },
] as const;
type Direction = 0 | 1 | 2 | 3;

/**
 * Computes the outlines of a mask: closed polygons along the edges of its px, points in fractions of the frame. The inside is
 * to the right of the path: outer outlines run clockwise on the screen, holes counter-clockwise. Only corners are returned.
 * @throws {PresageError} bad_request — the mask cannot be decoded
 */
export function maskOutlines(mask: Mask): Point[][] {
  const [frameHeight, frameWidth] = mask.size;
  const { left, top, width, height, pixels } = decodeMaskBox(mask);
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] === 1;
  /** [height, width]: 1 where a path has passed the top edge of the px. */
  const walked = new Uint8Array(pixels.length);
  const outlines: Point[][] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (inside(x, y) && !inside(x, y - 1) && walked[y * width + x] === 0)
        outlines.push(walk(x, y, inside, (at) => (walked[at[1] * width + at[0]] = 1)));
  return outlines.map((outline) =>
    outline.map(([x, y]): Point => [(x + left) / frameWidth, (y + top) / frameHeight]),
  );
}

/** Follows the edge from the top left corner of px (x, y) along its top until the path closes. */
function walk(
  startX: number,
  startY: number,
  inside: (x: number, y: number) => boolean,
  onTopEdge: (px: readonly [number, number]) => void,
): Point[] {
  const corners: Point[] = [];
  let [x, y] = [startX, startY];
  let direction: Direction = 0;
  do {
    if (direction === 0) onTopEdge([x, y]);
    const { by, right, left }: (typeof STEPS)[number] = STEPS[direction];
    x += by[0];
    y += by[1];
    // The inside stays to the right: it ends here (right turn), continues straight, or bulges (left turn).
    const turn = !inside(x + right[0], y + right[1]) ? 1 : inside(x + left[0], y + left[1]) ? 3 : 0;
    if (turn !== 0) corners.push([x, y]);
    direction = ((direction + turn) % 4) as Direction;
  } while (x !== startX || y !== startY || direction !== 0);
  return corners;
}
