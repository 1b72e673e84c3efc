import { signal, type ReadonlySignal } from '@preact/signals';
import type { Prediction, ResolvedPrediction } from '../../src/core/messages.js';

export interface Card {
  readonly prediction: Prediction;
  /** Undefined while it is open. */
  readonly resolved: ResolvedPrediction | undefined;
}

/** Places for cards: each stays where it is until it is done, so that nothing jumps. */
const SLOTS = 4;
/** An outcome is shown for this long, media s. */
const OUTCOME_S = 5;
/** A prediction whose end is never told goes this long after its window, s. */
const FORGOTTEN_S = 6;
const MAX_OPEN = 64;
const MAX_PAST = 400;

/** Predictions: the few that are shown as cards, those that wait for a place, and what became of the others. */
export class PredictionBoard {
  readonly #slots = signal<readonly (Card | undefined)[]>(new Array<Card | undefined>(SLOTS).fill(undefined));
  readonly #past = signal<readonly ResolvedPrediction[]>([]);
  readonly #open = new Map<string, Prediction>();

  /** As shown, a place each. */
  get slots(): ReadonlySignal<readonly (Card | undefined)[]> {
    return this.#slots;
  }
  /** Resolved ones, newest first. */
  get past(): ReadonlySignal<readonly ResolvedPrediction[]> {
    return this.#past;
  }
  /** All open ones. */
  open(): IterableIterator<Prediction> {
    return this.#open.values();
  }

  follow(prediction: Prediction, now: number | undefined): void {
    if (now !== undefined && prediction.window.to < now - FORGOTTEN_S) return;
    this.#open.set(prediction.id, prediction);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MAX_OPEN) break;
      this.#open.delete(oldest);
    }
    this.#replace(prediction.id, { prediction, resolved: undefined });
    this.#fill();
  }

  resolve(resolved: ResolvedPrediction): void {
    this.#open.delete(resolved.id);
    this.#past.value = [resolved, ...this.#past.value].slice(0, MAX_PAST);
    this.#replace(resolved.id, { prediction: resolved, resolved });
  }

  /** Lets go of what is over. */
  tidy(now: number): void {
    for (const [id, { window }] of this.#open) if (window.to < now - FORGOTTEN_S) this.#open.delete(id);
    const isOver = ({ prediction, resolved }: Card): boolean =>
      resolved ? resolved.resolvedAt < now - OUTCOME_S : !this.#open.has(prediction.id);
    if (this.#slots.value.some((card) => card && isOver(card)))
      this.#slots.value = this.#slots.value.map((card) => (card && isOver(card) ? undefined : card));
    this.#fill();
  }

  reset(): void {
    this.#open.clear();
    this.#past.value = [];
    this.#slots.value = this.#slots.value.map(() => undefined);
  }

  #replace(id: string, card: Card): void {
    if (this.#slots.value.some((one) => one?.prediction.id === id))
      this.#slots.value = this.#slots.value.map((one) => (one?.prediction.id === id ? card : one));
  }

  /** The likeliest that wait take the free places. */
  #fill(): void {
    const slots = [...this.#slots.value];
    const shown = new Set(slots.map((card) => card?.prediction.id));
    const waiting = [...this.#open.values()]
      .filter(({ id }) => !shown.has(id))
      .sort((a, b) => b.probability - a.probability);
    let filled = false;
    for (const [index, card] of slots.entries()) {
      if (card || waiting.length === 0) continue;
      const prediction = waiting.shift();
      if (prediction) slots[index] = { prediction, resolved: undefined };
      filled = true;
    }
    if (filled) this.#slots.value = slots;
  }
}
