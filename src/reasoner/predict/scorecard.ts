import { z } from 'zod';
import type { Scorecard } from '../../core/messages.js';
import { EVENT_TYPES, type EventType } from '../../core/ontology.js';
import {
  averagePrecision,
  brierScore,
  calibrationError,
  median,
  reliabilityBins,
  skillScore,
} from '../stats/scores.js';

export interface ScorecardsOptions {
  /** Length of the rolling window, media s. Default 600. */
  readonly windowS?: number;
  /** Most items kept; the oldest give way. Default 20 000. */
  readonly maxItems?: number;
}

/** Columns of the scored items, each as base64: a byte for the type and the outcome, little-endian doubles. */
export const scoresStateSchema = z.object({
  kinds: z.base64(),
  /** Index into `times`, 16 bits. */
  at: z.base64(),
  times: z.array(z.number()),
  p: z.base64(),
  leads: z.array(z.object({ t: z.number(), lead: z.number() })),
  degraded: z.array(z.number()),
});

interface Scored {
  readonly type: EventType;
  readonly at: number;
  readonly p: number;
  readonly y: 0 | 1;
}

/** Where a figure is rounded: enough for a person, and the same bytes on every machine. */
const DIGITS = 6;

/**
 * The record of the last minutes: every resolved item of the standard forecast with the probability that was stated.
 * Skill is over the base rate of the type within the window, known only in hindsight. The lead time is that of the
 * predictions that came true, from the first time they were told to the event.
 */
export class Scorecards {
  readonly #windowS: number;
  readonly #maxItems: number;
  #items: Scored[] = [];
  #leads: { t: number; lead: number }[] = [];
  #degraded: number[] = [];

  constructor(options: ScorecardsOptions = {}) {
    this.#windowS = options.windowS ?? 600;
    this.#maxItems = options.maxItems ?? 20_000;
  }

  /** An item stated with probability p at media time `at` has come true or not. */
  add(type: EventType, at: number, p: number, hit: boolean): void {
    this.#items.push({ type, at, p, y: hit ? 1 : 0 });
    // Cut in blocks: moving the array for each item would cost its whole length each time.
    if (this.#items.length > this.#maxItems * 1.25) this.#items = this.#items.slice(-this.#maxItems);
  }

  /** A prediction came true at `t`, `lead` seconds after it was told. */
  addLead(t: number, lead: number): void {
    this.#leads.push({ t, lead });
    if (this.#leads.length > this.#maxItems) this.#leads.shift();
  }

  /** The forecast of media time `at` was told without some source that should have had a say. */
  addDegraded(at: number): void {
    this.#degraded.push(at);
    if (this.#degraded.length > this.#maxItems) this.#degraded.shift();
  }

  saveState(): z.infer<typeof scoresStateSchema> {
    const times = [...new Set(this.#items.map(({ at }) => at))];
    const index = new Map(times.map((at, i) => [at, i]));
    const kinds = Buffer.from(this.#items.map(({ type, y }) => 2 * EVENT_TYPES.indexOf(type) + y));
    const at = Uint16Array.from(this.#items, (item) => index.get(item.at) ?? 0);
    const p = Float64Array.from(this.#items, (item) => item.p);
    return {
      kinds: kinds.toString('base64'),
      at: Buffer.from(at.buffer).toString('base64'),
      times,
      p: Buffer.from(p.buffer).toString('base64'),
      leads: this.#leads,
      degraded: this.#degraded,
    };
  }

  restoreState(state: z.infer<typeof scoresStateSchema>): void {
    const [kinds, at, p] = [state.kinds, state.at, state.p].map((text) => Buffer.from(text, 'base64'));
    const items: Scored[] = [];
    for (let i = 0; kinds && at && p && i < kinds.length; i++) {
      const type = EVENT_TYPES[(kinds[i] ?? 0) >> 1];
      const time = state.times[at.readUInt16LE(2 * i)];
      if (type === undefined || time === undefined) continue;
      items.push({ type, at: time, p: p.readDoubleLE(8 * i), y: (kinds[i] ?? 0) % 2 === 1 ? 1 : 0 });
    }
    this.#items = items;
    this.#leads = state.leads;
    this.#degraded = state.degraded;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The scorecard of the window that ends at media time `to`. */
  scorecard(to: number): Scorecard {
    const from = Math.max(0, to - this.#windowS);
    this.#items = this.#items.filter((i) => i.at >= from).slice(-this.#maxItems);
    this.#leads = this.#leads.filter((l) => l.t >= from);
    this.#degraded = this.#degraded.filter((at) => at >= from);
    const types = [...new Set(this.#items.map((i) => i.type))].sort();
    const groups = new Map(types.map((type) => [type, this.#items.filter((i) => i.type === type)]));
    const rates = new Map(
      [...groups].map(([type, items]) => [type, items.reduce((sum, i) => sum + i.y, 0) / items.length]),
    );
    const all = figures(this.#items, rates);
    const lead = median(this.#leads.map((l) => l.lead));
    return {
      window: { from, to },
      n: all.n,
      brier: all.brier,
      skill: all.skill,
      ece: all.ece,
      ap: all.ap,
      medianLeadTime: lead === null ? null : round(lead),
      ...(this.#degraded.length > 0 && { degraded: this.#degraded.length }),
      reliability: reliabilityBins(...columns(this.#items)).map((b) => ({
        p: round(b.p),
        observed: round(b.observed),
        n: b.n,
      })),
      byType: Object.fromEntries([...groups].map(([type, items]) => [type, figures(items, rates)])),
    };
  }
}

function columns(items: readonly Scored[]): [p: Float64Array, y: Float64Array] {
  return [Float64Array.from(items, (i) => i.p), Float64Array.from(items, (i) => i.y)];
}

function figures(
  items: readonly Scored[],
  rates: ReadonlyMap<EventType, number>,
): Scorecard['byType'][string] {
  const [p, y] = columns(items);
  const base = Float64Array.from(items, (i) => rates.get(i.type) ?? 0);
  return {
    n: items.length,
    positives: items.reduce((sum, i) => sum + i.y, 0),
    brier: orNull(brierScore(p, y)),
    skill: orNull(skillScore(p, y, base)),
    ece: orNull(calibrationError(p, y)),
    ap: orNull(averagePrecision(p, y)),
  };
}

function orNull(value: number | null): number | null {
  return value === null ? null : round(value);
}

function round(value: number): number {
  return Math.round(value * 10 ** DIGITS) / 10 ** DIGITS;
}
