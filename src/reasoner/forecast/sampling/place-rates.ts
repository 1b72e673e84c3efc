import type { Point } from '../../../core/maths/box.js';
import type { EventType } from '../../../core/ontology.js';
import type { PlaceStatistics } from '../../../core/memory.js';

/** Object-seconds at the rate of the whole view with which a place starts. */
const PLACE_PRIOR_S = 30;
/** A place is trusted to be this much rarer or commoner than the view, at most. */
const MAX_FACTOR = 4;

/**
 * How much commoner an event is around a position than in the whole view: the posterior mean of a Gamma–Poisson rate
 * whose prior is the view's own rate with PLACE_PRIOR_S of exposure, divided by the view's rate. 1 while nothing is known.
 */
export function placeFactor(places: PlaceStatistics, type: EventType, position: Point): number {
  const view = places.rate(type);
  if (!(view > 0)) return 1;
  const exposure = Math.max(places.exposureAt(position), 0);
  const here = Math.max(places.rateAt(type, position), 0) * exposure;
  const factor = (here + PLACE_PRIOR_S * view) / ((exposure + PLACE_PRIOR_S) * view);
  return Math.min(Math.max(factor, 1 / MAX_FACTOR), MAX_FACTOR);
}
