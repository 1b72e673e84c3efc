import type { LanguageModel } from '../../../core/learned-models.js';
import type { ForecastItem } from '../../../core/messages.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import type { Expert } from '../expert.js';
import { itemKey } from '../learning.js';
import { digitMeans } from '../../language/digits.js';
import { MomentPrompt, type PromptView } from '../../language/moment-prompt.js';

/** Items that are asked about at most: the likeliest, since they are what predictions are made of. */
const MAX_ITEMS = 32;

/** The language model as a source of the forecast: it says a distribution over digits after each item. */
export class LanguageExpert implements Expert {
  readonly name = 'language';
  readonly #model: LanguageModel;
  readonly #view: PromptView;

  constructor(model: LanguageModel, view: PromptView) {
    this.#model = model;
    this.#view = view;
  }

  get model(): string {
    return this.#model.name;
  }

  async probabilities(
    snapshot: MemorySnapshot,
    items: readonly ForecastItem[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const moment = new MomentPrompt(snapshot, this.#view);
    const asked = [...items]
      .sort((a, b) => b.probability - a.probability)
      .flatMap((item) => {
        const text = moment.item(item);
        return text === undefined ? [] : [{ key: itemKey(item.type, item.participants, item.zone), text }];
      })
      .slice(0, MAX_ITEMS);
    if (asked.length === 0) return new Map();
    const texts = asked.map(({ text }) => text);
    const said = digitMeans(
      await this.#model.scoreDigits(moment.request('next'), texts, signal),
      texts.length,
    );
    return new Map(asked.map(({ key }, i) => [key, said[i] ?? 0]));
  }
}
