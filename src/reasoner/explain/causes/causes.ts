import type { ObservedEvent } from '../../../core/messages.js';
import type { EventGraph, Link } from '../rules/event-graph.js';
import { INFLUENCES } from '../rules/relations.js';

/** A third object held necessary for an event. */
export interface Necessity {
  readonly object: string;
  readonly probability: number;
  /** The links by which it acts, the one with the object first. */
  readonly path: readonly Link[];
}

/** Links that are followed back from an event: as far as a chain may go. */
const MAX_LINKS = 4;
/** Objects less likely necessary than this are not told. */
export const MIN_REPORTED = 0.15;

/**
 * Every object, participants of the event left out, that may have been necessary for it, most probable first: whoever
 * acted on a participant in an earlier event, and, link by link, whoever was necessary for that event. Along a path
 * probabilities multiply; of several paths the strongest counts.
 */
export function necessaryObjects(graph: EventGraph, event: ObservedEvent): readonly Necessity[] {
  const found = collect(graph, event, MAX_LINKS, 1);
  const own = new Set(event.participants.map(({ id }) => id));
  return isReportable([...found.values()].filter(({ object }) => !own.has(object)));
}

/** Those that are likely enough to be told, most probable first. */
function isReportable(causes: readonly Necessity[]): readonly Necessity[] {
  return causes
    .filter(({ probability }) => probability >= MIN_REPORTED)
    .sort((a, b) => b.probability - a.probability || (a.object < b.object ? -1 : 1));
}

/** What was judged anew, and of the others what was said before. */
export function withUnrated(
  judged: readonly Necessity[],
  asked: readonly string[],
  before: readonly Necessity[],
): readonly Necessity[] {
  const known = new Set(asked);
  return isReportable([...judged, ...before.filter(({ object }) => !known.has(object))]);
}

/**
 * Probability that an earlier event would have happened otherwise, from the probability that it would not have happened
 * at all: it need not be missed to send an object elsewhere, a graze instead of a hit will do. Counted as a second,
 * equal chance.
 */
function altered(missed: number): number {
  return 1 - (1 - missed) ** 2;
}

/** Necessities of `event` itself; `weight` is the probability that the explained event hangs on it, for pruning. */
function collect(
  graph: EventGraph,
  event: ObservedEvent,
  linksLeft: number,
  weight: number,
): Map<string, Necessity> {
  const found = new Map<string, Necessity>();
  if (linksLeft === 0) return found;
  const offer = (necessity: Necessity): void => {
    if (necessity.probability > (found.get(necessity.object)?.probability ?? 0)) {
      found.set(necessity.object, necessity);
    }
  };
  for (const link of graph.antecedents(event)) {
    if (link.plausibility * weight < MIN_REPORTED) break;
    const acts = INFLUENCES.has(link.rule.relation);
    for (const { id } of link.cause.participants) {
      if (acts && id !== link.via) offer({ object: id, probability: link.plausibility, path: [link] });
    }
    for (const earlier of collect(graph, link.cause, linksLeft - 1, link.plausibility * weight).values()) {
      if (earlier.object === link.via) continue;
      offer({
        object: earlier.object,
        probability: altered(earlier.probability) * link.plausibility,
        path: [...earlier.path, link],
      });
    }
  }
  return found;
}
