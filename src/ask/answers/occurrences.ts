import type { AnswerEvidence, ObservedEvent } from '../../core/messages.js';
import { ORDERED_TYPES, type EventType } from '../../core/ontology.js';
import { objectName, objectPhrase } from '../../core/text/object-names.js';
import type { PlaceRef } from '../../core/records/query.js';
import {
  SYMMETRIC_RELATIONS,
  type Relation,
  type RelationKind,
  type Span,
} from '../../core/records/records.js';
import { clauseOf } from './phrasing.js';
import type { Pattern, Subject } from '../query.js';
import type { Recollection } from '../recollection.js';

interface Who {
  readonly id: string;
  readonly label: string;
}

/** Something that memory holds and a pattern fits: an event, or a relation. */
export interface Occurrence extends Span {
  readonly a: Who;
  readonly b: Who | undefined;
  readonly event: ObservedEvent | undefined;
  readonly confidence: number;
  /** `person #4 met person #7` */
  readonly clause: string;
}

/** Relations carry no confidence of their own; they are measured on many samples of estimated tracks. */
const RELATION_CONFIDENCE = 0.8;
export const RELATION_WORDS: Readonly<Record<RelationKind, string>> = {
  near: 'was near',
  'moving-towards': 'moved towards',
  touching: 'touched',
  carrying: 'carried',
  following: 'followed',
};

/** Everything within the span that the pattern fits, in order of time. `types` may name its kin instead. */
export function occurrences(
  memory: Recollection,
  pattern: Pattern,
  span: Partial<Span>,
  types: readonly EventType[] = typesOf(pattern),
): readonly Occurrence[] {
  const events =
    types.length === 0 ? [] : memory.queries.events({ types, span, ...placeOf(memory, pattern) });
  const found = events.flatMap(({ event }) => fromEvent(event, pattern));
  const relations = found.length > 0 ? [] : fromRelations(memory, pattern, span);
  // What a span takes for its own is when something happened, not that it lasts into it.
  return [...found.filter(({ from }) => within(span, from)), ...relations].sort((x, y) => x.from - y.from);
}

/** Where a zone or line is named, coming in is coming into it. */
export function typesOf({ deed, place }: Pattern): readonly EventType[] {
  return place !== undefined && deed.atPlace ? deed.atPlace : deed.types;
}

export function fits({ ids, labels }: Subject, { id, label }: Who): boolean {
  if (ids.length > 0) return ids.includes(id);
  return labels === undefined || labels.includes(label);
}

export function evidenceOf({ a, b, event, from, to }: Occurrence): AnswerEvidence {
  return {
    objects: b === undefined ? [a.id] : [a.id, b.id],
    events: event === undefined ? [] : [event.id],
    from,
    to,
  };
}

function within({ from = -Infinity, to = Infinity }: Partial<Span>, t: number): boolean {
  return t >= from && t <= to;
}

function placeOf({ places }: Recollection, { place }: Pattern): { place?: PlaceRef } {
  if (place === undefined) return {};
  return place in places.zones || place in places.lines ? { place: { zone: place } } : {};
}

function fromEvent(event: ObservedEvent, pattern: Pattern): Occurrence[] {
  const [first, second] = event.participants;
  if (first === undefined) return [];
  const made = (a: Who, b: Who | undefined): Occurrence => ({
    a,
    b,
    event,
    from: event.t,
    to: event.to ?? event.t,
    confidence: event.confidence,
    clause: clauseOf(event),
  });
  if (matches(pattern, first, second)) return [made(first, second)];
  const either = second !== undefined && !ORDERED_TYPES.has(event.type);
  return either && matches(pattern, second, first) ? [made(second, first)] : [];
}

function matches({ a, b }: Pattern, first: Who, second: Who | undefined): boolean {
  if (!fits(a, first)) return false;
  return b === undefined || (second !== undefined && fits(b, second));
}

function fromRelations(memory: Recollection, pattern: Pattern, span: Partial<Span>): Occurrence[] {
  const kinds = pattern.deed.relations;
  if (kinds === undefined) return [];
  return memory.queries.relations({ kinds, span }).flatMap((relation) => {
    const [a, b] = [whoIs(memory, relation.a), whoIs(memory, relation.b)];
    if (matches(pattern, a, b)) return [fromRelation(relation, a, b)];
    const either = SYMMETRIC_RELATIONS.has(relation.kind) && matches(pattern, b, a);
    return either ? [fromRelation(relation, b, a)] : [];
  });
}

function fromRelation({ kind, from, to }: Relation, a: Who, b: Who): Occurrence {
  const clause = `${objectPhrase(a)} ${RELATION_WORDS[kind]} ${objectPhrase(b)}`;
  return { a, b, event: undefined, from, to, confidence: RELATION_CONFIDENCE, clause };
}

/** An object by its id, with the label that memory knows it by. */
export function whoIs({ queries }: Recollection, id: string): Who {
  const label =
    queries.objects({ ids: [id] })[0]?.label ??
    queries.events({ objects: [id], limit: 1 })[0]?.event.participants.find((one) => one.id === id)?.label;
  return { id, label: label ?? 'object' };
}

export function isKnown({ queries }: Recollection, id: string): boolean {
  return queries.objects({ ids: [id] }).length > 0 || queries.events({ objects: [id], limit: 1 }).length > 0;
}

/** `person #4`, `people`, `people or cars`, `anything` */
export function subjectPhrase(memory: Recollection, { ids, labels }: Subject): string {
  if (ids.length > 0) {
    return ids
      .map((id) => (isKnown(memory, id) ? objectPhrase(whoIs(memory, id)) : objectName(id)))
      .join(' and ');
  }
  return labels === undefined ? 'anything' : labels.map((label) => `a ${label}`).join(' or ');
}
