import { setTimeout as delay } from 'node:timers/promises';
import { toPresageError, type PresageError } from '../../../core/errors.js';
import type { ForecastItem } from '../../../core/messages.js';
import { TIME_EPSILON } from '../../../core/ontology.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import type { Expert } from '../expert.js';
import { itemKey } from '../learning.js';

export interface PeriodicExpertOptions {
  readonly source: Expert;
  /** Media s between two questions. Default 2. */
  readonly everyS?: number;
  /** An answer about a moment longer ago than this is not used, media s. Default 2.5: within the horizon. */
  readonly staleAfterS?: number;
  /** What a forecast waits for a new answer before it takes the last one, wall ms. Default 120. */
  readonly waitMs?: number;
}

export interface PeriodicExpertStats {
  readonly asked: number;
  /** Beats that were left out because the last question was still open. */
  readonly skipped: number;
  /** Forecasts that were given an answer about an earlier moment. */
  readonly reused: number;
  /** Answers that came too late for any forecast. */
  readonly stale: number;
}

interface Answer {
  readonly t: number;
  readonly probabilities: ReadonlyMap<string, number>;
}

/**
 * A slow source for live streams: it is asked on a beat, one question at a time, always about the newest moment. A forecast
 * that cannot wait for the answer gets the last one, which is about a moment shortly before.
 */
export class PeriodicExpert implements Expert {
  readonly name: string;
  readonly model: string;
  readonly #source: Expert;
  readonly #everyS: number;
  readonly #staleAfterS: number;
  readonly #waitMs: number;
  readonly #counts = { asked: 0, skipped: 0, reused: 0, stale: 0 };
  #askedAt = -Infinity;
  #now = -Infinity;
  #open: Promise<void> | undefined;
  #last: Answer | undefined;
  #failure: PresageError | undefined;

  constructor({ source, everyS = 2, staleAfterS = 2.5, waitMs = 120 }: PeriodicExpertOptions) {
    this.name = source.name;
    this.model = source.model;
    this.#source = source;
    this.#everyS = everyS;
    this.#staleAfterS = staleAfterS;
    this.#waitMs = waitMs;
  }

  /** Empty where no answer is recent enough. Rejects with what the last question failed with, once. */
  async probabilities(
    snapshot: MemorySnapshot,
    items: readonly ForecastItem[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const { t } = snapshot;
    // A stream that begins anew starts its beat anew.
    if (t < this.#now) {
      this.#askedAt = -Infinity;
      this.#last = undefined;
    }
    this.#now = t;
    if (t - this.#askedAt >= this.#everyS - TIME_EPSILON) {
      if (this.#open) this.#counts.skipped += 1;
      else this.#ask(snapshot, items);
    }
    if (this.#open && this.#askedAt === t) await Promise.race([this.#open, waited(this.#waitMs, signal)]);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure;
    return this.#recent(t, items);
  }

  stats(): PeriodicExpertStats {
    return { ...this.#counts };
  }

  #ask(snapshot: MemorySnapshot, items: readonly ForecastItem[]): void {
    this.#askedAt = snapshot.t;
    this.#counts.asked += 1;
    // It outlives the forecast that it was asked for, so it has a signal of its own.
    const answer = this.#source.probabilities(snapshot, items, new AbortController().signal);
    this.#open = answer
      .then((probabilities) => {
        if (this.#now - snapshot.t > this.#staleAfterS) this.#counts.stale += 1;
        else this.#last = { t: snapshot.t, probabilities };
      })
      .catch((thrown: unknown) => {
        this.#failure = toPresageError(thrown, 'backend_failed');
      })
      .finally(() => (this.#open = undefined));
  }

  #recent(t: number, items: readonly ForecastItem[]): ReadonlyMap<string, number> {
    const last = this.#last;
    if (!last || t - last.t > this.#staleAfterS) return new Map();
    if (last.t < t) this.#counts.reused += 1;
    const keys = new Set(items.map((item) => itemKey(item.type, item.participants, item.zone)));
    return new Map([...last.probabilities].filter(([key]) => keys.has(key)));
  }
}

async function waited(ms: number, signal: AbortSignal): Promise<void> {
  // An abort only ends the waiting.
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
