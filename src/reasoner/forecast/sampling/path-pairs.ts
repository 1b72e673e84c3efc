import { NEAR, TOUCH } from '../../../core/ontology.js';
import type { Paths } from './paths.js';
import type { TrackState } from '../../tracks/track-state.js';

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
  /** Those of them on which, while in contact, both stand on the ground at the same depth. */
  readonly level: number;
}

/**
 * Things on one ground touch only at the same depth, where the lower edges of their boxes are at one level: within this
 * share of their mean height. (A thing seen from 20–45° above shows its depth as about that much height.)
 */
const LEVEL = 0.35;

/** Factor of the spread of the relative position of two objects. */
function relativeSpread(a: TrackState, b: TrackState): number {
  const h = (a.h + b.h) / 2;
  const near = Math.hypot(a.x - b.x, a.y - b.y) < COMPANION_GAP * h;
  const same = Math.hypot(a.vx - b.vx, a.vy - b.vy) < COMPANION_DIFFERENCE * h;
  return a.moving && b.moving && near && same ? Math.sqrt(1 - COMPANION_CORRELATION) : 1;
}

/** Where an object's paths lead, px: boxes [x0, y0, x1, y1] of positions, of all its paths and then of each. */
export interface Reach {
  readonly all: Float32Array;
  readonly each: Float32Array;
}

export function reachOf(paths: Paths): Reach {
  const each = new Float32Array(4 * paths.n);
  const all = Float32Array.of(Infinity, Infinity, -Infinity, -Infinity);
  for (let i = 0; i < paths.n; i++) {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let j = i * paths.steps; j < (i + 1) * paths.steps; j++) {
      const x = paths.x[j] ?? 0;
      const y = paths.y[j] ?? 0;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    }
    each.set([x0, y0, x1, y1], 4 * i);
    all.set([Math.min(all[0] ?? x0, x0), Math.min(all[1] ?? y0, y0)]);
    all.set([Math.max(all[2] ?? x1, x1), Math.max(all[3] ?? y1, y1)], 2);
  }
  return { all, each };
}

/** True when two boxes of positions are farther apart than `distance` (px) along an axis; `at` = index of their first number. */
function apart(a: Float32Array, b: Float32Array, at: number, distance: number): boolean {
  return (
    (a[at] ?? 0) - (b[at + 2] ?? 0) > distance ||
    (b[at] ?? 0) - (a[at + 2] ?? 0) > distance ||
    (a[at + 1] ?? 0) - (b[at + 3] ?? 0) > distance ||
    (b[at + 1] ?? 0) - (a[at + 3] ?? 0) > distance
  );
}

/** One object's side of a pair. */
export interface PairSide {
  readonly state: TrackState;
  readonly paths: Paths;
  readonly reach: Reach;
}

/** True when no path of the one comes near any path of the other: neither a meeting nor a contact is possible. */
export function outOfReach(a: PairSide, b: PairSide): boolean {
  return apart(a.reach.all, b.reach.all, 0, pairReach(a.state, b.state));
}

/** Distance of two positions (px) beyond which neither a meeting nor a contact is possible. */
function pairReach(a: TrackState, b: TrackState): number {
  const touch = TOUCH * ((a.size + b.size) / 2);
  const boxes = Math.max((a.width + b.width) / 2, a.height + b.height);
  return Math.max(NEAR * ((a.h + b.h) / 2), boxes + touch);
}

/** What decides a pair, px: thresholds and the offsets between positions and boxes. */
interface Measures {
  readonly near: number;
  readonly touch: number;
  readonly halfW: number;
  readonly halfH: number;
  /** Box centre of a relative to its position less that of b, down. */
  readonly lift: number;
  /** Lower edge of a relative to its position less that of b, down. */
  readonly base: number;
  readonly sameLevel: number;
}

function measure(a: TrackState, b: TrackState): Measures {
  return {
    near: (NEAR * (a.h + b.h)) / 2,
    touch: TOUCH * ((a.size + b.size) / 2),
    halfW: (a.width + b.width) / 2,
    halfH: (a.height + b.height) / 2,
    lift: (a.record.upright ? -a.height / 2 : 0) - (b.record.upright ? -b.height / 2 : 0),
    base: (a.record.upright ? 0 : a.height / 2) - (b.record.upright ? 0 : b.height / 2),
    sameLevel: (LEVEL * (a.height + b.height)) / 2,
  };
}

const MEETS = 1;
const TOUCHES = 2;
const LEVELS = 4;

/** Plays the paths of two objects against each other, the i-th of the one with the i-th of the other. */
export function pairShares(
  a: PairSide,
  b: PairSide,
  horizon: number,
  wants: { meet: boolean; contact: boolean },
): PairShares {
  const spread = relativeSpread(a.state, b.state);
  const measures = measure(a.state, b.state);
  const reach = pairReach(a.state, b.state);
  const decided = (wants.meet ? 0 : MEETS) | (wants.contact ? 0 : TOUCHES | LEVELS);
  const { n } = a.paths;
  let [meet, contact, level] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    if (spread === 1 && apart(a.reach.each, b.reach.each, 4 * i, reach)) continue;
    const found = playPath(a.paths, b.paths, i, horizon, spread, measures, decided) & ~decided;
    if (found & MEETS) meet += 1;
    if (found & TOUCHES) contact += 1;
    if (found & LEVELS) level += 1;
  }
  return { meet: meet / n, contact: contact / n, level: level / n };
}

/** What happens on one joint path, as a sum of MEETS, TOUCHES, LEVELS; `found` holds those not to be looked for. */
function playPath(
  pa: Paths,
  pb: Paths,
  i: number,
  horizon: number,
  spread: number,
  m: Measures,
  found: number,
): number {
  const { steps } = pa;
  let run = 0;
  for (let k = 0; k < steps; k++) {
    const j = i * steps + k;
    let dx = (pa.x[j] ?? 0) - (pb.x[j] ?? 0);
    let dy = (pa.y[j] ?? 0) - (pb.y[j] ?? 0);
    if (spread !== 1) {
      const mx = (pa.meanX[k] ?? 0) - (pb.meanX[k] ?? 0);
      const my = (pa.meanY[k] ?? 0) - (pb.meanY[k] ?? 0);
      dx = mx + spread * (dx - mx);
      dy = my + spread * (dy - my);
    }
    if (!(found & MEETS)) {
      run = dx * dx + dy * dy < m.near * m.near ? run + 1 : 0;
      if (run >= MEET_HOLD && k - MEET_HOLD + 1 < horizon) found |= MEETS;
    }
    if (k >= horizon || found & LEVELS) {
      if (found & MEETS || (run === 0 && k >= horizon)) break;
      continue;
    }
    const gx = Math.max(Math.abs(dx) - m.halfW, 0);
    const gy = Math.max(Math.abs(dy + m.lift) - m.halfH, 0);
    if (gx * gx + gy * gy >= m.touch * m.touch) continue;
    found |= Math.abs(dy + m.base) < m.sameLevel ? TOUCHES | LEVELS : TOUCHES;
  }
  return found;
}
