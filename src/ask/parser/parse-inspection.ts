import { readClause, type Clause, type Words } from './clause.js';
import { matchWords } from './match-words.js';
import { ANY, type InspectionQuery, type Misunderstanding, type Period } from '../query.js';
import { findRegion } from '../regions.js';
import type { Token } from './tokens.js';

/** How somebody asks to look, longest first where one begins another. */
const OPENINGS = [
  ...['take another look', 'have another look', 'take a closer look', 'take a look', 'have a look'],
  ...[
    'look closer',
    'look more closely',
    'look closely',
    'look again',
    'look once more',
    'look',
    'zoom in',
    'zoom',
  ],
];
/** Words that say nothing more after an opening, or in a question about a part of the picture. */
const WEAK: ReadonlySet<string> = new Set([
  'again',
  'closer',
  'closely',
  'more',
  'once',
  'around',
  'now',
  'into',
]);
/** What is to be seen in a part of the picture is asked with these. */
const ASKING: ReadonlySet<string> = new Set(['what', 'who', 'which', 'is', 'are', 'was', 'were', 'anything']);

/**
 * Reads `look again at 12.3 s near the door` and `what is in the left half now`: what only the picture tells. Undefined
 * for questions of another kind.
 */
export function readInspection(
  tokens: readonly Token[],
  words: Words,
  period: Period | undefined,
): InspectionQuery | Misunderstanding | undefined {
  const opening = OPENINGS.find((said) => matchWords(tokens, 0, said));
  const rest = opening === undefined ? tokens : tokens.slice(opening.split(' ').length);
  const found = findRegion(rest);
  const first = tokens[0]?.text ?? '';
  if (opening === undefined && (found === undefined || !ASKING.has(first))) return undefined;
  const left = found ? [...rest.slice(0, found.from), ...rest.slice(found.from + found.count)] : rest;
  const clause = readClause(
    left.filter(({ text }) => !WEAK.has(text) && (opening !== undefined || !ASKING.has(text))),
    words,
  );
  if (opening === undefined && clause.deed !== undefined) return undefined;
  if (clause.unknown.length > 0 || !isOfPlace(clause)) {
    const unknown = clause.unknown.map((word) => `"${word}"`).join(', ');
    return {
      problem: unknown === '' ? 'I do not see where to look' : `I do not know what ${unknown} means here`,
    };
  }
  const { place, event } = clause;
  return {
    kind: 'look',
    who: clause.before ?? clause.after ?? clause.asked ?? ANY,
    ...(place !== undefined && { place }),
    ...(event !== undefined && { event }),
    ...(found && { region: found.region }),
    ...(period && { period }),
  };
}

/** `near #3` and `with #3` say where; any other verb says what happens, which memory knows. */
function isOfPlace({ deed, negated }: Clause): boolean {
  return (
    !negated && (deed === undefined || (deed.deed.types.length === 0 && deed.deed.relations?.[0] === 'near'))
  );
}
