import { patternOf, readClause, type Clause, type Words } from './clause.js';
import { openQuestion, stripPolite, type Head } from './opening.js';
import { matchWords } from './match-words.js';
import { findPeriod } from './periods.js';
import { EXAMPLES, labelWords } from './lexicon.js';
import {
  ANY,
  type Anchor,
  type InspectionQuery,
  type Misunderstanding,
  type Period,
  type Query,
  type Subject,
} from '../query.js';
import { readInspection } from './parse-inspection.js';
import { tokenise, type Token } from './tokens.js';

/** What a stream has names for. */
export interface Vocabulary {
  readonly labels: readonly string[];
  /** Zones and lines. */
  readonly places: readonly string[];
}

/**
 * Reads a question. Nothing is guessed: a word that is neither known nor without weight makes it not understood.
 *
 * @param now newest media time, s: what `in the last minute` counts back from
 */
export function parseQuestion(
  question: string,
  vocabulary: Vocabulary,
  now: number,
): Query | InspectionQuery | Misunderstanding {
  const words: Words = { labels: labelWords(vocabulary.labels) };
  let tokens = stripPolite(tokenise(question, vocabulary.places));
  if (tokens.length === 0) return { problem: 'there is no question' };
  const found = findPeriod(tokens, now);
  if (found) tokens = [...tokens.slice(0, found.from), ...tokens.slice(found.from + found.count)];
  const look = readInspection(tokens, words, found?.period);
  if (look) return 'problem' in look ? { problem: withPlaces(look.problem, vocabulary) } : look;
  const parts = splitAnchor(tokens);
  const anchor = parts.anchor && readAnchor(parts, words);
  if (anchor && 'problem' in anchor) return anchor;
  const times = { ...(found ? { period: found.period } : {}), ...(anchor ? { anchor } : {}) };
  const query = readMain(parts.main, words, found?.period, now);
  if ('problem' in query) return { problem: withPlaces(query.problem, vocabulary) };
  if (found && findPeriod(parts.main, now)) return { problem: 'there is more than one time in it' };
  return { ...query, ...times };
}

/** What can be asked, for whoever was not understood. */
export function exampleQuestions(places: readonly string[]): readonly string[] {
  const place = places[0];
  return EXAMPLES.flatMap((example) =>
    example.includes('ZONE') ? (place === undefined ? [] : [example.replace('ZONE', place)]) : [example],
  );
}

function withPlaces(problem: string, { places }: Vocabulary): string {
  return /^I do not know/.test(problem) && places.length > 0
    ? `${problem} (places: ${places.join(', ')})`
    : problem;
}

interface Parts {
  readonly main: readonly Token[];
  readonly anchor: readonly Token[] | undefined;
  readonly side: Anchor['side'];
}

const CONJUNCTIONS: ReadonlyMap<string, Anchor['side']> = new Map(
  Object.entries<Anchor['side']>({
    before: 'before',
    until: 'before',
    after: 'after',
    since: 'after',
    following: 'after',
    when: 'at',
    while: 'at',
    as: 'at',
    during: 'at',
    around: 'at',
    at: 'at',
  }),
);
const QUESTION_WORDS: ReadonlySet<string> = new Set([
  ...['what', 'who', 'which', 'how', 'where', 'why', 'did', 'was', 'were', 'is', 'are', 'does', 'has'],
]);

/** Parts the question at `before`, `after` or `when`, where a clause or the noun of an event follows. */
function splitAnchor(tokens: readonly Token[]): Parts {
  const at = tokens.findIndex(({ kind, text }, i) => {
    if (kind !== 'word' || !CONJUNCTIONS.has(text)) return false;
    if (i === 0)
      return (
        text === 'before' || text === 'after' || text === 'during' || (text === 'when' && hasComma(tokens))
      );
    if (text === 'following') return tokens[i + 1]?.text === 'the';
    if (text === 'at') return matchWords(tokens, i, 'at the time of') || matchWords(tokens, i, 'at the');
    return true;
  });
  const side = CONJUNCTIONS.get(tokens[at]?.text ?? '') ?? 'at';
  if (at < 0) return { main: tokens, anchor: undefined, side };
  if (at > 0) return { main: tokens.slice(0, at), anchor: tokens.slice(at + 1), side };
  const end = tokens.findIndex(
    ({ kind, text }, i) => i > 0 && (kind === 'comma' || (kind === 'word' && QUESTION_WORDS.has(text))),
  );
  if (end < 0) return { main: [], anchor: tokens.slice(1), side };
  const main = tokens[end]?.kind === 'comma' ? tokens.slice(end + 1) : tokens.slice(end);
  return { main, anchor: tokens.slice(1, end), side };
}

function hasComma(tokens: readonly Token[]): boolean {
  return tokens.some(({ kind }) => kind === 'comma');
}

function readAnchor({ anchor = [], main, side }: Parts, words: Words): Anchor | Misunderstanding {
  const clause = readClause(anchor, words);
  if (clause.unknown.length > 0) return unknownWords(clause.unknown);
  if (clause.event !== undefined) return { side, of: { event: clause.event } };
  // `did #4 leave before #7?`: the verb is that of the question.
  const whole = clause.deed === undefined ? { ...clause, deed: readClause(main, words).deed } : clause;
  const read = patternOf(whole);
  if ('problem' in read)
    return { problem: `what is meant by "${anchor.map(({ text }) => text).join(' ')}"?` };
  return { side, of: read.pattern };
}

function unknownWords(words: readonly string[]): Misunderstanding {
  const quoted = words.map((word) => `"${word}"`).join(', ');
  return { problem: `I do not know what ${quoted} ${words.length === 1 ? 'means' : 'mean'} here` };
}

function readMain(
  tokens: readonly Token[],
  words: Words,
  period: Period | undefined,
  now: number,
): Query | Misunderstanding {
  const { head, rest } = openQuestion(tokens, period, now);
  const clause = readClause(rest, words);
  if (clause.unknown.length > 0) return unknownWords(clause.unknown);
  return READERS[head](clause, rest);
}

type Reader = (clause: Clause, rest: readonly Token[]) => Query | Misunderstanding;

/** Whoever is named, wherever that stands. */
function anyone({ asked, before, after }: Clause): Subject {
  return before ?? after ?? asked ?? ANY;
}

function isNamed({ ids, labels }: Subject): boolean {
  return ids.length > 0 || labels !== undefined;
}

/** The presence of somebody: where there is no verb but `is`. */
function presence(clause: Clause, as: 'list' | 'count' | 'whether'): Query | Misunderstanding {
  if (clause.negated && as !== 'whether') return { problem: 'I can tell who is there, not who is not' };
  const place = clause.place === undefined ? {} : { place: clause.place };
  return { kind: 'present', who: anyone(clause), as, ...place };
}

const READERS: Readonly<Record<Head, Reader>> = {
  when: (clause) => when(clause, false),
  ago: (clause) => when(clause, true),
  times: (clause) => countOf(clause, 'events'),
  many: (clause) => {
    if (clause.deed === undefined) return presence(clause, 'count');
    return countOf(clause, (clause.asked ?? clause.before) ? 'objects' : 'events');
  },
  long: (clause) => {
    const { deed, place } = clause;
    if (deed === undefined || (deed.said === 'wait' && !clause.after)) {
      const who = anyone(clause);
      if (!isNamed(who)) return { problem: 'how long who?' };
      return { kind: 'stay', who, ...(place === undefined ? {} : { place }) };
    }
    const read = patternOf(clause);
    return 'problem' in read ? read : { kind: 'lasting', pattern: read.pattern };
  },
  where: (clause) => {
    const who = anyone(clause);
    if (clause.deed === undefined || (clause.deed.said === 'gone' && isNamed(who))) {
      return isNamed(who) ? { kind: 'where', who } : { problem: 'where who?' };
    }
    const read = patternOf(clause);
    return 'problem' in read ? read : { kind: 'where-event', pattern: read.pattern };
  },
  why: (clause) => {
    if (clause.event !== undefined) return { kind: 'why', of: { event: clause.event } };
    const read = patternOf(clause);
    return 'problem' in read ? read : { kind: 'why', of: read.pattern };
  },
  next: (clause) => {
    if (clause.deed === undefined) return { kind: 'next', who: anyone(clause) };
    const read = patternOf(clause);
    return 'problem' in read ? read : { kind: 'next', who: ANY, pattern: read.pattern };
  },
  alike: (clause) => {
    const who = anyone(clause);
    return who.ids.length === 1 ? { kind: 'alike', who } : { problem: 'say which object, for example #3' };
  },
  doings: (clause) => doings(clause),
  happenings: (clause) => (isNamed(anyone(clause)) ? doings(clause) : { kind: 'happenings' }),
  about: (clause) => about(clause),
  list: (clause) => {
    if (clause.deed !== undefined) return when(clause, false);
    if (clause.event !== undefined || anyone(clause).ids.length > 0) return about(clause);
    return isNamed(anyone(clause)) ? presence(clause, 'list') : nothing();
  },
  who: (clause, rest) => {
    if (clause.deed === undefined) return who(clause, rest);
    const read = patternOf(clause);
    if ('problem' in read) return read;
    const { order, negated } = clause;
    return { kind: 'who', pattern: read.pattern, asked: read.asked, order, negated };
  },
  whether: (clause) => {
    if (clause.deed === undefined) return isNamed(anyone(clause)) ? presence(clause, 'whether') : nothing();
    const read = patternOf(clause);
    return 'problem' in read ? read : { kind: 'whether', pattern: read.pattern, negated: clause.negated };
  },
};

function nothing(): Misunderstanding {
  return { problem: 'I do not see what is asked' };
}

function when(clause: Clause, ago: boolean): Query | Misunderstanding {
  const read = patternOf(clause);
  if ('problem' in read) return read;
  if (clause.negated) return { problem: 'I can tell when something happened, not when it did not' };
  return { kind: 'when', pattern: read.pattern, order: clause.order, ago };
}

function countOf(clause: Clause, of: 'objects' | 'events'): Query | Misunderstanding {
  const read = patternOf(clause);
  if ('problem' in read) return read;
  return { kind: 'count', pattern: read.pattern, of, negated: clause.negated };
}

function doings(clause: Clause): Query | Misunderstanding {
  const subject = anyone(clause);
  return isNamed(subject) ? { kind: 'doings', who: subject } : nothing();
}

function about(clause: Clause): Query | Misunderstanding {
  if (clause.event !== undefined) return { kind: 'about', who: ANY, event: clause.event };
  const subject = anyone(clause);
  return subject.ids.length > 0 ? { kind: 'about', who: subject } : nothing();
}

const DOING = ['do', 'done', 'doing', 'up to'];
const PRESENT = ['here', 'there', 'in view', 'visible', 'present', 'around', 'in', 'seen', 'on'];

/** `who is here?`, `what did #2 do?`, `who is #3?`, `which cars are in the zone?` */
function who(clause: Clause, rest: readonly Token[]): Query | Misunderstanding {
  const subject = anyone(clause);
  const says = (words: readonly string[]): boolean =>
    words.some((one) => rest.some((_, i) => matchWords(rest, i, one)));
  const last = rest.at(-1)?.text ?? '';
  if (isNamed(subject) && (DOING.includes(last) || matchWords(rest, rest.length - 2, 'up to')))
    return doings(clause);
  if (clause.place !== undefined || says(PRESENT)) return presence(clause, 'list');
  if (clause.event !== undefined || subject.ids.length > 0) return about(clause);
  return isNamed(subject) ? presence(clause, 'list') : nothing();
}
