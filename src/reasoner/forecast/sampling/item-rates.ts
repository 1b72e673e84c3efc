import type { ForecastType } from '../../../core/ontology.js';
import { BaseRates } from '../../stats/base-rates.js';
import type { MotionKind } from '../../tracks/motion-kind.js';

/**
 * Share of the items of each type that come true before anything is known of the camera: round figures from experience
 * with street and table scenes, by what is in them. Where people walk, one in ten objects is near its way out.
 */
const PRIOR_RATES: Readonly<Record<ForecastType, Readonly<Record<MotionKind, number>>>> = {
  exit: { walker: 0.07, vehicle: 0.1, body: 0.05 },
  stop: { walker: 0.05, vehicle: 0.07, body: 0.25 },
  start_moving: { walker: 0.2, vehicle: 0.15, body: 0.25 },
  turn: { walker: 0.1, vehicle: 0.05, body: 0.1 },
  meet: { walker: 0.05, vehicle: 0.02, body: 0.03 },
  collide: { walker: 0.002, vehicle: 0.005, body: 0.1 },
  zone_enter: { walker: 0.03, vehicle: 0.03, body: 0.03 },
  zone_leave: { walker: 0.05, vehicle: 0.05, body: 0.05 },
  line_cross: { walker: 0.03, vehicle: 0.03, body: 0.03 },
  loiter: { walker: 0.35, vehicle: 0.35, body: 0.5 },
};
/** Independent items that the prior counts as. */
const PRIOR_STRENGTH = 20;

/** Base rates by type and kind of thing, from the priors on. */
export function itemRates(): BaseRates {
  return new BaseRates((key) => {
    const [type, kind] = key.split('/');
    const rates = PRIOR_RATES[type as ForecastType] as Readonly<Record<MotionKind, number>> | undefined;
    return { mean: rates?.[kind as MotionKind] ?? 0.05, strength: PRIOR_STRENGTH };
  });
}

/** Key of the base rate of an item; a pair counts as bodies only when both are. */
export function rateKey(type: ForecastType, a: MotionKind, b: MotionKind = a): string {
  if (a === b) return `${type}/${a}`;
  return `${type}/${a === 'walker' || b === 'walker' ? 'walker' : 'vehicle'}`;
}
