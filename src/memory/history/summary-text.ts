import type { ObservedEvent } from '../../core/messages.js';
import type { EventType } from '../../core/ontology.js';
import { eventClause, objectPhrase } from '../../core/text/object-names.js';

/** Maximum number of events described individually; the others are counted. */
const MAX_LISTED = 5;

/** Types that are described individually, in order of importance. */
const LISTED: readonly EventType[] = [
  'collide',
  'fall',
  'pick_up',
  'put_down',
  'line_cross',
  'zone_enter',
  'zone_leave',
  'follow',
  'loiter',
  'meet',
];
/** Types that are counted by label. */
const COUNTED: readonly (readonly [types: readonly EventType[], verb: string])[] = [
  [['enter', 'appear'], 'came into view'],
  [['exit', 'disappear'], 'left'],
];

/**
 * Summarises the events of an episode in one or two sentences: arrivals and departures, then the important events in
 * order of time.
 */
export function summaryText(events: readonly ObservedEvent[]): string {
  const counts = COUNTED.flatMap(([types, verb]) => counted(events, types, verb));
  const listed = events
    .filter(({ type }) => LISTED.includes(type))
    .sort((a, b) => LISTED.indexOf(a.type) - LISTED.indexOf(b.type) || a.t - b.t);
  const chosen = listed.slice(0, MAX_LISTED).sort((a, b) => a.t - b.t);
  const clauses = chosen.map((event) =>
    eventClause(event.type, event.participants.map(objectPhrase), event.zone, 'past'),
  );
  const rest = events.length - chosen.length - countedEvents(events);
  const sentences = [counts.join(', '), clauses.join('; ')].filter((text) => text !== '');
  if (rest > 0) sentences.push(`${sentences.length === 0 ? '' : 'and '}${plural(rest, 'other event')}`);
  return `${sentences.join('; ').replace('; and ', ' and ')}.`;
}

function counted(events: readonly ObservedEvent[], types: readonly EventType[], verb: string): string[] {
  const byLabel = new Map<string, Set<string>>();
  for (const { type, participants } of events) {
    const [first] = participants;
    if (!types.includes(type) || !first) continue;
    byLabel.set(first.label, (byLabel.get(first.label) ?? new Set<string>()).add(first.id));
  }
  const groups = [...byLabel].map(([label, ids]) => plural(ids.size, label));
  return groups.length === 0 ? [] : [`${groups.join(' and ')} ${verb}`];
}

function countedEvents(events: readonly ObservedEvent[]): number {
  const types = COUNTED.flatMap(([all]) => all);
  return events.filter(({ type }) => types.includes(type)).length;
}

function plural(n: number, label: string): string {
  if (n === 1) return `1 ${label}`;
  return label === 'person' ? `${n} people` : `${n} ${label}s`;
}
