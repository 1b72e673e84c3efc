import type { LanguageRequest, VisualTokens } from '../../core/learned-models.js';
import type { ForecastItem, ObservedEvent } from '../../core/messages.js';
import type { MemorySnapshot } from '../../core/memory.js';
import { Listing } from './prompt.js';
import { placeNumbers, situationOf } from './situation.js';
import { visualTokens, type View } from './visual-tokens.js';

/** What the language model gets to see of a moment. */
export interface PromptView extends View {
  /** Whether there is a visual prefix at all. */
  readonly prefix: boolean;
}

/** All of it. */
export const FULL_VIEW: PromptView = { prefix: true, appearances: true, scenes: true };

/** One moment of memory as prompts of the language model. All requests of a moment share prefix and head. */
export class MomentPrompt {
  readonly #listing: Listing;
  readonly #visual: VisualTokens | undefined;
  readonly #text: string;
  readonly #places: ReadonlyMap<string, number>;
  /** What listed events are called, by id: `e3`. */
  readonly numbers: ReadonlyMap<string, string>;
  /** Candidates for objects that the event in question needed; none without one. */
  readonly needs: readonly { readonly object: string; readonly text: string }[];

  /** @param focus the event in question */
  constructor(snapshot: MemorySnapshot, view: PromptView, focus?: ObservedEvent) {
    const situation = situationOf(snapshot, focus);
    const told = focus && situation.events.find(({ id }) => id === focus.id);
    this.#listing = new Listing(situation, told);
    this.#text = this.#listing.text();
    this.#places = placeNumbers(snapshot);
    const slots = this.#listing.things.map(({ id }) => id);
    this.#visual = view.prefix ? visualTokens(snapshot, slots, view) : undefined;
    this.numbers = new Map(this.#listing.events.map(({ id }, i) => [id, `e${i + 1}`]));
    this.needs = told ? this.#listing.needs(told) : [];
  }

  /** @param task such as `next` or `why e3` */
  request(task: string): LanguageRequest {
    return { visual: this.#visual, prompt: `${this.#text}${task}\n` };
  }

  /** The candidate of `next` for an item; undefined where it names what is not listed. */
  item({ type, participants, zone }: ForecastItem): string | undefined {
    const place = zone === undefined ? undefined : this.#places.get(zone);
    if (zone !== undefined && place === undefined) return undefined;
    return this.#listing.item(type, participants, place);
  }
}
