import { z } from 'zod';
import {
  predictionSchema,
  type Draft,
  type Forecast,
  type ForecastItem,
  type Prediction,
  type ResolvedPrediction,
} from '../../core/messages.js';
import { TIME_EPSILON, type EventType, type ForecastType } from '../../core/ontology.js';
import type { MemorySnapshot } from '../../core/memory.js';
import { itemKey } from '../forecast/learning.js';
import { justify } from './justification.js';

/** Worth telling at all: at least this likely, … */
const MIN_P = 0.3;
/** … and with odds at least this many times those of the base rate. */
const MIN_ODDS_RATIO = 2;
/** Predictions told of one moment at most. */
const MOST = 3;
/** A change of the probability that is worth an update. */
const UPDATE_P = 0.15;
/** So is a change of the rank by as much as this. */
const UPDATE_RANK = 2;
/** An event that did not come is not foretold again at once, s, unless it has become likelier by UPDATE_P. */
const QUIET_S = 3;

/** How much a person cares, relative to someone leaving or two meeting. */
const INTEREST: Readonly<Record<ForecastType, number>> = {
  exit: 1,
  stop: 0.7,
  start_moving: 0.7,
  turn: 0.5,
  meet: 1,
  collide: 3,
  zone_enter: 1.5,
  zone_leave: 1.5,
  line_cross: 1.5,
  loiter: 0.7,
};

export const editorStateSchema = z.object({
  next: z.number().int().min(1),
  open: z.array(predictionSchema),
  quiet: z.array(z.tuple([z.string(), z.object({ until: z.number(), p: z.number() })])),
});

interface Candidate {
  readonly item: ForecastItem;
  readonly key: string;
  readonly baseRate: number;
  readonly value: number;
}

/**
 * Chooses what of a forecast is told to people: the three items of most interest among the likely ones that the base rate does not say.
 * The value of an item is interest · p · ln(p / base rate), its share of the information gained over the base rate (Kullback–Leibler).
 * A prediction's window is fixed when it is told; its probability is updated for what is left of the window.
 */
export class PredictionEditor {
  readonly #by: Prediction['by'];
  #next = 1;
  #open: Prediction[] = [];
  readonly #quiet = new Map<string, { until: number; p: number }>();

  constructor(by: Prediction['by']) {
    this.#by = by;
  }

  /** Predictions told and not yet resolved, in order of telling. */
  get open(): readonly Prediction[] {
    return this.#open;
  }

  /**
   * New predictions and updates from a forecast whose probabilities are calibrated.
   * @param ms how long the forecast took
   */
  edit(
    forecast: Forecast,
    snapshot: MemorySnapshot,
    baseRate: (type: EventType) => number,
    ms?: number,
  ): Draft[] {
    this.#forgetQuiet(forecast.at);
    const ranked = this.#rank(forecast, baseRate);
    const stated = new Map(forecast.items.map((i) => [itemKey(i.type, i.participants, i.zone), i]));
    const drafts = this.#update(forecast, stated, ranked);
    const openKeys = new Set(this.#open.map((p) => keyOf(p)));
    ranked.slice(0, MOST).forEach(({ item, key, baseRate: base }, i) => {
      if (openKeys.has(key) || this.#isQuiet(key, item.probability)) return;
      const made = this.#create(item, forecast, i + 1, base, snapshot);
      const prediction = ms === undefined ? made : { ...made, by: { ...made.by, ms } };
      this.#open.push(prediction);
      drafts.push(draft('prediction.created', forecast.at, prediction));
    });
    return drafts;
  }

  /** Takes the resolved ones out and keeps what is still open. */
  close(open: Prediction[], resolved: readonly ResolvedPrediction[], now: number): void {
    this.#open = open;
    for (const r of resolved)
      if (r.outcome === 'miss') this.#quiet.set(keyOf(r), { until: now + QUIET_S, p: r.probability });
  }

  saveState(): z.infer<typeof editorStateSchema> {
    return { next: this.#next, open: this.#open, quiet: [...this.#quiet] };
  }

  restoreState({ next, open, quiet }: z.infer<typeof editorStateSchema>): void {
    this.#next = next;
    this.#open = open;
    this.#quiet.clear();
    for (const [key, value] of quiet) this.#quiet.set(key, value);
  }

  /** Number of the next id; kept across restarts so that ids stay unique in the log. */
  get nextNumber(): number {
    return this.#next;
  }

  set nextNumber(value: number) {
    this.#next = value;
  }

  #rank(forecast: Forecast, baseRate: (type: EventType) => number): Candidate[] {
    const candidates: Candidate[] = [];
    for (const item of forecast.items) {
      const p = item.probability;
      if (p < MIN_P) continue;
      const base = baseRate(item.type);
      if (odds(p) < MIN_ODDS_RATIO * odds(base)) continue;
      const value = INTEREST[item.type as ForecastType] * p * Math.log(p / base);
      candidates.push({ item, key: itemKey(item.type, item.participants, item.zone), baseRate: base, value });
    }
    return candidates.sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
  }

  #update(
    forecast: Forecast,
    stated: ReadonlyMap<string, ForecastItem>,
    ranked: readonly Candidate[],
  ): Draft[] {
    const drafts: Draft[] = [];
    this.#open = this.#open.map((prediction) => {
      const left = prediction.window.to - forecast.at;
      const item = stated.get(keyOf(prediction));
      if (!item || left <= TIME_EPSILON) return prediction;
      const probability = within(item.probability, left / (item.horizon ?? forecast.horizon));
      const place = ranked.findIndex((c) => c.key === keyOf(prediction));
      const rank = place < 0 ? prediction.rank : place + 1;
      const moved = Math.abs(probability - prediction.probability) >= UPDATE_P;
      if (!moved && Math.abs(rank - prediction.rank) < UPDATE_RANK) return prediction;
      const updated = { ...prediction, probability, rank };
      drafts.push(draft('prediction.updated', forecast.at, updated));
      return updated;
    });
    return drafts;
  }

  #create(
    item: ForecastItem,
    forecast: Forecast,
    rank: number,
    baseRate: number,
    snapshot: MemorySnapshot,
  ): Prediction {
    const id = `p${this.#next}`;
    this.#next += 1;
    return {
      id,
      event: {
        type: item.type,
        participants: item.participants,
        ...(item.zone !== undefined && { zone: item.zone }),
      },
      window: { from: forecast.at, to: forecast.at + (item.horizon ?? forecast.horizon) },
      probability: item.probability,
      rank,
      baseRate: round(baseRate),
      justification: justify(item, snapshot),
      issuedAt: forecast.at,
      by: this.#by,
    };
  }

  #isQuiet(key: string, p: number): boolean {
    const quiet = this.#quiet.get(key);
    return quiet !== undefined && p < quiet.p + UPDATE_P;
  }

  #forgetQuiet(now: number): void {
    for (const [key, { until }] of this.#quiet) if (until <= now) this.#quiet.delete(key);
  }
}

function keyOf({ event }: Pick<Prediction, 'event'>): string {
  return itemKey(event.type, event.participants, event.zone);
}

function draft(
  kind: 'prediction.created' | 'prediction.updated',
  mediatime: number,
  prediction: Prediction,
): Draft {
  return { kind, mediatime, subject: prediction.id, data: { prediction } };
}

function odds(p: number): number {
  return p / (1 - p);
}

/** Probability within a share of the horizon, at an even hazard over it. */
function within(p: number, share: number): number {
  return share >= 1 ? p : round(1 - (1 - p) ** share);
}

function round(p: number): number {
  return Math.round(p * 1e6) / 1e6;
}
