import type { AnswerEvidence, EventObserved, ObservedEvent, Prediction } from '../../core/messages.js';
import type { EventType } from '../../core/ontology.js';
import { eventClause, objectPhrase } from '../../core/text/object-names.js';
import { absent, type Scope } from './answer-events.js';
import { fits, occurrences, whoIs } from './occurrences.js';
import { clauseOf, clockTime, duration, sentence } from './phrasing.js';
import type { Pattern, Query, Subject } from '../query.js';
import { ABSENCE, type Recollection, type Reply } from '../recollection.js';

type Of<K extends Query['kind']> = Extract<Query, { kind: K }>;

const MAX_EVENTS = 8;
const MAX_EPISODES = 3;
const MAX_PREDICTIONS = 3;
/** What is told first when not everything can be. */
const WEIGHT: Partial<Record<EventType, number>> = {
  ...{
    collide: 5,
    fall: 5,
    pick_up: 4,
    put_down: 4,
    zone_enter: 3,
    zone_leave: 3,
    line_cross: 3,
    meet: 3,
    follow: 3,
  },
  ...{ enter: 2, exit: 2, stop: 2, start_moving: 2, separate: 1, turn: 1, loiter: 1 },
};

/** What happened within a span: the weightiest events, in order. */
export function answerHappenings(memory: Recollection, scope: Scope): Reply {
  const { queries } = memory;
  const events = queries
    .events({ span: scope })
    .filter(({ event }) => event.t >= scope.from && event.t <= scope.to);
  const when = scope.said === '' ? '' : ` ${scope.said}`;
  if (events.length === 0) {
    return { text: sentence(`I remember no event${when}`), evidence: [], confidence: ABSENCE };
  }
  const told = weightiest(events);
  const episodes =
    scope.said === '' ? queries.episodes({ span: scope, limit: MAX_EPISODES, keep: 'newest' }) : [];
  const clauses = told.map(({ event }) => `${clauseOf(event)} (${clockTime(event.t)})`).join('; ');
  const left = events.length - told.length;
  const more = left > 0 ? `; and ${left} lesser ${left === 1 ? 'event' : 'events'}` : '';
  const story = episodes.map(({ text }) => `${sentence(text)} `).join('');
  return {
    text: `${story}${sentence(`${clauses}${more}`)}`,
    evidence: told.map(({ event }) => evidenceOf(event)),
    confidence: told.reduce((sum, { event }) => sum + event.confidence, 0) / told.length,
  };
}

function weightiest(events: readonly EventObserved[]): readonly EventObserved[] {
  const ranked = [...events].sort(
    (x, y) => (WEIGHT[y.event.type] ?? 0) - (WEIGHT[x.event.type] ?? 0) || y.event.t - x.event.t,
  );
  return ranked.slice(0, MAX_EVENTS).sort((x, y) => x.event.t - y.event.t);
}

/** The newest event that is meant, and its explanation. */
export function answerWhy(memory: Recollection, { of }: Of<'why'>, scope: Scope): Reply {
  const events =
    'event' in of
      ? memory.queries.events({ ids: [of.event] }).map(({ event }) => event)
      : eventsLike(memory, of, scope);
  const event = events.findLast(({ id }) => memory.explanationOf(id) !== undefined) ?? events.at(-1);
  if (event === undefined) return 'event' in of ? unknownEvent(of.event) : absent(memory, of, scope);
  const explanation = memory.explanationOf(event.id);
  if (explanation === undefined) {
    const text = `I have no explanation of ${event.id}: ${clauseOf(event)} at ${clockTime(event.t)}`;
    return { text: sentence(text), evidence: [evidenceOf(event)], confidence: 0 };
  }
  const chain = explanation.chain.map(({ objects, events: cited, from, to }) => ({
    objects,
    events: cited,
    from,
    to,
  }));
  return {
    text: sentence(explanation.text),
    evidence: chain.length > 0 ? chain : [evidenceOf(event)],
    confidence: explanation.confidence,
  };
}

function eventsLike(memory: Recollection, pattern: Pattern, scope: Scope): ObservedEvent[] {
  const found = occurrences(memory, pattern, scope).flatMap(({ event }) => event ?? []);
  const kin = pattern.deed.kin;
  return found.length > 0 || kin === undefined
    ? found
    : occurrences(memory, pattern, scope, kin).flatMap(({ event }) => event ?? []);
}

/** What is expected: open predictions, of whom or what was asked. */
export function answerNext(memory: Recollection, { who, pattern }: Of<'next'>): Reply {
  const open = memory.predictions().filter((one) => isAsked(memory, one, who, pattern));
  const lead = memory.live ? '' : `At ${clockTime(memory.now)}, the end of what I know, I expected: `;
  if (open.length === 0) {
    const told =
      pattern === undefined && who.ids.length === 0
        ? 'Nothing stands out in what I expect next'
        : 'I have no prediction of that';
    return { text: sentence(told), evidence: [], confidence: 0.5 };
  }
  const told = open.slice(0, MAX_PREDICTIONS).map((one) => predictionPhrase(memory, one));
  return {
    text: sentence(`${lead}${told.join('; ')}`),
    evidence: open.slice(0, MAX_PREDICTIONS).map((one) => ({
      objects: one.event.participants,
      events: one.justification.events,
      from: one.window.from,
      to: one.window.to,
    })),
    confidence: open[0]?.probability ?? 0,
  };
}

function isAsked(
  memory: Recollection,
  { event }: Prediction,
  who: Subject,
  pattern: Pattern | undefined,
): boolean {
  const objects = event.participants.map((id) => whoIs(memory, id));
  if (pattern === undefined) return objects.some((one) => fits(who, one));
  const types = [...pattern.deed.types, ...(pattern.deed.kin ?? []), ...(pattern.deed.atPlace ?? [])];
  if (!types.includes(event.type)) return false;
  if (pattern.place !== undefined && event.zone !== pattern.place) return false;
  return (
    objects.some((one) => fits(pattern.a, one)) &&
    (pattern.b === undefined || objects.some((one) => fits(pattern.b ?? who, one)))
  );
}

function predictionPhrase(memory: Recollection, { event, probability, window }: Prediction): string {
  const [first = '', ...others] = event.participants.map((id) => objectPhrase(whoIs(memory, id)));
  const clause = eventClause(event.type, ['', ...others], event.zone, 'future').trim();
  const within = duration(Math.max(window.to - memory.now, 0.1));
  return `${first} will ${clause} within ${within} with probability ${Math.round(probability * 100)} %`;
}

/** What an event was. */
export function answerAboutEvent(memory: Recollection, id: string): Reply {
  const [found] = memory.queries.events({ ids: [id] });
  if (found === undefined) return unknownEvent(id);
  const { event } = found;
  const explanation = memory.explanationOf(id);
  const text = `${clauseOf(event)} at ${clockTime(event.t)}`;
  return {
    text: `${sentence(text)}${explanation === undefined ? '' : ` ${explanation.text}`}`,
    evidence: [evidenceOf(event)],
    confidence: event.confidence,
  };
}

export function unknownEvent(id: string): Reply {
  return { text: `I remember no event ${id}.`, evidence: [], confidence: ABSENCE };
}

function evidenceOf(event: ObservedEvent): AnswerEvidence {
  const objects = event.participants.map(({ id }) => id);
  return { objects, events: [event.id], from: event.t, to: event.to ?? event.t };
}
