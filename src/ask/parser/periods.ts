import { UNITS } from './lexicon.js';
import { matchWords } from './match-words.js';
import type { Period } from '../query.js';
import type { Token } from './tokens.js';

/** `at 12 s`, `20 seconds ago`: what lies this near counts, s. People tell times by the second or two. */
export const AROUND_S = 2;

/** A period found in the tokens, and which of them said it. */
export interface FoundPeriod {
  readonly period: Period;
  readonly from: number;
  readonly count: number;
}

type Reader = (
  tokens: readonly Token[],
  at: number,
  now: number,
) => { period: Period; count: number } | undefined;

/**
 * The first period that the tokens tell: `in the last 10 minutes`, `between 10 and 30 s`, `before 1:30`, `20 s ago`,
 * `now`. Times without a unit are seconds.
 *
 * @param now newest media time, s
 */
export function findPeriod(tokens: readonly Token[], now: number): FoundPeriod | undefined {
  for (let from = 0; from < tokens.length; from++) {
    for (const read of READERS) {
      const found = read(tokens, from, now);
      if (found) return { ...found, from };
    }
  }
  return undefined;
}

interface Amount {
  readonly seconds: number;
  readonly count: number;
  readonly unit: boolean;
  readonly said: string;
}

/** `10 minutes`, `1:30`, `half a minute`, `a minute`, `an hour and`, `12`. */
function amountAt(tokens: readonly Token[], at: number): Amount | undefined {
  const first = tokens[at];
  if (first?.kind === 'clock') return { seconds: first.value, count: 1, unit: true, said: first.text };
  if (first?.kind === 'number') {
    const unit = unitAt(tokens, at + 1);
    const seconds = first.value * (unit?.seconds ?? 1);
    const said = unit === undefined ? `${first.text} s` : `${first.text} ${unit.text}`;
    return { seconds, count: unit ? 2 : 1, unit: unit !== undefined, said };
  }
  const lead = ['half a', 'half an', 'half', 'couple of', 'a couple of', 'a', 'an', ''].find((words) =>
    matchWords(tokens, at, words),
  );
  const length = lead === undefined || lead === '' ? 0 : lead.split(' ').length;
  const unit = unitAt(tokens, at + length);
  if (lead === undefined || unit === undefined) return undefined;
  const factor = lead.startsWith('half') ? 0.5 : lead.includes('couple') ? 2 : 1;
  return {
    seconds: factor * unit.seconds,
    count: length + 1,
    unit: true,
    said: `${lead} ${unit.text}`.trim(),
  };
}

function unitAt(tokens: readonly Token[], at: number): { seconds: number; text: string } | undefined {
  const text = wordAt(tokens, at);
  const seconds = text === undefined ? undefined : UNITS.get(text);
  return text === undefined || seconds === undefined ? undefined : { seconds, text };
}

/** `in the last ten minutes`, `during the past hour`, `in the first 30 s` */
const readLast: Reader = (tokens, start, now) => {
  let at = start;
  if (oneOf(tokens, at, 'in', 'during', 'within', 'over', 'for')) at += 1;
  if (oneOf(tokens, at, 'the')) at += 1;
  const which = ['last', 'past', 'first'].find((word) => matchWords(tokens, at, word));
  const amount = which === undefined ? undefined : amountAt(tokens, at + 1);
  if (!amount?.unit) return undefined;
  const said = `in the ${which === 'past' ? 'last' : (which ?? '')} ${amount.said}`;
  const period =
    which === 'first' ? { from: 0, to: amount.seconds, said } : { from: now - amount.seconds, to: now, said };
  return { period, count: at + 1 + amount.count - start };
};

/** `in the next 10 s`, `within 3 seconds` */
const readNext: Reader = (tokens, start, now) => {
  let at = start;
  const within = oneOf(tokens, at, 'within', 'in');
  if (within || oneOf(tokens, at, 'during', 'over')) at += 1;
  if (oneOf(tokens, at, 'the')) at += 1;
  const next = oneOf(tokens, at, 'next', 'coming');
  if (next) at += 1;
  const amount = next || matchWords(tokens, start, 'within') ? amountAt(tokens, at) : undefined;
  if (!amount?.unit) return undefined;
  const period = { from: now, to: now + amount.seconds, said: `within ${amount.said}` };
  return { period, count: at + amount.count - start };
};

/** `between 10 and 30 s`, `from 0:10 to 0:30` */
const readBetween: Reader = (tokens, start) => {
  const link = matchWords(tokens, start, 'between')
    ? 'and'
    : matchWords(tokens, start, 'from')
      ? 'to'
      : undefined;
  if (link === undefined) return undefined;
  const first = amountAt(tokens, start + 1);
  if (!first) return undefined;
  const linked = start + 1 + first.count;
  const joined =
    matchWords(tokens, linked, link) ||
    matchWords(tokens, linked, 'until') ||
    matchWords(tokens, linked, 'till');
  const second = joined ? amountAt(tokens, linked + 1) : undefined;
  if (!second) return undefined;
  // `between 1 and 2 minutes`: the unit counts for both.
  const scale = first.unit ? 1 : second.seconds / (numberOf(tokens[linked + 1]) ?? second.seconds);
  const [from, to] = [first.seconds * (Number.isFinite(scale) ? scale : 1), second.seconds];
  if (from > to) return undefined;
  return {
    period: { from, to, said: `between ${text(from)} and ${text(to)}` },
    count: linked + 1 + second.count - start,
  };
};

/** `20 seconds ago`, `a minute ago` */
const readAgo: Reader = (tokens, start, now) => {
  const amount = amountAt(tokens, start);
  if (!amount?.unit || !matchWords(tokens, start + amount.count, 'ago')) return undefined;
  const t = now - amount.seconds;
  return {
    period: { from: t - AROUND_S, to: t + AROUND_S, said: `${amount.said} ago` },
    count: amount.count + 1,
  };
};

/** `before 20 s`, `until 1:30`, `after 20`, `since 0:20`, `at 12 s`, `around 12 seconds` */
const readPoint: Reader = (tokens, start) => {
  const word = wordAt(tokens, start);
  const side = word === undefined ? undefined : SIDES.get(word);
  const amount = side === undefined ? undefined : amountAt(tokens, start + 1);
  if (!amount || (wordAt(tokens, start + 1) !== undefined && wordAt(tokens, start + 1) !== 'half'))
    return undefined;
  if (matchWords(tokens, start + 1 + amount.count, 'ago')) return undefined;
  const t = amount.seconds;
  const count = 1 + amount.count;
  if (side === 'before') return { period: { from: -Infinity, to: t, said: `before ${text(t)}` }, count };
  if (side === 'after') return { period: { from: t, to: Infinity, said: `after ${text(t)}` }, count };
  return { period: { from: t - AROUND_S, to: t + AROUND_S, said: `around ${text(t)}` }, count };
};
const SIDES: ReadonlyMap<string, 'before' | 'after' | 'at'> = new Map(
  Object.entries<'before' | 'after' | 'at'>({
    ...{ before: 'before', until: 'before', till: 'before', by: 'before' },
    ...{ after: 'after', since: 'after', from: 'after' },
    ...{ at: 'at', around: 'at', about: 'at', near: 'at' },
  }),
);

const NOW = ['right now', 'just now', 'now', 'at the moment', 'at this moment', 'currently', 'at present'];
const readNow: Reader = (tokens, start, now) => {
  const words = NOW.find((said) => matchWords(tokens, start, said));
  if (words === undefined) return undefined;
  return { period: { from: now, to: now, said: 'now' }, count: words.split(' ').length };
};

const READERS: readonly Reader[] = [readLast, readBetween, readAgo, readNext, readPoint, readNow];

function numberOf(token: Token | undefined): number | undefined {
  return token?.kind === 'number' ? token.value : undefined;
}

function text(seconds: number): string {
  return `${Math.round(seconds * 10) / 10} s`;
}

function wordAt(tokens: readonly Token[], at: number): string | undefined {
  const token = tokens[at];
  return token?.kind === 'word' ? token.text : undefined;
}

function oneOf(tokens: readonly Token[], at: number, ...words: readonly string[]): boolean {
  return words.includes(wordAt(tokens, at) ?? '');
}
