import type { ObservedEvent } from '../../../core/messages.js';
import type { EventGraph, Link } from './event-graph.js';

/** Steps of a chain at most, the explained event included. */
export const MAX_STEPS = 5;
/** A link below this explains no better than coincidence: it never lengthens a chain. */
const COINCIDENCE = 0.2;

interface Best {
  readonly gain: number;
  readonly links: readonly Link[];
}

const NOTHING: Best = { gain: 0, links: [] };

/**
 * The chain of links that best accounts for the event, first cause first; empty when nothing does. Each link adds
 * ln(plausibility / COINCIDENCE), so a chain grows as long as its links beat coincidence; what stands before a link
 * counts only as far as that link holds. Dynamic programming over the graph, which has no cycles because causes come
 * before effects.
 */
export function bestChain(graph: EventGraph, event: ObservedEvent): readonly Link[] {
  const memo = new Map<string, Best>();
  const search = (effect: ObservedEvent, linksLeft: number): Best => {
    if (linksLeft === 0) return NOTHING;
    const key = `${effect.id}/${linksLeft}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    let best = NOTHING;
    for (const link of graph.antecedents(effect)) {
      if (link.plausibility <= COINCIDENCE) break;
      const before = search(link.cause, linksLeft - 1);
      const gain = Math.log(link.plausibility / COINCIDENCE) + link.plausibility * before.gain;
      if (gain > best.gain) best = { gain, links: [...before.links, link] };
    }
    memo.set(key, best);
    return best;
  };
  return search(event, MAX_STEPS - 1).links;
}

/** Probability that every link of the chain holds, taken as independent: the product of plausibilities. */
export function chainConfidence(links: readonly Link[]): number {
  return links.reduce((product, link) => product * link.plausibility, 1);
}
