import type { ObservedEvent } from '../../core/messages.js';
import type { EventType } from '../../core/ontology.js';
import { eventClause, objectPhrase } from '../../core/text/object-names.js';

/** Single events told in words; the others are counted. */
const MAX_LISTED = 5;

/** Types that are told one by one, the ones that matter most first. */
const TOLD: readonly EventType[] = [
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

/** What an episode held, in one or two sentences: who came and went, then what stood out, in order of time. */
export function summaryText(events: readonly ObservedEvent[]): string {
  const counts = COUNTED.flatMap(([types, verb]) => counted(events, types, verb));
  const told = events
    .filter(({ type }) => TOLD.includes(type))
    .sort((a, b) => TOLD.indexOf(a.type) - TOLD.indexOf(b.type) || a.t - b.t);
  const chosen = told.slice(0, MAX_LISTED).sort((a, b) => a.t - b.t);
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
    const [who] = participants;
    if (!types.includes(type) || !who) continue;
    byLabel.set(who.label, (byLabel.get(who.label) ?? new Set<string>()).add(who.id));
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
