import { z } from 'zod';

/** Label of objects that only motion or objectness shows. */
export const ANY_LABEL = 'object';

/** Votes for a label fade with this factor per detection, so that a label can still change late in a long track. */
const VOTE_FADE = 0.98;
/** Sum of scores of confident detections that names an object for good, however rare they are. */
const NAMED_EVIDENCE = 1.0;
/** Minimum score of a confident class. */
const NAMED_SCORE = 0.5;

export const savedVotes = z.object({
  weights: z.array(z.tuple([z.string(), z.number()])),
  named: z.number(),
  winner: z.string(),
});

/** True when detections of the two labels may show the same object. */
export function compatible(a: string, b: string): boolean {
  return a === b || a === ANY_LABEL || b === ANY_LABEL;
}

/**
 * Elects the label of an object. A class outvotes `object` once it was detected with confidence; before, single weak
 * guesses of the detector (a clock where a cube lies) do not name an object that mostly motion has shown.
 */
export class LabelVotes {
  #weights = new Map<string, number>();
  #named = 0;
  #winner = '';

  get winner(): string {
    return this.#winner;
  }

  count(label: string, score: number): void {
    for (const [name, weight] of this.#weights) this.#weights.set(name, weight * VOTE_FADE);
    this.#weights.set(label, (this.#weights.get(label) ?? 0) + score);
    if (label !== ANY_LABEL && score >= NAMED_SCORE) this.#named += score;
    this.#elect();
  }

  add(older: LabelVotes): void {
    for (const [label, weight] of older.#weights)
      this.#weights.set(label, (this.#weights.get(label) ?? 0) + weight);
    this.#named += older.#named;
    this.#elect();
  }

  #elect(): void {
    const anything = this.#weights.get(ANY_LABEL) ?? 0;
    const best = this.#best();
    const named = best !== undefined && (this.#named >= NAMED_EVIDENCE || this.#weightOf(best) > anything);
    this.#winner = named ? best : ANY_LABEL;
  }

  /** The class with the most votes; the present one on a tie. */
  #best(): string | undefined {
    let best = this.#winner !== ANY_LABEL && this.#weights.has(this.#winner) ? this.#winner : undefined;
    for (const [label, weight] of this.#weights)
      if (label !== ANY_LABEL && (best === undefined || weight > this.#weightOf(best))) best = label;
    return best;
  }

  #weightOf(label: string): number {
    return this.#weights.get(label) ?? 0;
  }

  saveState(): z.input<typeof savedVotes> {
    return { weights: [...this.#weights], named: this.#named, winner: this.#winner };
  }

  static restore({ weights, named, winner }: z.output<typeof savedVotes>): LabelVotes {
    const votes = new LabelVotes();
    votes.#weights = new Map(weights);
    votes.#named = named;
    votes.#winner = winner;
    return votes;
  }
}
