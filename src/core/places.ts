import type { Box, Point } from './maths/box.js';

/** A point of the path of an object. */
export interface TrailPoint {
  readonly t: number;
  /** Fractions of the frame. */
  readonly box: Box;
}

/** Configured zones (polygons) and lines, points in frame fractions. */
export interface Places {
  readonly zones: Readonly<Record<string, readonly Point[]>>;
  readonly lines: Readonly<Record<string, readonly [Point, Point]>>;
}
