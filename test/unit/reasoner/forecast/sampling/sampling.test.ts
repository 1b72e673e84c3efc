import { describe, expect, it } from 'vitest';
import type { ObjectRecord } from '../../../../../src/core/memory.js';
import { MOTION_PRIORS } from '../../../../../src/reasoner/tracks/motion-kind.js';
import { exitShare } from '../../../../../src/reasoner/forecast/sampling/path-place.js';
import { MotionRules } from '../../../../../src/reasoner/forecast/sampling/path-motion.js';
import { trendOf, type PathRates } from '../../../../../src/reasoner/forecast/sampling/path-run.js';
import { PathSampler } from '../../../../../src/reasoner/forecast/sampling/paths.js';
import { Random } from '../../../../../src/reasoner/stats/random.js';
import type { TrackState } from '../../../../../src/reasoner/tracks/track-state.js';

const RATES: PathRates = { spread: 1, stopRate: 0, turnRate: 0, startFactor: 1 };
const STEPS = 38;

/** A person 100 px tall who has walked 60 px/s to the right for 3 s and is at (x, 300) now. */
function walker(x: number, more: Partial<TrackState> = {}): TrackState {
  const [vx, h] = [60, 100];
  return {
    record: { upright: true } as ObjectRecord,
    kind: 'walker',
    ...{ x, y: 300, vx, vy: 0, ax: 0, ay: 0, width: 30, height: h, h, size: 55, speed: vx / h },
    ...{ ageS: 3, unseenS: 0, stillS: 0, moving: true, standing: false, lingering: false },
    ...{ straightness: 1, jitter: 0.3 },
    pastX: Float64Array.from({ length: 22 }, (_, i) => x + (vx * (i - 21)) / 10),
    pastY: new Float64Array(22).fill(300),
    ...more,
  };
}

function exit(x: number): number {
  const state = walker(x);
  const random = new Random(1);
  const paths = new PathSampler(256).sample(state, RATES, STEPS, 0.1, random);
  return exitShare(state, paths, [640, 480], 30, random);
}

describe('the sampled forecast', () => {
  it('expects an exit the more the nearer the border is, and less again of who is outside in part', () => {
    expect(exit(200)).toBeLessThan(0.02);
    expect(exit(600)).toBeGreaterThan(0.8);
    expect(exit(520)).toBeLessThan(exit(600));
    // Half of the box is outside: for some observers the exit has been, for most it is still to come.
    expect(exit(640)).toBeGreaterThan(0.7);
    expect(exit(640)).toBeLessThan(0.9);
    // Almost all of it is: nearly all have seen the last of it.
    expect(exit(653)).toBeLessThan(0.25);
  });

  it('does not take an uncertain velocity for a turn', () => {
    const turns = (spread: number): number => {
      const state = walker(300);
      const paths = new PathSampler(1024).sample(state, { ...RATES, spread }, STEPS, 0.1, new Random(2));
      return new MotionRules(STEPS).shares(state, paths, 30).turn;
    };
    expect(turns(3) - turns(0.4)).toBeLessThan(0.05);
  });

  it('believes a change of velocity the less the more uncertain velocities are', () => {
    const state = walker(300, { ay: 60 });
    const { velocityError } = MOTION_PRIORS.walker;
    const sure = trendOf(state, 0).curve;
    expect(sure).toBeCloseTo(1);
    expect(trendOf(state, velocityError).curve).toBeLessThan(sure);
    expect(trendOf(state, 3 * velocityError).curve).toBeLessThan(trendOf(state, velocityError).curve / 2);
  });
});
