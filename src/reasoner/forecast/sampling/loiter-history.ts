import { boxPosition, type Point } from '../../../core/maths/box.js';
import { LOITER_S, SAMPLE_HZ } from '../../../core/ontology.js';
import type { MemorySnapshot, ObjectRecord } from '../../../core/memory.js';
import { LOITER_PATH_HZ, type LoiterHistory } from './path-place.js';
import type { TrackState } from '../../tracks/track-state.js';

/** Away from where it loitered by more than this many body heights, a thing may loiter again. */
const LEFT_RADIUS = 2;

/** The last 10 s of an object on the grid of the loiter paths, and whether it has loitered here already. */
export function loiterHistory(state: TrackState, snapshot: MemorySnapshot): LoiterHistory {
  const { samples } = state.record;
  const stride = Math.round(SAMPLE_HZ / LOITER_PATH_HZ);
  const x: number[] = [];
  const y: number[] = [];
  const most = LOITER_S * LOITER_PATH_HZ + 1;
  for (let i = samples.length - 1; i >= 0 && x.length < most; i -= stride) {
    x.unshift(samples[i]?.position[0] ?? 0);
    y.unshift(samples[i]?.position[1] ?? 0);
  }
  return { x, y, centre: lastCentre(state, snapshot) };
}

/** Mean position of the last loitering told of the object, unless it has been more than 2 h away since; px. */
function lastCentre(state: TrackState, snapshot: MemorySnapshot): Point | undefined {
  const { id } = state.record;
  const told = snapshot.events.findLast(
    ({ event }) => event.type === 'loiter' && event.participants[0]?.id === id,
  );
  if (!told) return undefined;
  const until = told.event.t;
  const track = positions(state.record, snapshot);
  const during = track.filter((p) => p.t >= until - LOITER_S && p.t <= until);
  const box = told.event.participants[0]?.box;
  let centre: Point;
  if (during.length > 0) {
    centre = [mean(during.map((p) => p.at[0])), mean(during.map((p) => p.at[1]))];
  } else if (box) {
    const [bx, by] = boxPosition(box, state.record.upright);
    centre = [bx * snapshot.width, by * snapshot.height];
  } else return undefined;
  const away = (at: Point): boolean =>
    Math.hypot(at[0] - centre[0], at[1] - centre[1]) > LEFT_RADIUS * state.h;
  return track.some((p) => p.t > until && away(p.at)) ? undefined : centre;
}

function positions(record: ObjectRecord, snapshot: MemorySnapshot): { t: number; at: Point }[] {
  const trail = record.trail.map(({ t, box }) => {
    const [x, y] = boxPosition(box, record.upright);
    return { t, at: [x * snapshot.width, y * snapshot.height] as const };
  });
  return [...trail, ...record.samples.map((s) => ({ t: s.t, at: s.position }))];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}
