/** A box `[x, y, width, height]`, origin top left. Each use documents the unit (fractions of the frame or px). */
export type Box = readonly [x: number, y: number, width: number, height: number];
export type Point = readonly [x: number, y: number];
/** `[a, b, c, d, e, f]`: (x, y) ↦ (a x + c y + e, b x + d y + f), px of the previous frame to px of this frame. */
export type Affine = readonly [number, number, number, number, number, number];

/** Returns the intersection over union of two boxes in the same unit, 0–1; 0 when either is empty. */
export function iou(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / (a[2] * a[3] + b[2] * b[3] - intersection);
}

/** Returns the distance between the edges of two boxes, in their unit; 0 where they overlap. */
export function boxGap(a: Box, b: Box): number {
  const dx = Math.abs(a[0] + a[2] / 2 - b[0] - b[2] / 2) - (a[2] + b[2]) / 2;
  const dy = Math.abs(a[1] + a[3] / 2 - b[1] - b[3] / 2) - (a[3] + b[3]) / 2;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0));
}

export function boxCentre(box: Box): Point {
  return [box[0] + box[2] / 2, box[1] + box[3] / 2];
}

/** Returns the position of an object for motion (events.md): bottom centre when upright, else the centre. */
export function boxPosition(box: Box, upright: boolean): Point {
  return [box[0] + box[2] / 2, box[1] + box[3] * (upright ? 1 : 0.5)];
}

/** Multiplies a box by (sx, sy): fractions → px with the frame size, px → fractions with its inverse. */
export function scaleBox(box: Box, sx: number, sy: number): Box {
  return [box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy];
}

/** Returns true when the point (x, y) lies in the polygon, by the even-odd rule; both in one unit. */
export function inPolygon(x: number, y: number, polygon: readonly Point[]): boolean {
  let inside = false;
  let [x0, y0] = polygon[polygon.length - 1] ?? [0, 0];
  for (const [x1, y1] of polygon) {
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) * (x1 - x0)) / (y1 - y0)) inside = !inside;
    [x0, y0] = [x1, y1];
  }
  return inside;
}
