import type { AnswerEvidence } from '../../core/messages.js';
import { UNSEEN_S } from '../../core/ontology.js';
import { objectName, objectPhrase } from '../../core/text/object-names.js';
import type { ObjectHistory, Span } from '../../core/records/records.js';
import { fits, subjectPhrase } from './occurrences.js';
import { clauseOf, clockTime, counted, duration, joinSome, sentence } from './phrasing.js';
import { borderPhrase, boxAt, headingPhrase, placePhrase } from '../places.js';
import type { Query, Subject } from '../query.js';
import { ABSENCE, type Recollection, type Reply } from '../recollection.js';
import type { Scope } from './answer-events.js';

type Of<K extends Query['kind']> = Extract<Query, { kind: K }>;

const MAX_NAMED = 12;
/** Objects of one answer that are told about one by one. */
const MAX_LISTED = 3;
const MAX_DOINGS = 12;
/** How sure an object that was tracked is what and where it is said to be: tracks are switched now and then. */
const TRACK_CONFIDENCE = 0.85;
const HEADING_S = 3;

/** Who is, or was, in view; now when no period is named. */
export function answerPresent(memory: Recollection, query: Of<'present'>, scope: Scope): Reply {
  const now = scope.said === '' || scope.said === 'now';
  const span = now ? { from: memory.now, to: memory.now } : scope;
  const found = presentIn(memory, query.who, span, query.place);
  const when = now
    ? memory.live
      ? ' now'
      : ` at ${clockTime(memory.now)}, the end`
    : scope.said === 'now'
      ? ' now'
      : ` ${scope.said}`;
  const where = query.place === undefined ? 'in view' : `in “${query.place}”`;
  if (found.length === 0) {
    const whom = subjectPhrase(memory, query.who);
    const text =
      query.as === 'count'
        ? `0 ${where}${when}`
        : `I know of nothing ${where}${when}${whom === 'anything' ? '' : ` that is ${whom}`}`;
    return {
      text: sentence(query.as === 'whether' ? `No: ${text}` : text),
      evidence: [],
      confidence: ABSENCE,
    };
  }
  const names = joinSome(found.map(objectPhrase), MAX_NAMED);
  const noun = query.who.labels?.length === 1 ? (query.who.labels[0] ?? 'object') : 'object';
  const lead =
    query.as === 'count'
      ? `${counted(found.length, noun)} ${where}${when}: `
      : query.as === 'whether'
        ? 'Yes: '
        : '';
  const text =
    query.as === 'count'
      ? `${lead}${names}`
      : `${lead}${names} ${found.length === 1 ? 'is' : 'are'} ${where}${when}`;
  return {
    text: sentence(
      isPast(memory, span) ? text.replace(/ (is|are) in/, found.length === 1 ? ' was in' : ' were in') : text,
    ),
    evidence: found.map((one) => evidence(one, span)),
    confidence: TRACK_CONFIDENCE,
  };
}

function isPast({ now, live }: Recollection, span: Span): boolean {
  return !live || span.to < now - UNSEEN_S;
}

function presentIn(
  memory: Recollection,
  who: Subject,
  span: Span,
  zone: string | undefined,
): readonly ObjectHistory[] {
  // An object that is hidden for a moment is still there.
  const reach = { from: span.from - UNSEEN_S, to: span.to };
  const place = zone === undefined ? {} : { place: { zone } };
  return memory.queries
    .objects({ span: reach, ...place })
    .filter((object) => fits(who, object))
    .filter(({ left }) => left === undefined || left.t >= span.from);
}

/** Where an object is, was at a time, or went. */
export function answerWhere(memory: Recollection, { who }: Of<'where'>, scope: Scope): Reply {
  const objects = objectsOf(memory, who, scope).slice(0, MAX_LISTED);
  if (objects.length === 0) return unknownObject(memory, who);
  const at = scope.said === '' || scope.said === 'now' ? undefined : (scope.from + scope.to) / 2;
  const told = objects.map((object) =>
    at === undefined || !Number.isFinite(at) ? whereNow(memory, object) : whereAt(memory, object, at),
  );
  return {
    text: told.map(sentence).join(' '),
    evidence: objects.map((one) => evidence(one)),
    confidence: TRACK_CONFIDENCE,
  };
}

function whereAt(memory: Recollection, object: ObjectHistory, t: number): string {
  const box = boxAt(object.path, t);
  if (box !== undefined)
    return `${objectPhrase(object)} was ${placePhrase(memory, box, object.label)} at ${clockTime(t)}`;
  const inView = object.spans.some(({ from, to }) => from <= t && t <= to);
  return inView
    ? `${objectPhrase(object)} was in view at ${clockTime(t)}, but I do not remember where`
    : `${objectPhrase(object)} was not in view at ${clockTime(t)}; I saw it from ${spansPhrase(object)}`;
}

function whereNow(memory: Recollection, object: ObjectHistory): string {
  const last = object.path.at(-1);
  const name = objectPhrase(object);
  const where = last === undefined ? 'in view' : placePhrase(memory, last.box, object.label);
  if (object.left === undefined && object.lastSeen >= memory.now - 3 * UNSEEN_S) {
    const heading = headingPhrase(object.path, HEADING_S);
    return `${name} is ${where}${heading === undefined ? '' : `, moving ${heading}`}`.replace(
      ' is ',
      memory.live ? ' is ' : ' was ',
    );
  }
  const t = object.left?.t ?? object.lastSeen;
  const heading = headingPhrase(object.path, HEADING_S);
  if (object.left?.type === 'exit') {
    const border = last && borderPhrase(last.box);
    return `${name} left the view ${border ?? where} at ${clockTime(t)}`;
  }
  return `${name} was last seen ${where} at ${clockTime(t)}${heading === undefined ? '' : `, moving ${heading}`}`;
}

/** The events of an object, in order. */
export function answerDoings(memory: Recollection, { who }: Of<'doings'>, scope: Scope): Reply {
  const objects = objectsOf(memory, who, scope).slice(0, MAX_LISTED);
  if (objects.length === 0) return unknownObject(memory, who);
  const parts = objects.map((object) => doingsOf(memory, object, scope));
  return {
    text: parts.map(({ text }) => text).join(' '),
    evidence: parts.map(({ evidence: one }) => one),
    confidence: Math.min(...parts.map(({ confidence }) => confidence)),
  };
}

function doingsOf(
  memory: Recollection,
  object: ObjectHistory,
  scope: Scope,
): { text: string; evidence: AnswerEvidence; confidence: number } {
  const events = memory.queries
    .events({ objects: [object.id], span: scope })
    .filter(({ event }) => event.t >= scope.from && event.t <= scope.to);
  const when = scope.said === '' ? '' : ` ${scope.said}`;
  const span = { from: Math.max(scope.from, object.firstSeen), to: Math.min(scope.to, object.lastSeen) };
  const base = {
    objects: [object.id],
    events: events.map(({ event }) => event.id),
    ...(span.to >= span.from ? span : { from: object.firstSeen, to: object.lastSeen }),
  };
  if (events.length === 0) {
    const seen = object.spans.some((stay) => stay.from <= scope.to && stay.to >= scope.from);
    const text = seen
      ? `${objectPhrase(object)} was in view${when}, and nothing that I tell of happened to it`
      : `${objectPhrase(object)} was not in view${when}; I saw it from ${spansPhrase(object)}`;
    return { text: sentence(text), evidence: base, confidence: ABSENCE };
  }
  const clauses = events
    .slice(0, MAX_DOINGS)
    .map(({ event }) => `${clauseOf(event)} (${clockTime(event.t)})`);
  const more = events.length - clauses.length;
  const text = `${clauses.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
  const confidence = events.reduce((sum, { event }) => sum + event.confidence, 0) / events.length;
  return { text: sentence(text), evidence: base, confidence };
}

/** How long objects were in view, or in a zone. */
export function answerStay(memory: Recollection, { who, place }: Of<'stay'>, scope: Scope): Reply {
  const objects = objectsOf(memory, who, scope).slice(0, MAX_NAMED);
  if (objects.length === 0) return unknownObject(memory, who);
  const told = objects.map((object) => {
    const stays = place === undefined ? object.spans : staysAt(memory, object, place);
    const inside = stays.flatMap(({ from, to }) => {
      const part = { from: Math.max(from, scope.from), to: Math.min(to, scope.to) };
      return part.to > part.from ? [part] : [];
    });
    const total = inside.reduce((sum, { from, to }) => sum + to - from, 0);
    const where = place === undefined ? 'in view' : `in “${place}”`;
    const still = object.left === undefined && object.lastSeen >= memory.now - 3 * UNSEEN_S;
    const parts = joinSome(
      inside.map(({ from, to }) => `${clockTime(from)} to ${clockTime(to)}`),
      MAX_LISTED,
    );
    return total === 0
      ? `${objectPhrase(object)} was not ${where}${scope.said === '' ? '' : ` ${scope.said}`} as far as I know`
      : `${objectPhrase(object)} was ${where} for ${duration(total)}, from ${parts}${still ? ', and still is' : ''}`;
  });
  return {
    text: told.map(sentence).join(' '),
    evidence: objects.map((one) => evidence(one)),
    confidence: TRACK_CONFIDENCE,
  };
}

/** From coming into a zone to leaving it; one in which it already was begins with its first sight. */
function staysAt(memory: Recollection, object: ObjectHistory, zone: string): Span[] {
  const events = memory.queries.events({ types: ['zone_enter', 'zone_leave'], objects: [object.id] });
  const stays: Span[] = [];
  let since: number | undefined;
  for (const { event } of events) {
    if (event.zone !== zone) continue;
    if (event.type === 'zone_enter') since ??= event.t;
    else {
      stays.push({ from: since ?? object.firstSeen, to: event.t });
      since = undefined;
    }
  }
  if (since !== undefined) stays.push({ from: since, to: object.lastSeen });
  return stays;
}

/** What memory knows of an object. */
export function answerAbout(memory: Recollection, { who }: Of<'about'>): Reply {
  const objects = objectsOf(memory, who, { from: -Infinity, to: Infinity });
  if (objects.length === 0) return unknownObject(memory, who);
  const told = objects.slice(0, MAX_LISTED).map((object) => {
    const events = memory.queries.events({ objects: [object.id] });
    return `${objectName(object.id)} is a ${object.label}, in view from ${spansPhrase(object)}. ${sentence(whereNow(memory, object))} I remember ${counted(events.length, 'event')} of it`;
  });
  return {
    text: told.map(sentence).join(' '),
    evidence: objects.slice(0, MAX_LISTED).map((one) => evidence(one)),
    confidence: TRACK_CONFIDENCE,
  };
}

/** Where something of the same look was. */
export function answerAlike(memory: Recollection, { who }: Of<'alike'>, scope: Scope): Reply {
  const [object] = objectsOf(memory, who, { from: -Infinity, to: Infinity });
  if (object === undefined) return unknownObject(memory, who);
  const own = `${objectPhrase(object)} was in view from ${spansPhrase(object)}`;
  const alike = memory.queries.similar({ like: object.id, span: scope, limit: MAX_LISTED });
  if (alike.length === 0) {
    const why =
      object.embedding === undefined && object.keyframes.length === 0
        ? 'I keep no look of it to compare'
        : 'nothing else that I remember looks like it';
    return { text: sentence(`${own}; ${why}`), evidence: [evidence(object)], confidence: ABSENCE };
  }
  const told = alike.map(
    ({ object: other, cosine, keyframe }) =>
      `${objectPhrase(other)} (likeness ${cosine.toFixed(2)}) from ${spansPhrase(other)}${keyframe ? `, most at ${clockTime(keyframe.t)}` : ''}`,
  );
  return {
    text: `${sentence(own)} ${sentence(`Most like it: ${joinSome(told, MAX_LISTED)}`)}`,
    evidence: [evidence(object), ...alike.map((one) => evidence(one.object))],
    confidence: Math.min(Math.max(alike[0]?.cosine ?? 0, 0), 1),
  };
}

function objectsOf(memory: Recollection, who: Subject, span: Span): readonly ObjectHistory[] {
  if (who.ids.length > 0) return memory.queries.objects({ ids: who.ids });
  return memory.queries.objects({ span, ...(who.labels ? { labels: who.labels } : {}) });
}

/** Says that there is no such object, and which there are. */
function unknownObject(memory: Recollection, who: Subject): Reply {
  const text = `I remember nothing of ${subjectPhrase(memory, who)}`;
  return { text: sentence(text), evidence: [], confidence: ABSENCE };
}

function evidence({ id, firstSeen, lastSeen }: ObjectHistory, span?: Span): AnswerEvidence {
  const from = Math.max(span?.from ?? firstSeen, firstSeen);
  return {
    objects: [id],
    events: [],
    from: Math.min(from, lastSeen),
    to: Math.max(Math.min(span?.to ?? lastSeen, lastSeen), Math.min(from, lastSeen)),
  };
}

function spansPhrase({ spans, firstSeen, lastSeen }: ObjectHistory): string {
  const known = spans.length === 0 ? [{ from: firstSeen, to: lastSeen }] : spans;
  return joinSome(
    known.map(({ from, to }) => `${clockTime(from)} to ${clockTime(to)}`),
    MAX_LISTED,
  );
}
