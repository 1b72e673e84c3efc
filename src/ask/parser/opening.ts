import { matchWords } from './match-words.js';
import type { Period } from '../query.js';
import type { Token } from './tokens.js';

/** What a question was opened with, and what follows. */
export interface Opened {
  readonly head: Head;
  readonly rest: readonly Token[];
}

export type Head =
  | 'when'
  | 'ago'
  | 'times'
  | 'many'
  | 'long'
  | 'where'
  | 'why'
  | 'next'
  | 'alike'
  | 'doings'
  | 'happenings'
  | 'list'
  | 'who'
  | 'about'
  | 'whether';

/** Openings of questions, longest first where one begins another. */
const HEADS: readonly (readonly [Head, readonly string[]])[] = [
  ['times', ['how many times', 'how often']],
  [
    'many',
    ['how many', 'what is the number of', 'what was the number of', 'the number of', 'number of', 'count'],
  ],
  ['ago', ['how long ago']],
  ['long', ['how long', 'for how long']],
  [
    'when',
    ['when', 'at what time', 'at which time', 'what time', 'which time', 'since when', 'at which moment'],
  ],
  ['where', ['where', 'at which place', 'which way', 'which direction']],
  [
    'why',
    [
      'why',
      'how come',
      'what caused',
      'what was the cause of',
      'what is the cause of',
      'what made',
      'explain',
    ],
  ],
  ['doings', ['what happened to', 'what happened with', 'what has happened to']],
  [
    'happenings',
    [
      ...['what happened', 'what has happened', 'what happens', 'what is happening', 'what was happening'],
      ...['what is going on', 'what was going on', 'what went on', 'what all happened', 'anything happen'],
      ...[
        'did anything happen',
        'did something happen',
        'has anything happened',
        'summarise',
        'summarize',
        'summary',
      ],
    ],
  ],
  ['about', ['describe', 'what do you know about', 'what is known about', 'about']],
  ['list', ['list', 'show', 'any', 'all', 'every', 'were there any', 'was there any', 'are there any']],
  ['who', ['who', 'whom', 'which', 'what', 'whose']],
  ['whether', ['did', 'does', 'do', 'is', 'are', 'was', 'were', 'has', 'have', 'had', 'can']],
];
/** Words that say nothing more after an opening. */
const WEAK: Partial<Record<Head, readonly string[]>> = {
  where: ['go', 'goes', 'going', 'went', 'gone', 'head', 'headed', 'now', 'last'],
  long: ['stay', 'stayed', 'staying', 'remain', 'remained', 'last', 'lasted', 'spend', 'spent'],
};
const POLITE = ['please', 'can you', 'could you', 'tell me', 'show me', 'give me', 'do you know', 'and'];
const LOOKS = [
  'where else',
  'look like',
  'looks like',
  'looked like',
  'similar to',
  'alike',
  'resembles',
  'resemble',
  'same as',
];
const FUTURE = [
  'will',
  'going to',
  'expect',
  'expected',
  'predict',
  'predicted',
  'prediction',
  'predictions',
  'likely',
  'soon',
  'next',
];
const FUTURE_EXTRA = [
  'happen',
  'happens',
  'come',
  'comes',
  'do',
  'you',
  'be',
  'there',
  'is',
  'what',
  'who',
  'which',
  'are',
  'to',
];

/** Without `please`, `can you tell me` and the like. */
export function stripPolite(tokens: readonly Token[]): readonly Token[] {
  const polite = POLITE.find(
    (words) => matchWords(tokens, 0, words) && tokens.length > words.split(' ').length,
  );
  if (tokens[0]?.kind === 'comma') return stripPolite(tokens.slice(1));
  return polite === undefined ? tokens : stripPolite(tokens.slice(polite.split(' ').length));
}

/** Tells by its opening what kind of question it is. */
export function openQuestion(tokens: readonly Token[], period: Period | undefined, now: number): Opened {
  if (LOOKS.some((words) => tokens.some((_, i) => matchWords(tokens, i, words)))) {
    return {
      head: 'alike',
      rest: without(tokens, [...LOOKS, 'who', 'what', 'which', 'else', 'find', 'again', 'similar']),
    };
  }
  const ahead = period !== undefined && period.to > now && period.from === now;
  if (ahead || FUTURE.some((words) => tokens.some((_, i) => matchWords(tokens, i, words)))) {
    return { head: 'next', rest: without(tokens, [...FUTURE, ...FUTURE_EXTRA]) };
  }
  for (const [head, openings] of HEADS) {
    const words = openings.find((one) => matchWords(tokens, 0, one));
    if (words === undefined) continue;
    if (head === 'whether') return { head, rest: tokens };
    const rest = tokens.slice(head === 'who' ? 1 : words.split(' ').length);
    return { head, rest: without(rest, WEAK[head] ?? []) };
  }
  return { head: 'list', rest: tokens };
}

function without(tokens: readonly Token[], dropped: readonly string[]): Token[] {
  const out: Token[] = [];
  for (let i = 0; i < tokens.length;) {
    const words = dropped.find((one) => matchWords(tokens, i, one));
    if (words === undefined) out.push(tokens[i] as Token);
    i += words === undefined ? 1 : words.split(' ').length;
  }
  return out;
}
