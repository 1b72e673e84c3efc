import { boxCentre, boxGap } from '../../core/maths/box.js';
import { FAR, LOITER_HORIZON_S, TIME_EPSILON, TOUCH, type ForecastType } from '../../core/ontology.js';
import type { MemorySnapshot, ObjectSample } from '../../core/memory.js';
import type { TrackState } from '../tracks/track-state.js';

/** Seconds in view from which an exit is forecast. */
const EXIT_AGE_S = 1;
/** Gap of a pair for which a meeting is forecast, at most, mean h. */
const MEET_GAP = 8;

/** An item of the standard forecast that is due; `a`, `b` index the track states. */
export interface DueItem {
  readonly type: ForecastType;
  readonly a: number;
  readonly b?: number;
  readonly zone?: string;
  readonly horizon?: number;
}

/** The items of events.md, "The standard forecast", in the order of events.md, then of objects. */
export function dueItems(states: readonly TrackState[], snapshot: MemorySnapshot): DueItem[] {
  const each = (type: ForecastType, due: (s: TrackState) => boolean): DueItem[] =>
    states.flatMap((s, a) => (due(s) ? [{ type, a }] : []));
  const pairs = pairItems(states, snapshot);
  const places = (type: ForecastType, names: readonly string[]): DueItem[] =>
    states.flatMap((_, a) => names.map((zone) => ({ type, a, zone })));
  const zones = Object.keys(snapshot.zones.zones);
  return [
    ...each('exit', (s) => s.ageS >= EXIT_AGE_S - TIME_EPSILON),
    ...each('stop', (s) => s.moving),
    ...each('start_moving', (s) => s.standing),
    ...each('turn', (s) => s.moving),
    ...pairs.meet,
    ...pairs.collide,
    ...places('zone_enter', zones),
    ...places('zone_leave', zones),
    ...places('line_cross', Object.keys(snapshot.zones.lines)),
    ...each('loiter', (s) => s.lingering).map((item) => ({ ...item, horizon: LOITER_HORIZON_S })),
  ];
}

function pairItems(
  states: readonly TrackState[],
  snapshot: MemorySnapshot,
): { meet: DueItem[]; collide: DueItem[] } {
  const meet: DueItem[] = [];
  const collide: DueItem[] = [];
  const last = states.map((s) => s.record.samples.at(-1));
  const inFrame = last.map((s) => s !== undefined && centreInFrame(s, snapshot));
  for (let a = 0; a < states.length; a++) {
    for (let b = a + 1; b < states.length; b++) {
      const [sa, sb] = [last[a], last[b]];
      if (!sa || !sb) continue;
      const [pa, pb] = [sa.position, sb.position];
      const gap = Math.hypot(pa[0] - pb[0], pa[1] - pb[1]) / ((sa.height + sb.height) / 2);
      if (gap >= FAR && gap <= MEET_GAP) meet.push({ type: 'meet', a, b });
      const size = ((states[a]?.size ?? 0) + (states[b]?.size ?? 0)) / 2;
      if (inFrame[a] && inFrame[b] && boxGap(sa.box, sb.box) > TOUCH * size)
        collide.push({ type: 'collide', a, b });
    }
  }
  return { meet, collide };
}

function centreInFrame(sample: ObjectSample, snapshot: MemorySnapshot): boolean {
  const [x, y] = boxCentre(sample.box);
  return x >= 0 && y >= 0 && x <= snapshot.width && y <= snapshot.height;
}
