import { NUMBER_WORDS, OBJECT_NOUNS, UNITS } from './lexicon.js';

/** A piece of a question. */
export type Token =
  /** `#4`, `o4`, `object 4`, `person 4` */
  | { readonly kind: 'object'; readonly id: string; readonly text: string }
  /** `e12` */
  | { readonly kind: 'event'; readonly id: string; readonly text: string }
  /** The name of a configured zone or line. */
  | { readonly kind: 'place'; readonly name: string; readonly text: string }
  /** `1:30`, in seconds */
  | { readonly kind: 'clock'; readonly value: number; readonly text: string }
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'comma'; readonly text: string };

/** Longer questions are not read: nobody asks in so many words, and the text may come from outside. */
const LONGEST_QUESTION = 500;

const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\bno one\b/g, 'nobody'],
  [/\bwon't\b/g, 'will not'],
  [/\bcan't\b/g, 'can not'],
  [/n't\b/g, ' not'],
  [/\b(who|what|where|when|how|there|that)'s\b/g, '$1 is'],
  [/'ve\b/g, ' have'],
  [/'ll\b/g, ' will'],
  [/'re\b/g, ' are'],
  [/'s\b/g, ''],
];

const PATTERN =
  /(?<place>\uE000\d+\uE001)|#\s*(?<hash>\d+)|\bo(?<object>\d+)\b|\be(?<event>\d+)\b|(?<clock>\d+:\d{2}(?::\d{2})?(?:\.\d+)?)|(?<number>\d+(?:\.\d+)?)|(?<word>[\p{L}_]+(?:-[\p{L}]+)*)|(?<comma>[,;:])/gu;

/**
 * Splits a question into tokens: lower case, contractions written out, numbers in words as numbers.
 * @param places names of zones and lines, which are one token however they are written
 */
export function tokenise(question: string, places: readonly string[]): Token[] {
  const { text, found } = markPlaces(plain(question), places);
  const tokens: Token[] = [];
  for (const { 0: piece, groups = {} } of text.matchAll(PATTERN)) {
    tokens.push(tokenOf(piece, groups, found));
  }
  return joinObjects(tokens);
}

function plain(question: string): string {
  let text = question
    .slice(0, LONGEST_QUESTION)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[‘’`´]/g, "'");
  for (const [pattern, written] of CONTRACTIONS) text = text.replace(pattern, written);
  return text;
}

/** Puts marks in the place of names, longest first, so that words and signs inside them are not read for themselves. */
function markPlaces(text: string, places: readonly string[]): { text: string; found: string[] } {
  const found: string[] = [];
  const longestFirst = [...places].sort((a, b) => b.length - a.length);
  for (const name of longestFirst) {
    const escaped = name
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}_#-])${escaped}(?![\\p{L}\\p{N}_-])`, 'gu');
    if (!pattern.test(text)) continue;
    text = text.replace(pattern, `\uE000${found.length}\uE001`);
    found.push(name);
  }
  return { text, found };
}

type Groups = Readonly<Record<string, string | undefined>>;

function tokenOf(text: string, groups: Groups, places: readonly string[]): Token {
  const { place, hash, object, event, clock, number, comma } = groups;
  if (place !== undefined) {
    const name = places[Number(place.slice(1, -1))] ?? '';
    return { kind: 'place', name, text: name };
  }
  const id = hash ?? object;
  if (id !== undefined) return { kind: 'object', id: `o${Number(id)}`, text };
  if (event !== undefined) return { kind: 'event', id: `e${Number(event)}`, text };
  if (clock !== undefined) {
    return { kind: 'clock', value: clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0), text };
  }
  if (number !== undefined) return { kind: 'number', value: Number(number), text };
  if (comma !== undefined) return { kind: 'comma', text };
  const value = NUMBER_WORDS.get(text);
  return value === undefined ? { kind: 'word', text } : { kind: 'number', value, text };
}

/** `object 4` and `person 4` are one object, unless a unit of time follows the number. */
function joinObjects(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const [noun, number, next] = [tokens[i] as Token, tokens[i + 1], tokens[i + 2]];
    const numbered = noun.kind === 'word' && OBJECT_NOUNS.has(noun.text) && number?.kind === 'number';
    const timed = next?.kind === 'word' && UNITS.has(next.text);
    if (numbered && !timed && /^\d+$/.test(number.text)) {
      out.push({ kind: 'object', id: `o${number.value}`, text: `${noun.text} ${number.text}` });
      i += 1;
    } else if (noun.kind === 'word' && OBJECT_NOUNS.has(noun.text) && number?.kind === 'object') {
      out.push(number);
      i += 1;
    } else {
      out.push(noun);
    }
  }
  return out;
}
