import type { ForecastItem } from '../../core/messages.js';
import type { EventType } from '../../core/ontology.js';
import { HORIZON_S, ORDERED_TYPES } from '../../core/ontology.js';
import type { Forecaster } from '../../core/reasoner.js';

/** What became of one item of a forecast. */
export interface ItemOutcome {
  readonly item: ForecastItem;
  /** When it was stated, media s. */
  readonly at: number;
  readonly hit: boolean;
  /** `t` of the event that made it true. */
  readonly eventT?: number;
  readonly eventId?: string;
}

/** A forecaster that learns from what became of its items and keeps that across restarts. */
export interface LearningForecaster extends Forecaster {
  /** Outcomes of items of this forecaster, once each. */
  learn(outcomes: readonly ItemOutcome[]): void;
  /** The camera was lost: what was expected is not compared. */
  interrupt(): void;
  saveState(): unknown;
  /** Takes over a saved state; one that is not of its form is ignored and false returned. */
  restoreState(state: unknown): boolean;
}

export function isLearning(forecaster: Forecaster): forecaster is LearningForecaster {
  return 'learn' in forecaster && typeof forecaster.learn === 'function';
}

/** Identity of an item or event: type, participants (sorted unless they have roles), zone. */
export function itemKey(type: EventType, participants: readonly string[], zone?: string): string {
  const who = ORDERED_TYPES.has(type) ? participants : [...participants].sort();
  return `${type}|${who.join(',')}|${zone ?? ''}`;
}

/** Pairs share their objects: one that stands still decides all its pairs at once. */
const PAIR_WEIGHT = 0.5;

/**
 * An item is stated every second over 3 s (loiter: over 10 s), so an event is counted in that many successive items:
 * each is that share of an independent observation.
 */
export function observationWeight(item: ForecastItem): number {
  return (item.participants.length > 1 ? PAIR_WEIGHT : 1) / (item.horizon ?? HORIZON_S);
}
