/**
 * How things of a class move, and what is believed of it before this camera has shown anything. Every number is a
 * round figure from general knowledge, none was fitted to a recording; what the camera shows replaces them.
 */
export type MotionKind = 'walker' | 'vehicle' | 'body';

/** COCO labels of things that keep their speed because somebody drives them. */
const VEHICLE_LABELS: ReadonlySet<string> = new Set([
  'bicycle',
  'car',
  'motorcycle',
  'airplane',
  'bus',
  'train',
  'truck',
  'boat',
  'skateboard',
]);

/** A passive body (ball, cube, unknown thing) is what neither walks nor is driven: friction slows it. */
export function motionKind(label: string, upright: boolean): MotionKind {
  if (upright) return 'walker';
  return VEHICLE_LABELS.has(label) ? 'vehicle' : 'body';
}

export interface MotionPrior {
  /** Standard deviation of the estimated velocity of a moving thing, each axis, bh/s. */
  readonly velocityError: number;
  /** Random walk of the velocity of a moving thing, each axis, bh/s per √s. */
  readonly wander: number;
  /** The same two of a standing thing. */
  readonly restVelocityError: number;
  readonly restWander: number;
  /** Stops of a moving thing that nothing announces, 1/s. */
  readonly stopRate: number;
  /** Deliberate changes of heading by 45–150°, 1/s. */
  readonly turnRate: number;
  /** Standing things start again after a Lomax time: rate = shape / (scale + seconds stood), 1/s. */
  readonly startShape: number;
  /** s */
  readonly startScaleS: number;
  /** Speed after a start, bh/s: mean and standard deviation. */
  readonly startSpeed: number;
  readonly startSpeedSpread: number;
}

/**
 * Walkers: a person walks at 1.2–1.4 m/s ± 0.26 (Bohannon 1997), about 0.75 bh/s seen from the side and less along the
 * view; changes speed by some 0.15 m/s from second to second; stands for seconds to minutes, with no scale of its own
 * (a mixture of exponentials with a Gamma rate is a Lomax time): of those who have stood 1 s, 3 in 10 go within 3 s,
 * after half a minute 1 in 12. Vehicles turn and wander less. Bodies do not start by themselves; contact with another
 * moves them (see the forecaster), and a hand or a body not yet in view: whatever is in view as a moving thing is there
 * because something moves it.
 */
export const MOTION_PRIORS: Readonly<Record<MotionKind, MotionPrior>> = {
  walker: {
    velocityError: 0.12,
    wander: 0.15,
    restVelocityError: 0.04,
    restWander: 0.03,
    stopRate: 0.015,
    turnRate: 0.02,
    startShape: 1,
    startScaleS: 6,
    startSpeed: 0.7,
    startSpeedSpread: 0.25,
  },
  vehicle: {
    velocityError: 0.12,
    wander: 0.2,
    restVelocityError: 0.03,
    restWander: 0.02,
    stopRate: 0.03,
    turnRate: 0.015,
    startShape: 1,
    startScaleS: 12,
    startSpeed: 1,
    startSpeedSpread: 0.4,
  },
  body: {
    velocityError: 0.12,
    wander: 0.1,
    restVelocityError: 0.02,
    restWander: 0.01,
    stopRate: 0.02,
    turnRate: 0.01,
    startShape: 1,
    startScaleS: 12,
    startSpeed: 0.8,
    startSpeedSpread: 0.4,
  },
};

/**
 * Deceleration of a passive body by friction, bh/s², log-normal: rolling and sliding things lose 0.1–2 m/s² (μg with
 * μ from 0.01 to 0.2) and stand 0.1–1 m high, which makes 0.1–20 bh/s² as ±2 standard deviations around 1.4.
 * A body that brakes by `a` moves for a time in proportion to 1/a, so of those met while moving the weak brakers are
 * more (inspection paradox): the log-normal weighted by 1/a is again one, its median lower by exp(−spread²).
 */
export const FRICTION_LOG_SPREAD = 1.3;
export const FRICTION_MEDIAN = 1.4 * Math.exp(-(FRICTION_LOG_SPREAD ** 2));

/**
 * A round body slides until it rolls, which takes 2/7 of its speed (solid ball: (1 − 5/7), Coriolis 1835); then rolling
 * friction is all that brakes it. Half of the unknown bodies are taken for round.
 */
export const ROLLING_SHARE = 0.5;
export const ROLLING_KEEPS = 5 / 7;
/** bh/s²; μ of rolling about 0.01. */
export const ROLLING_FRICTION = 0.15;

/**
 * A walker either goes somewhere or dwells: waits, chats, strolls about. The velocity of one who dwells has forgotten
 * itself after DWELL_MEMORY_S and spreads by DWELL_SPEED (each axis) around standing still; the odds of it are PRIOR_ODDS
 * times the likelihood ratio of the speed (dwelling 0.2 ± 0.3 bh/s; going any up to 0.75, for ways along the view look slow) and of the straightness of the last
 * seconds (way made / way gone; densities 3 s² against uniform).
 */
export const DWELL = {
  priorOdds: 0.2,
  memoryS: 1.5,
  speed: 0.3,
  goingSpeed: 0.75,
  dwellingSpeed: 0.2,
  speedDeviation: 0.3,
} as const;
