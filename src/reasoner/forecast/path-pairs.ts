import { NEAR, TOUCH } from '../../core/ontology.js';
import type { Paths } from './paths.js';
import type { TrackState } from './track-state.js';

/** Samples for which a meeting must hold (0.8 s). */
const MEET_HOLD = 9;
/** Two that go the same way at the same pace, this near to each other (mean h), go together. */
const COMPANION_GAP = 3;
/** bh/s; difference of the velocities of companions at most. */
const COMPANION_DIFFERENCE = 0.35;
/**
 * Companions deviate from their straight paths together: the correlation of their deviations. The spread of the
 * relative position is that of independent paths times √(1 − ρ). (Groups keep their formation: Moussaïd et al. 2010.)
 */
const COMPANION_CORRELATION = 0.6;

export interface PairShares {
  /** Paths on which a meeting begins within the horizon and holds. */
  readonly meet: number;
  /** Paths on which the boxes come into contact within the horizon. */
  readonly contact: number;
}

/** Factor of the spread of the relative position of two objects. */
export function relativeSpread(a: TrackState, b: TrackState): number {
  const h = (a.h + b.h) / 2;
  const near = Math.hypot(a.x - b.x, a.y - b.y) < COMPANION_GAP * h;
  const same = Math.hypot(a.vx - b.vx, a.vy - b.vy) < COMPANION_DIFFERENCE * h;
  return a.moving && b.moving && near && same ? Math.sqrt(1 - COMPANION_CORRELATION) : 1;
}

/** Box in which nearly all of an object's paths stay, px: [x0, y0, x1, y1] of positions. */
export function reachOf(paths: Paths): Float64Array {
  const reach = Float64Array.of(Infinity, Infinity, -Infinity, -Infinity);
  for (let i = 0; i < paths.x.length; i++) {
    const [x, y] = [paths.x[i] ?? 0, paths.y[i] ?? 0];
    if (x < (reach[0] ?? 0)) reach[0] = x;
    if (y < (reach[1] ?? 0)) reach[1] = y;
    if (x > (reach[2] ?? 0)) reach[2] = x;
    if (y > (reach[3] ?? 0)) reach[3] = y;
  }
  return reach;
}

/** True when no path of the one comes within `distance` (px, each axis) of any path of the other. */
export function apart(a: Float64Array, b: Float64Array, distance: number): boolean {
  const [ax0 = 0, ay0 = 0, ax1 = 0, ay1 = 0] = a;
  const [bx0 = 0, by0 = 0, bx1 = 0, by1 = 0] = b;
  return ax0 - bx1 > distance || bx0 - ax1 > distance || ay0 - by1 > distance || by0 - ay1 > distance;
}

/** Distance of two positions (px) beyond which neither a meeting nor a contact is possible. */
export function pairReach(a: TrackState, b: TrackState): number {
  const touch = TOUCH * ((a.size + b.size) / 2);
  const boxes = Math.max((a.width + b.width) / 2, a.height + b.height);
  return Math.max(NEAR * ((a.h + b.h) / 2), boxes + touch);
}

/** Plays the paths of two objects against each other, the i-th of the one with the i-th of the other. */
export function pairShares(
  a: TrackState,
  b: TrackState,
  pa: Paths,
  pb: Paths,
  horizon: number,
  wants: { meet: boolean; contact: boolean },
): PairShares {
  const spread = relativeSpread(a, b);
  const near = (NEAR * (a.h + b.h)) / 2;
  const touch = TOUCH * ((a.size + b.size) / 2);
  const halfW = (a.width + b.width) / 2;
  const halfH = (a.height + b.height) / 2;
  // Box centres lie above the positions of upright things.
  const lift = (a.record.upright ? -a.height / 2 : 0) - (b.record.upright ? -b.height / 2 : 0);
  let [meet, contact] = [0, 0];
  const { steps } = pa;
  for (let i = 0; i < pa.n; i++) {
    let run = 0;
    let met = !wants.meet;
    let touched = !wants.contact;
    for (let k = 0; k < steps && !(met && touched); k++) {
      const j = i * steps + k;
      const mx = (pa.meanX[k] ?? 0) - (pb.meanX[k] ?? 0);
      const my = (pa.meanY[k] ?? 0) - (pb.meanY[k] ?? 0);
      const dx = mx + spread * ((pa.x[j] ?? 0) - (pb.x[j] ?? 0) - mx);
      const dy = my + spread * ((pa.y[j] ?? 0) - (pb.y[j] ?? 0) - my);
      if (!met) {
        run = dx * dx + dy * dy < near * near ? run + 1 : 0;
        if (run >= MEET_HOLD) {
          met = true;
          if (k - MEET_HOLD + 1 < horizon) meet += 1;
        }
      }
      if (touched || k >= horizon) continue;
      const gx = Math.max(Math.abs(dx) - halfW, 0);
      const gy = Math.max(Math.abs(dy + lift) - halfH, 0);
      if (gx * gx + gy * gy < touch * touch) {
        touched = true;
        contact += 1;
      }
    }
  }
  return { meet: meet / pa.n, contact: contact / pa.n };
}
