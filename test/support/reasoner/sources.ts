import type { ForecastItem } from '../../../src/core/messages.js';
import type { MemorySnapshot, MemoryUpdate } from '../../../src/core/memory.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import type { Expert } from '../../../src/reasoner/forecast/expert.js';
import { itemKey } from '../../../src/reasoner/forecast/learning.js';
import { Crowd } from './crowd.js';

/** What memory made of a simulated street at 10 frames a second. */
export function crowdUpdates(seed: number, seconds: number, people = 7): MemoryUpdate[] {
  const crowd = new Crowd({ seed, people, embeddingLength: 8 });
  const memory = new ObjectMemory(new Tracker(), { places: { zones: {}, lines: {} } });
  return Array.from({ length: seconds * 10 }, () => memory.update(crowd.next()));
}

/** A source that answers when it is told to, or at once with what `says` makes of an item. */
export class ScriptedSource implements Expert {
  readonly model = 'scripted@1';
  readonly asked: { readonly snapshot: MemorySnapshot; readonly items: readonly ForecastItem[] }[] = [];
  readonly #open: (() => void)[] = [];

  constructor(
    readonly name: string,
    private readonly says: (item: ForecastItem) => number,
    private readonly waits = false,
  ) {}

  async probabilities(
    snapshot: MemorySnapshot,
    items: readonly ForecastItem[],
  ): Promise<ReadonlyMap<string, number>> {
    this.asked.push({ snapshot, items });
    if (this.waits) await new Promise<void>((resolve) => this.#open.push(resolve));
    return new Map(items.map((item) => [itemKey(item.type, item.participants, item.zone), this.says(item)]));
  }

  /** Lets the newest open question be answered. */
  answer(): void {
    this.#open.pop()?.();
  }
}
