import type { EventType } from '../../../core/ontology.js';
import type { MemorySnapshot } from '../../../core/memory.js';

/**
 * Shape of the Gamma prior over the rates of single objects: half an event. People differ much: most walk straight
 * on, a few stroll about, stop and turn again and again.
 */
const SHAPE = 0.5;
/** The rate of an object is trusted to differ from that of its kind by this factor at most. */
const MAX_FACTOR = 5;

/**
 * Rate of an event for one object, 1/s: the posterior mean (shape + its events) / (shape / rate of its kind + its seconds in view)
 * of a Poisson rate with a Gamma prior whose mean is the rate of its kind.
 */
export function ownRate(rate: number, events: number, seconds: number): number {
  const own = (SHAPE + events) / (SHAPE / rate + seconds);
  return Math.min(Math.max(own, rate / MAX_FACTOR), rate * MAX_FACTOR);
}

/** How many of the remembered events of each type each object took part in first: `id type` → count. */
export function ownCounts(snapshot: MemorySnapshot): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { event } of snapshot.events) {
    const key = ownKey(event.participants[0]?.id ?? '', event.type);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

export function ownKey(id: string, type: EventType): string {
  return `${id} ${type}`;
}
