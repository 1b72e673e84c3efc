import type { EventType } from '../../core/ontology.js';
import { eventClause, objectName, objectPhrase } from '../../core/text/object-names.js';
import type { Span } from '../../core/records/records.js';
import {
  evidenceOf,
  fits,
  occurrences,
  RELATION_WORDS,
  subjectPhrase,
  typesOf,
  type Occurrence,
} from './occurrences.js';
import { clockTime, counted, duration, joinSome, plural, sentence } from './phrasing.js';
import type { Pattern, Query, Subject } from '../query.js';
import { ABSENCE, type Recollection, type Reply } from '../recollection.js';

/** Occurrences named in a text; evidence names up to MAX_EVIDENCE. */
const MAX_NAMED = 6;
const MAX_EVIDENCE = 50;

/** A period with its words, which may be empty. */
export interface Scope extends Span {
  readonly said: string;
}

type Of<K extends Query['kind']> = Extract<Query, { kind: K }>;

export function answerWhen(memory: Recollection, query: Of<'when'>, scope: Scope): Reply {
  const found = pick(occurrences(memory, query.pattern, scope), query.order);
  if (found.length === 0) return absent(memory, query.pattern, scope);
  const times = found.map(({ from }) =>
    query.ago
      ? `${duration(memory.now - from)} before ${memory.live ? 'now' : 'the end'}`
      : `at ${clockTime(from)}`,
  );
  const same = new Set(found.map(({ clause }) => clause)).size === 1;
  const text = same
    ? `${found[0]?.clause ?? ''} ${found.length > 1 ? `${found.length} times: ` : ''}${joinSome(times, MAX_NAMED)}`
    : `${found.length} times: ${joinSome(
        found.map(({ clause }, i) => `${clause} ${times[i] ?? ''}`),
        MAX_NAMED,
      )}`;
  return reply(text, found);
}

export function answerWhether(memory: Recollection, query: Of<'whether'>, scope: Scope): Reply {
  const found = occurrences(memory, query.pattern, scope);
  if (found.length === 0) {
    const none = absent(memory, query.pattern, scope);
    return { ...none, text: `${query.negated ? 'Right' : 'No'}: ${lower(none.text)}` };
  }
  const told = joinSome(
    found.map(({ clause, from }) => `${clause} at ${clockTime(from)}`),
    MAX_NAMED,
  );
  const yes = query.negated ? 'That is not so' : 'Yes';
  return {
    ...reply(`${yes}: ${told}`, found),
    confidence: Math.max(...found.map(({ confidence }) => confidence)),
  };
}

export function answerWho(memory: Recollection, query: Of<'who'>, scope: Scope): Reply {
  const { pattern, asked, order, negated } = query;
  const all = occurrences(memory, pattern, scope);
  if (negated) return whoDidNot(memory, pattern, all, scope);
  const found = pick(all, order);
  if (found.length === 0) return absent(memory, pattern, scope);
  const first = new Map<string, Occurrence>();
  for (const one of found) {
    const who = asked === 'a' ? one.a : one.b;
    if (who && !first.has(who.id)) first.set(who.id, one);
  }
  const names = [...first.values()].map((one) => {
    const who = asked === 'a' ? one.a : one.b;
    return `${who ? objectPhrase(who) : ''} at ${clockTime(one.from)}`;
  });
  const clause =
    first.size === 1
      ? `${found[0]?.clause ?? ''} at ${clockTime(found[0]?.from ?? 0)}`
      : joinSome(names, MAX_NAMED);
  return reply(clause, found);
}

export function answerCount(memory: Recollection, query: Of<'count'>, scope: Scope): Reply {
  const { pattern, of, negated } = query;
  const found = occurrences(memory, pattern, scope);
  if (negated) return whoDidNot(memory, pattern, found, scope);
  const when = scope.said === '' ? '' : ` ${scope.said}`;
  if (of === 'events') {
    if (found.length === 0) return absent(memory, pattern, scope);
    const told = joinSome(
      found.map(({ clause, from }) => `${clause} at ${clockTime(from)}`),
      MAX_NAMED,
    );
    return reply(`${counted(found.length, 'time')}${when}: ${told}`, found);
  }
  const first = firstOf(found);
  const noun = nounOf(pattern.a, found);
  const note = kinNote(memory, pattern, scope, first);
  if (first.size === 0)
    return {
      ...absent(memory, pattern, scope),
      text: sentence(`0 ${plural(noun)} ${past(pattern)}${when}${note}`),
    };
  const names = [...first.values()].map(({ a, from }) => `${objectName(a.id)} at ${clockTime(from)}`);
  const text = `${first.size} ${first.size === 1 ? noun : plural(noun)} ${past(pattern)}${when}: ${joinSome(names, MAX_NAMED)}${note}`;
  return reply(text, [...first.values()]);
}

export function answerWhereEvent(
  memory: Recollection,
  query: Of<'where-event'>,
  scope: Scope,
  place: (one: Occurrence) => string,
): Reply {
  const found = occurrences(memory, query.pattern, scope);
  if (found.length === 0) return absent(memory, query.pattern, scope);
  const told = found.map((one) => `${one.clause} ${place(one)} at ${clockTime(one.from)}`);
  return reply(joinSome(told, MAX_NAMED), found);
}

/** Ends of what lasts until another event: a stop until the next start. */
const ENDS: Partial<Record<EventType, EventType>> = {
  meet: 'separate',
  stop: 'start_moving',
  zone_enter: 'zone_leave',
  pick_up: 'put_down',
};

export function answerLasting(memory: Recollection, { pattern }: Of<'lasting'>, scope: Scope): Reply {
  const found = occurrences(memory, pattern, scope);
  if (found.length === 0) return absent(memory, pattern, scope);
  const lasted = found.map((one) => ({ ...one, ...lengthOf(memory, one, pattern) }));
  const known = lasted.filter(({ to, from }) => to > from);
  if (known.length === 0) {
    return reply(
      `${found[0]?.clause ?? ''} at ${clockTime(found[0]?.from ?? 0)}; that is a moment, it has no length`,
      found,
    );
  }
  const told = known.map(
    ({ clause, from, to, still }) =>
      `${clause} for ${duration(to - from)}, from ${clockTime(from)} to ${still ? 'the end of what I know' : clockTime(to)}`,
  );
  return reply(joinSome(told, MAX_NAMED), known);
}

function lengthOf(memory: Recollection, one: Occurrence, pattern: Pattern): { to: number; still: boolean } {
  const end = one.event && ENDS[one.event.type];
  if (one.event?.type === 'follow') {
    const [held] = occurrences(
      memory,
      { ...pattern, deed: { types: [], relations: ['following'] }, a: { ids: [one.a.id] } },
      { from: one.from, to: one.to },
    );
    return { to: held?.to ?? one.to, still: false };
  }
  if (end === undefined) return { to: one.to, still: false };
  const objects = one.b === undefined ? [one.a.id] : [one.a.id, one.b.id];
  const next = memory.queries.events({ types: [end], objects, span: { from: one.from }, limit: 1 })[0];
  return next === undefined ? { to: memory.now, still: true } : { to: next.event.t, still: false };
}

/** Those of whom memory knows nothing of the kind. */
function whoDidNot(
  memory: Recollection,
  pattern: Pattern,
  found: readonly Occurrence[],
  scope: Scope,
): Reply {
  const did = new Set(found.map(({ a }) => a.id));
  const objects = memory.queries
    .objects({ span: scope })
    .filter((object) => fits(pattern.a, object) && !did.has(object.id));
  if (objects.length === 0)
    return {
      text: 'Nobody: all whom I know of did.',
      evidence: found.slice(0, MAX_EVIDENCE).map(evidenceOf),
      confidence: ABSENCE,
    };
  return {
    text: sentence(
      `of ${counted(objects.length + did.size, nounOf(pattern.a, []))}, ${objects.length} did not: ${joinSome(objects.map(objectPhrase), 2 * MAX_NAMED)}`,
    ),
    evidence: objects
      .slice(0, MAX_EVIDENCE)
      .map(({ id, firstSeen, lastSeen }) => ({ objects: [id], events: [], from: firstSeen, to: lastSeen })),
    confidence: ABSENCE,
  };
}

/** That memory holds nothing of the kind; what comes near is told. */
export function absent(memory: Recollection, pattern: Pattern, scope: Scope): Reply {
  const kin = kinOf(memory, pattern, scope);
  if (kin.length > 0) {
    const told = joinSome(
      kin.map(({ clause, from }) => `${clause} at ${clockTime(from)}`),
      MAX_NAMED,
    );
    return { ...reply(`I remember nothing of just that, but ${told}`, kin), confidence: ABSENCE };
  }
  const whom = pattern.b === undefined ? '' : ` ${subjectPhrase(memory, pattern.b)}`;
  const when = scope.said === '' ? '' : ` ${scope.said}`;
  const text = `I remember no moment when ${subjectPhrase(memory, pattern.a)} ${past(pattern)}${whom}${when}`;
  return { text: sentence(text), evidence: [], confidence: ABSENCE };
}

function kinOf(memory: Recollection, pattern: Pattern, scope: Scope): readonly Occurrence[] {
  const { kin } = pattern.deed;
  if (kin === undefined || typesOf(pattern) !== pattern.deed.types) return [];
  return occurrences(memory, pattern, scope, kin);
}

/** Coming in over the border is one thing, turning up inside the view another: both are told, one is counted. */
function kinNote(
  memory: Recollection,
  pattern: Pattern,
  scope: Scope,
  counted: ReadonlyMap<string, Occurrence>,
): string {
  const others = [...firstOf(kinOf(memory, pattern, scope)).keys()].filter((id) => !counted.has(id));
  if (others.length === 0) return '';
  const verb =
    pattern.deed.kin?.[0] === 'appear'
      ? 'appeared'
      : pattern.deed.kin?.[0] === 'disappear'
        ? 'disappeared'
        : 'crossed the border';
  return `; ${others.length} more ${verb} inside the view`.replace(
    'crossed the border inside the view',
    'crossed its border',
  );
}

function firstOf(found: readonly Occurrence[]): Map<string, Occurrence> {
  const first = new Map<string, Occurrence>();
  for (const one of found) if (!first.has(one.a.id)) first.set(one.a.id, one);
  return first;
}

function pick(found: readonly Occurrence[], order: 'all' | 'first' | 'last'): readonly Occurrence[] {
  return order === 'all' ? found : order === 'first' ? found.slice(0, 1) : found.slice(-1);
}

function nounOf({ labels }: Subject, found: readonly Occurrence[]): string {
  if (labels?.length === 1) return labels[0] ?? 'object';
  const seen = new Set(found.map(({ a }) => a.label));
  return seen.size === 1 ? ([...seen][0] ?? 'object') : 'object';
}

/** `met`, `entered “door”` */
function past(pattern: Pattern): string {
  const [type] = typesOf(pattern);
  const [relation] = pattern.deed.relations ?? [];
  const place = pattern.place === undefined ? undefined : pattern.place;
  if (type === undefined) return relation === undefined ? pattern.said : RELATION_WORDS[relation];
  if (type === 'loiter' || type === 'follow') return `${type}ed`;
  const names = AT_PLACES.has(type) || place === undefined ? [''] : ['', `at “${place}”`];
  return eventClause(type, names, AT_PLACES.has(type) ? place : undefined, 'past').trim();
}
const AT_PLACES: ReadonlySet<EventType> = new Set<EventType>(['zone_enter', 'zone_leave', 'line_cross']);

function lower(text: string): string {
  return `${text.charAt(0) === 'I' && text.charAt(1) === ' ' ? text.charAt(0) : text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

/** Sure of a list as much as of its mean member. */
function reply(text: string, found: readonly Occurrence[]): Reply {
  const confidence = found.reduce((sum, one) => sum + one.confidence, 0) / Math.max(found.length, 1);
  return { text: sentence(text), evidence: found.slice(0, MAX_EVIDENCE).map(evidenceOf), confidence };
}
