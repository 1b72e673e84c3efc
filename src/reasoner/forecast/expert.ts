import type { ForecastItem } from '../../core/messages.js';
import type { MemorySnapshot } from '../../core/memory.js';

/** Something that takes its time to say how likely items of the standard forecast are: a learned model. */
export interface Expert {
  /** Which weight of the pool it has: `forecaster`, `language`. */
  readonly name: string;
  /** As told in `by.model`: name and version. */
  readonly model: string;
  /**
   * Probabilities, 0–1, by `itemKey`, of those of the items that it can speak of. Stateless: the same snapshot gets the
   * same answer. Rejects with PresageError, or with the signal's reason when it aborts.
   */
  probabilities(
    snapshot: MemorySnapshot,
    items: readonly ForecastItem[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>>;
}
