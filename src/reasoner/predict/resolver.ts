import { z } from 'zod';
import {
  forecastSchema,
  type EventObserved,
  type Forecast,
  type ForecastItem,
  type Prediction,
  type ResolvedPrediction,
} from '../../core/messages.js';
import { CONFIRM_S, TIME_EPSILON, type EventType } from '../../core/ontology.js';
import { itemKey, type ItemOutcome } from '../forecast/learning.js';
import type { ItemEstimates } from '../forecast/mixture/forecast-mixture.js';

/**
 * An event is told at the first percept after it is certain, `t` + CONFIRM_S at best; a stream at 2 frames a second
 * or with a short stall tells it this much later, s.
 */
const RESOLVE_MARGIN_S = 0.6;
/** Items waiting at most; beyond it the oldest forecast is let go unresolved, and counted. */
const MAX_PENDING = 200_000;

export const resolverStateSchema = z.object({
  dropped: z.number().int().min(0),
  slots: z.array(
    z.object({
      forecast: forecastSchema,
      raw: z.array(z.number()),
      sampled: z.array(z.number()),
      estimates: z.record(z.string(), z.array(z.number().nullable())),
      groups: z.array(z.string()),
      /** Places of the items that still wait. */
      waiting: z.array(z.number().int().min(0)),
    }),
  ),
});

/** What a forecast was made from, in the order of its items. */
export interface ForecastBasis {
  /** Probabilities before calibration. */
  readonly raw: readonly number[];
  /** By sampled paths alone. */
  readonly sampled: readonly number[];
  /** By source; null where it said nothing of the item. */
  readonly estimates: Readonly<Record<string, readonly (number | null)[]>>;
  /** What the pool learns the item with; empty where no source spoke. */
  readonly groups: readonly string[];
}

interface Slot {
  readonly forecast: Forecast;
  readonly basis: ForecastBasis;
  readonly byType: Map<EventType, Map<string, number>>;
  pending: number;
}

/** An outcome with what the probability was made from, for those that learn from it. */
export interface ResolvedItem extends ItemOutcome {
  /** Before calibration. */
  readonly raw: number;
  readonly sampled: number;
  readonly estimates: ItemEstimates;
  readonly group: string;
}

/**
 * Decides what became of every item of every forecast: a hit when an event of its type, participants (in any order unless
 * they have roles) and zone is told whose `t` lies in (at, at + horizon]; a miss when the media time has passed by which it
 * would have been told. Only a loss of the camera voids an item: an object that the tracker loses is part of what
 * a forecast of this camera must reckon with, and leaving it out would flatter the scores.
 */
export class Resolver {
  #slots: Slot[] = [];
  #pending = 0;
  #dropped = 0;

  add(forecast: Forecast, basis: ForecastBasis): void {
    const slot = slotOf(forecast, basis, () => true);
    this.#slots.push(slot);
    this.#pending += slot.pending;
    while (this.#pending > MAX_PENDING && this.#slots.length > 1) {
      const oldest = this.#slots.shift();
      this.#pending -= oldest?.pending ?? 0;
      this.#dropped += oldest?.pending ?? 0;
    }
  }

  /** Hits of the events told at media time `now`, then the misses that are certain by then; each item once. */
  resolve(events: readonly EventObserved[], now: number): ResolvedItem[] {
    const outcomes: ResolvedItem[] = [];
    for (const { event } of events) {
      const key = itemKey(
        event.type,
        event.participants.map((p) => p.id),
        event.zone,
      );
      for (const slot of this.#slots) {
        const group = slot.byType.get(event.type);
        const i = group?.get(key);
        const item = i === undefined ? undefined : slot.forecast.items[i];
        if (
          !item ||
          i === undefined ||
          !withinWindow(event.t, slot.forecast.at, horizonOf(item, slot.forecast))
        )
          continue;
        group?.delete(key);
        this.#take(slot);
        outcomes.push({ ...outcome(slot, item, i, true), eventT: event.t, eventId: event.id });
      }
    }
    for (const slot of this.#slots) this.#misses(slot, now, outcomes);
    this.#slots = this.#slots.filter((slot) => slot.pending > 0);
    return outcomes;
  }

  /** The camera was lost: nothing that waits is decided any more. Returns how many items were voided. */
  voidAll(): number {
    const voided = this.#pending;
    this.#slots = [];
    this.#pending = 0;
    return voided;
  }

  /** Zones or lines have gone, or lie elsewhere: what waits of them is not decided any more. */
  voidPlaces(names: ReadonlySet<string>): void {
    for (const slot of this.#slots) {
      for (const group of slot.byType.values()) {
        for (const [key, i] of group) {
          if (!names.has(slot.forecast.items[i]?.zone ?? '')) continue;
          group.delete(key);
          this.#take(slot);
        }
      }
    }
    this.#slots = this.#slots.filter((slot) => slot.pending > 0);
  }

  saveState(): z.infer<typeof resolverStateSchema> {
    return {
      dropped: this.#dropped,
      slots: this.#slots.map(({ forecast, basis: { raw, sampled, estimates, groups }, byType }) => ({
        forecast,
        raw: [...raw],
        sampled: [...sampled],
        estimates: Object.fromEntries(Object.entries(estimates).map(([name, said]) => [name, [...said]])),
        groups: [...groups],
        waiting: [...byType.values()].flatMap((group) => [...group.values()]),
      })),
    };
  }

  restoreState({ dropped, slots }: z.infer<typeof resolverStateSchema>): void {
    this.#slots = slots.map(({ forecast, waiting, ...basis }) => {
      const left = new Set(waiting);
      return slotOf(forecast, basis, (i) => left.has(i));
    });
    this.#pending = this.#slots.reduce((sum, { pending }) => sum + pending, 0);
    this.#dropped = dropped;
  }

  dump(): { pending: number; dropped: number } {
    return { pending: this.#pending, dropped: this.#dropped };
  }

  #misses(slot: Slot, now: number, outcomes: ResolvedItem[]): void {
    for (const [type, group] of slot.byType) {
      for (const [key, i] of group) {
        const item = slot.forecast.items[i];
        // All items of a type look equally far: the first one tells for its group.
        if (!item || now < decidedAt(type, slot.forecast.at + horizonOf(item, slot.forecast))) break;
        group.delete(key);
        this.#take(slot);
        outcomes.push(outcome(slot, item, i, false));
      }
    }
  }

  #take(slot: Slot): void {
    slot.pending -= 1;
    this.#pending -= 1;
  }
}

function slotOf(forecast: Forecast, basis: ForecastBasis, waits: (i: number) => boolean): Slot {
  const byType = new Map<EventType, Map<string, number>>();
  forecast.items.forEach((item, i) => {
    if (!waits(i)) return;
    const group = byType.get(item.type) ?? new Map<string, number>();
    byType.set(item.type, group);
    group.set(itemKey(item.type, item.participants, item.zone), i);
  });
  const pending = [...byType.values()].reduce((sum, group) => sum + group.size, 0);
  return { forecast, basis, byType, pending };
}

/** Decides open predictions; those still open are the rest. */
export function resolvePredictions(
  open: readonly Prediction[],
  events: readonly EventObserved[],
  now: number,
): { resolved: ResolvedPrediction[]; open: Prediction[] } {
  const resolved: ResolvedPrediction[] = [];
  const rest: Prediction[] = [];
  for (const prediction of open) {
    const { type, participants, zone } = prediction.event;
    const key = itemKey(type, participants, zone);
    const { from, to } = prediction.window;
    const hits = events
      .map(({ event }) => event)
      .filter(
        (e) =>
          itemKey(
            e.type,
            e.participants.map((p) => p.id),
            e.zone,
          ) === key,
      )
      .filter((e) => withinWindow(e.t, from, to - from))
      .sort((a, b) => a.t - b.t);
    const hit = hits[0];
    if (hit) {
      const leadTime = Math.round((hit.t - prediction.issuedAt) * 1000) / 1000;
      resolved.push({ ...prediction, outcome: 'hit', resolvedAt: now, eventId: hit.id, leadTime });
    } else if (now >= decidedAt(type, to)) {
      resolved.push({ ...prediction, outcome: 'miss', resolvedAt: now });
    } else rest.push(prediction);
  }
  return { resolved, open: rest };
}

/** Media time at which an event of the type with `t` ≤ `to` must have been told. */
function decidedAt(type: EventType, to: number): number {
  return to + CONFIRM_S[type] + RESOLVE_MARGIN_S - TIME_EPSILON;
}

function withinWindow(t: number, at: number, horizon: number): boolean {
  return t > at + TIME_EPSILON && t <= at + horizon + TIME_EPSILON;
}

function horizonOf(item: ForecastItem, forecast: Forecast): number {
  return item.horizon ?? forecast.horizon;
}

function outcome(slot: Slot, item: ForecastItem, i: number, hit: boolean): ResolvedItem {
  const { raw, sampled, estimates, groups } = slot.basis;
  return {
    item,
    at: slot.forecast.at,
    hit,
    raw: raw[i] ?? item.probability,
    sampled: sampled[i] ?? item.probability,
    estimates: estimatesOf(estimates, i),
    group: groups[i] ?? item.type,
  };
}

/** What the sources said of the i-th item. */
export function estimatesOf(estimates: ForecastBasis['estimates'], i: number): ItemEstimates {
  return Object.fromEntries(
    Object.entries(estimates).flatMap(([name, said]): [string, number][] => {
      const p = said[i];
      return p === null || p === undefined ? [] : [[name, p]];
    }),
  );
}
