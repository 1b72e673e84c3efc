import type { Answer } from '../../core/messages.js';
import {
  answerAbout,
  answerAlike,
  answerDoings,
  answerPresent,
  answerStay,
  answerWhere,
} from './answer-objects.js';
import {
  answerCount,
  answerLasting,
  answerWhen,
  answerWhereEvent,
  answerWhether,
  answerWho,
  absent,
  type Scope,
} from './answer-events.js';
import { answerAboutEvent, answerHappenings, answerNext, answerWhy, unknownEvent } from './answer-scene.js';
import { isKnown, occurrences, type Occurrence } from './occurrences.js';
import { clauseOf, clockTime, sentence } from './phrasing.js';
import { AROUND_S } from '../parser/periods.js';
import { placePhrase } from '../places.js';
import { answerInspection } from './answer-inspection.js';
import type { Anchor, InspectionQuery, Pattern, Query, Subject } from '../query.js';
import { ABSENCE, type Recollection, type Reply } from '../recollection.js';

/** `what happened before the collision`: how far back that reaches, s. */
const NEARBY_S = 15;
const ALWAYS: Scope = { from: -Infinity, to: Infinity, said: '' };

/** Answers a query from memory, or from the recent video. Of objects and events, names only what memory holds. */
export async function answerQuery(
  question: string,
  query: Query | InspectionQuery,
  memory: Recollection,
): Promise<Answer> {
  const reply =
    unknownNames(query, memory) ??
    (query.kind === 'look' ? await answerInspection(memory, query) : scoped(query, memory));
  const { text, evidence, confidence, inspections: looks } = reply;
  // JSON knows no infinity, and a confidence is a probability.
  const bounded = evidence.map((one) => ({
    ...one,
    objects: [...one.objects],
    events: [...one.events],
    from: Math.max(one.from, 0),
    to: Math.max(one.to, one.from, 0),
  }));
  return {
    ...{ question, text, evidence: bounded },
    confidence: Math.min(Math.max(confidence, 0), 1),
    ...(looks && looks.length > 0 && { inspections: [...looks] }),
  };
}

/** A question about what does not exist is not answered as if it did. */
function unknownNames(query: Query | InspectionQuery, memory: Recollection): Reply | undefined {
  const subjects = [...subjectsOf(query)];
  const ids = subjects.flatMap(({ ids: some }) => some).filter((id) => !isKnown(memory, id));
  if (ids.length === 0) return undefined;
  const names = [...new Set(ids)].map((id) => id.replace('o', '#')).join(' or ');
  const known = memory.queries.objects();
  const have =
    known.length === 0
      ? 'I remember no object at all'
      : `I remember ${known.length} objects, from #${number(known[0]?.id)} to #${number(known.at(-1)?.id)}`;
  return { text: `I remember no object ${names}. ${have}.`, evidence: [], confidence: ABSENCE };
}

function number(id: string | undefined): string {
  return id?.slice(1) ?? '';
}

function* subjectsOf(query: Query | InspectionQuery): Iterable<Subject> {
  if ('who' in query) yield query.who;
  if (query.kind === 'look') return;
  const patterns: (Pattern | undefined)[] = ['pattern' in query ? query.pattern : undefined];
  if (query.kind === 'why' && 'deed' in query.of) patterns.push(query.of);
  if (query.anchor && 'deed' in query.anchor.of) patterns.push(query.anchor.of);
  for (const pattern of patterns) {
    if (pattern) yield pattern.a;
    if (pattern?.b) yield pattern.b;
  }
}

function scoped(query: Query, memory: Recollection): Reply {
  let scope: Scope = query.period ?? ALWAYS;
  if (query.anchor) {
    const anchored = anchorScope(query.anchor, query.kind, memory);
    if ('text' in anchored) return anchored;
    scope = { ...anchored, from: Math.max(anchored.from, scope.from), to: Math.min(anchored.to, scope.to) };
  }
  const reply = dispatch(query, memory, scope);
  const forgotten =
    scope.said !== '' && Number.isFinite(scope.from) && scope.from < memory.since - 1 && memory.since > 1;
  return forgotten
    ? { ...reply, text: `${reply.text} (My memory begins at ${clockTime(memory.since)}.)` }
    : reply;
}

/** The span that an anchor gives to a kind of question; the newest event that fits the anchor counts. */
function anchorScope({ side, of }: Anchor, kind: Query['kind'], memory: Recollection): Scope | Reply {
  const found: { t: number; to: number; clause: string } | undefined =
    'event' in of ? eventById(memory, of.event) : newest(memory, of);
  if (found === undefined) return 'event' in of ? unknownEvent(of.event) : absent(memory, of, ALWAYS);
  const said = `${side === 'at' ? 'when' : side} ${found.clause} (${clockTime(found.t)})`;
  const wide = kind !== 'happenings' && kind !== 'doings';
  if (side === 'before') return { from: wide ? -Infinity : found.t - NEARBY_S, to: found.t - 0.001, said };
  if (side === 'after') return { from: found.to + 0.001, to: wide ? Infinity : found.to + NEARBY_S, said };
  const reach = kind === 'present' ? 0 : AROUND_S;
  return { from: found.t - reach, to: found.to + reach, said };
}

function eventById(memory: Recollection, id: string): { t: number; to: number; clause: string } | undefined {
  const event = memory.queries.events({ ids: [id] })[0]?.event;
  return event && { t: event.t, to: event.to ?? event.t, clause: clauseOf(event) };
}

function newest(
  memory: Recollection,
  pattern: Pattern,
): { t: number; to: number; clause: string } | undefined {
  const found = occurrences(memory, pattern, {});
  const kin =
    found.length > 0 || pattern.deed.kin === undefined
      ? found
      : occurrences(memory, pattern, {}, pattern.deed.kin);
  const last = kin.at(-1);
  return last && { t: last.from, to: last.to, clause: last.clause };
}

function dispatch(query: Query, memory: Recollection, scope: Scope): Reply {
  switch (query.kind) {
    case 'when':
      return answerWhen(memory, query, scope);
    case 'whether':
      return answerWhether(memory, query, scope);
    case 'who':
      return answerWho(memory, query, scope);
    case 'count':
      return answerCount(memory, query, scope);
    case 'present':
      return answerPresent(memory, query, scope);
    case 'where':
      return answerWhere(memory, query, scope);
    case 'where-event':
      return answerWhereEvent(memory, query, scope, (one) => whereOf(memory, one));
    case 'doings':
      return answerDoings(memory, query, scope);
    case 'happenings':
      return answerHappenings(memory, scope);
    case 'stay':
      return answerStay(memory, query, scope);
    case 'lasting':
      return answerLasting(memory, query, scope);
    case 'why':
      return answerWhy(memory, query, scope);
    case 'next':
      return answerNext(memory, query);
    case 'alike':
      return answerAlike(memory, query, scope);
    case 'about':
      return query.event === undefined ? answerAbout(memory, query) : answerAboutEvent(memory, query.event);
  }
}

function whereOf(memory: Recollection, { event }: Occurrence): string {
  const first = event?.participants[0];
  return first === undefined ? '' : placePhrase(memory, first.box, first.label);
}

/** Said of a question that nothing could be made of. */
export function misunderstood(problem: string, examples: readonly string[]): string {
  return [
    sentence(`I did not understand that: ${problem}`),
    'I can be asked, for example:',
    ...examples.map((one) => `  ${one}`),
  ].join('\n');
}
