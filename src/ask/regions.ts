import type { Box } from '../core/maths/box.js';
import { matchWords } from './parser/match-words.js';
import type { Token } from './parser/tokens.js';

/** A part of the picture that a question names, with the words for it: `in the left half`. */
export interface Region {
  /** Fractions of the frame. */
  readonly box: Box;
  readonly said: string;
}

export interface FoundRegion {
  readonly region: Region;
  readonly from: number;
  readonly count: number;
}

type Interval = readonly [from: number, length: number];
const SIDES: ReadonlyMap<string, 'left' | 'right'> = new Map(
  Object.entries<'left' | 'right'>({
    left: 'left',
    right: 'right',
  }),
);
const LEVELS: ReadonlyMap<string, 'top' | 'bottom'> = new Map(
  Object.entries<'top' | 'bottom'>({
    ...{ top: 'top', upper: 'top', bottom: 'bottom', lower: 'bottom' },
  }),
);
const CENTRES: ReadonlySet<string> = new Set(['middle', 'centre', 'center']);
/** Nouns of a part, and how much of the picture it is along a side. */
const SHARES: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    ...{
      half: 1 / 2,
      side: 1 / 2,
      part: 1 / 2,
      third: 1 / 3,
      corner: 1 / 2,
      quarter: 1 / 2,
      edge: 1 / 5,
      border: 1 / 5,
    },
  }),
);
const CENTRE_BOX: Box = [0.25, 0.25, 0.5, 0.5];
const LEADS = ['in', 'at', 'on', 'into', 'near', 'to', 'from'];

/** The first part of the picture that the tokens name: `in the left half`, `at the top right`, `in the middle`. */
export function findRegion(tokens: readonly Token[]): FoundRegion | undefined {
  for (let from = 0; from < tokens.length; from += 1) {
    const found = regionAt(tokens, from);
    if (found) return { ...found, from };
  }
  return undefined;
}

function regionAt(tokens: readonly Token[], start: number): Omit<FoundRegion, 'from'> | undefined {
  let at = start;
  const lead = LEADS.some((word) => matchWords(tokens, at, word));
  if (lead) at += 1;
  if (matchWords(tokens, at, 'the')) at += 1;
  const words = (k: number): string => (tokens[k]?.kind === 'word' ? tokens[k].text : '');
  // `upper-left` is one word.
  const [first = '', joined] = words(at).split('-');
  const second = joined ?? words(at + 1);
  const step = joined === undefined ? 2 : 1;
  const level = LEVELS.get(first);
  const both = SIDES.get(second);
  if (level !== undefined && both !== undefined) {
    const named = SHARES.has(words(at + step)) ? 1 : 0;
    return found(start, at + step + named, level, both, 1 / 2, `in the ${level} ${both}`);
  }
  if (CENTRES.has(first) && lead) {
    const named = SHARES.has(second) ? 1 : 0;
    return { region: { box: CENTRE_BOX, said: `in the ${first}` }, count: at + 1 + named - start };
  }
  const side = SIDES.get(first);
  const share = SHARES.get(second);
  if (share !== undefined && (level !== undefined || side !== undefined))
    return found(start, at + step, level, side, share, `in the ${first} ${second}`);
  // `at the top`, `on the left`: without a noun only after such words, since people left, too.
  if (!lead || at === start + 1 || (level === undefined && side === undefined)) return undefined;
  return found(start, at + 1, level, side, 1 / 2, `on the ${first}`);
}

function found(
  start: number,
  end: number,
  level: 'top' | 'bottom' | undefined,
  side: 'left' | 'right' | undefined,
  share: number,
  said: string,
): Omit<FoundRegion, 'from'> {
  const [x, w] = interval(side === 'left' ? 'low' : side === 'right' ? 'high' : undefined, share);
  const [y, h] = interval(level === 'top' ? 'low' : level === 'bottom' ? 'high' : undefined, share);
  return { region: { box: [x, y, w, h], said }, count: end - start };
}

function interval(end: 'low' | 'high' | undefined, share: number): Interval {
  if (end === undefined) return [0, 1];
  return end === 'low' ? [0, share] : [1 - share, share];
}
