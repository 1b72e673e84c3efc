import type { Point } from './maths/box.js';
import { FrameGrid, PolygonIndex } from './maths/polygon-index.js';
import type { Places } from './memory.js';

/** The zones of a stream in px of its frame, prepared for many tests. */
export interface ZoneIndex {
  readonly grid: FrameGrid;
  readonly zones: ReadonlyMap<string, PolygonIndex>;
}

interface Prepared extends ZoneIndex {
  readonly width: number;
  readonly height: number;
}

/** Objects, forecasts and event rules of a stream share one `Places` for as long as its zones stay. */
const prepared = new WeakMap<Places, Prepared>();

/** @param frame size of the frame, px */
export function zoneIndexOf(
  places: Places,
  { width, height }: { readonly width: number; readonly height: number },
): ZoneIndex {
  const known = prepared.get(places);
  if (known?.width === width && known.height === height) return known;
  const grid = new FrameGrid({ width, height });
  const toPx = ([x, y]: Point): Point => [x * width, y * height];
  const zones = new Map(
    Object.entries(places.zones).map(([name, polygon]) => [name, new PolygonIndex(polygon.map(toPx), grid)]),
  );
  const index = { grid, zones, width, height };
  prepared.set(places, index);
  return index;
}
