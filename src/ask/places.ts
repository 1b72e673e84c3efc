import { boxPosition, inPolygon, type Box, type Point } from '../core/maths/box.js';
import { BORDER_BAND, UPRIGHT_LABELS } from '../core/ontology.js';
import type { TrailPoint } from '../core/memory.js';
import type { Recollection } from './recollection.js';

/** Thirds of the picture, from the upper left. */
const ROWS = ['at the top', 'in the middle', 'at the bottom'] as const;
const COLUMNS = ['left', 'middle', 'right'] as const;
/** Two points of a path farther apart than this say nothing about the time between, s: the sparse trail has 0.2 Hz. */
const GAP_S = 6;
/** A way shorter than this is standing, fractions of the frame. */
const MIN_WAY = 0.03;

/** `at the bottom left (22 %, 81 %)`, `in “door”`: where a box stands. */
export function placePhrase({ places }: Recollection, box: Box, label: string): string {
  const [x, y] = boxPosition(box, UPRIGHT_LABELS.has(label));
  const zones = Object.entries(places.zones).filter(([, corners]) => inPolygon(x, y, corners));
  const [row, column] = [third(ROWS, y), third(COLUMNS, x)];
  const part = row === ROWS[1] && column === 'middle' ? row : `${row === ROWS[1] ? 'at the' : row} ${column}`;
  const named = zones.map(([name]) => ` in “${name}”`).join('');
  return `${part} of the view${named} (${percent(x)} from the left, ${percent(y)} from the top)`;
}

/** `over the left border`; undefined for a box that does not touch one. */
export function borderPhrase([x, y, w, h]: Box): string | undefined {
  const gaps = { left: x, top: y, right: 1 - x - w, bottom: 1 - y - h };
  const [side, gap] = Object.entries(gaps).sort((a, b) => a[1] - b[1])[0] ?? ['', Infinity];
  return gap <= BORDER_BAND ? `over the ${side} border` : undefined;
}

/** `to the right`: which way a path led in its last `overS` seconds; undefined when it stood. */
export function headingPhrase(path: readonly TrailPoint[], overS: number): string | undefined {
  const last = path.at(-1);
  const start = last && path.find(({ t }) => t >= last.t - overS);
  if (!last || !start) return undefined;
  const [a, b] = [centre(start.box), centre(last.box)];
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  if (Math.hypot(dx, dy) < MIN_WAY) return undefined;
  const across = Math.abs(dx) >= Math.abs(dy) / 2 ? (dx > 0 ? 'right' : 'left') : '';
  const along = Math.abs(dy) >= Math.abs(dx) / 2 ? (dy > 0 ? 'down' : 'up') : '';
  return along === '' ? `to the ${across}` : across === '' ? along : `${along} to the ${across}`;
}

/** The box on a path at `t`, between its neighbours; undefined outside and in gaps. */
export function boxAt(path: readonly TrailPoint[], t: number): Box | undefined {
  const after = path.findIndex((point) => point.t >= t);
  const [left, right] = [path[after - 1], path[after]];
  if (right === undefined) {
    const last = path.at(-1);
    return last && t - last.t <= 1 ? last.box : undefined;
  }
  if (left === undefined) return right.t - t <= 1 ? right.box : undefined;
  if (right.t - left.t > GAP_S) return undefined;
  const share = (t - left.t) / Math.max(right.t - left.t, 1e-9);
  const mix = (i: 0 | 1 | 2 | 3): number => left.box[i] + share * (right.box[i] - left.box[i]);
  return [mix(0), mix(1), mix(2), mix(3)];
}

function centre(box: Box): Point {
  return [box[0] + box[2] / 2, box[1] + box[3] / 2];
}

function third<T>(parts: readonly [T, T, T], at: number): T {
  return at < 1 / 3 ? parts[0] : at < 2 / 3 ? parts[1] : parts[2];
}

function percent(share: number): string {
  return `${Math.round(Math.min(Math.max(share, 0), 1) * 100)} %`;
}
