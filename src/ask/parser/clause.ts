import {
  ANYTHING,
  DEEDS,
  FILLERS,
  LONGEST_DEED,
  NEGATIONS,
  NOBODY,
  PAIR_TYPES,
  PRONOUNS,
  UNITS,
  type Deed,
} from './lexicon.js';
import { ANY, type Pattern, type Subject } from '../query.js';
import type { Token } from './tokens.js';

/** Auxiliaries: a subject after one and before the verb is who does it. */
const AUXILIARIES: ReadonlySet<string> = new Set([
  ...['did', 'do', 'does', 'is', 'are', 'was', 'were', 'has', 'have', 'had', 'will'],
]);
const LONGEST_LABEL = 3;

/** The words for labels and places of the stream that is asked about. */
export interface Words {
  /** Labels by the words for them; see `labelWords`. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/** Who a part of a clause names. */
interface Named {
  /** As they were said: each names one object or some labels. */
  parts: Subject[];
  /** `anything`, `objects`: named, and whatever it may be. */
  any: boolean;
}

/** A subject with what it is made of: `#4 and a car` are two parts. */
interface NamedSubject extends Subject {
  readonly parts: readonly Subject[];
}

/** What a clause says, part by part. */
export interface Clause {
  readonly deed: { readonly deed: Deed; readonly said: string } | undefined;
  /** Before the first auxiliary: `which people …`. */
  readonly asked: NamedSubject | undefined;
  /** Before the verb. */
  readonly before: NamedSubject | undefined;
  /** After the verb. */
  readonly after: NamedSubject | undefined;
  readonly place: string | undefined;
  readonly event: string | undefined;
  readonly negated: boolean;
  /** `followed by #4`: who does it stands after the verb. */
  readonly passive: boolean;
  readonly order: 'all' | 'first' | 'last';
  /** Words that mean nothing to the grammar. */
  readonly unknown: readonly string[];
}

const emptyNamed = (): Named => ({ parts: [], any: false });

/** Reads a clause: subjects, a verb or the noun of one, a place. What it does not know is in `unknown`. */
export function readClause(tokens: readonly Token[], words: Words): Clause {
  return new ClauseReader(words).read(tokens);
}

class ClauseReader {
  readonly #words: Words;
  readonly #unknown: string[] = [];
  readonly #named = { asked: emptyNamed(), before: emptyNamed(), after: emptyNamed() };
  #at: 'asked' | 'before' | 'after' = 'asked';
  #deed: Clause['deed'];
  #place: string | undefined;
  #event: string | undefined;
  #negated = false;
  #by = false;
  #order: Clause['order'] = 'all';

  constructor(words: Words) {
    this.#words = words;
  }

  read(tokens: readonly Token[]): Clause {
    for (let i = 0; i < tokens.length;) i += this.#take(tokens, i);
    const { asked, before, after } = this.#named;
    return {
      deed: this.#deed,
      asked: subjectOf(asked),
      before: subjectOf(before),
      after: subjectOf(after),
      place: this.#place,
      event: this.#event,
      negated: this.#negated,
      passive: this.#by,
      order: this.#order,
      unknown: this.#unknown,
    };
  }

  /** Reads what stands at `i`; returns how many tokens that was. */
  #take(tokens: readonly Token[], i: number): number {
    const token = tokens[i] as Token;
    const named = this.#named[this.#at];
    switch (token.kind) {
      case 'object':
        if (!named.parts.some(({ ids }) => ids.includes(token.id))) named.parts.push({ ids: [token.id] });
        return 1;
      case 'event':
        if (this.#event === undefined) this.#event = token.id;
        else this.#unknown.push(token.text);
        return 1;
      case 'place':
        if (this.#place === undefined) this.#place = token.name;
        else this.#unknown.push(token.text);
        return 1;
      case 'comma':
        return 1;
      case 'clock':
        this.#unknown.push(token.text);
        return 1;
      case 'number':
        // `two cars`: who takes part in a pair; any other number would have to be counted.
        if (token.value !== 2) this.#unknown.push(token.text);
        return 1;
      case 'word':
        return this.#takeWords(tokens, i);
    }
  }

  #takeWords(tokens: readonly Token[], i: number): number {
    const label = longest(tokens, i, LONGEST_LABEL, (said) => this.#words.labels.get(said));
    const deed = longest(tokens, i, LONGEST_DEED, (said) => DEEDS.get(said));
    if (deed !== undefined && deed.count >= (label?.count ?? 0) && this.#takeDeed(deed.found, deed.said))
      return deed.count;
    if (label !== undefined) {
      this.#named[this.#at].parts.push({ ids: [], labels: label.found });
      return label.count;
    }
    this.#takeWord((tokens[i] as Token).text);
    return 1;
  }

  /** A verb after the first is not taken, unless the first was a mere preposition, such as `with`. */
  #takeDeed(deed: Deed, said: string): boolean {
    const weak = (one: Deed): boolean => one.types.length === 0 && one.relations?.[0] === 'near';
    if (this.#deed !== undefined && !weak(this.#deed.deed)) return weak(deed);
    this.#deed = { deed, said };
    if (this.#at !== 'after') this.#at = 'after';
    return true;
  }

  #takeWord(word: string): void {
    const nobody = NOBODY.get(word);
    const named = this.#named[this.#at];
    if (NEGATIONS.has(word)) {
      this.#negated = !this.#negated;
    } else if (nobody !== undefined) {
      this.#negated = !this.#negated;
      if (nobody === 'person') named.parts.push({ ids: [], labels: ['person'] });
    } else if (ANYTHING.has(word)) {
      named.any = true;
    } else if (word === 'first' || word === 'last') {
      this.#order = word;
    } else if (PRONOUNS.has(word) && word !== 'you') {
      this.#unknown.push(word);
    } else if (word === 'by' && this.#deed !== undefined) {
      this.#by = true;
    } else if (!FILLERS.has(word) && word !== 'between') {
      this.#unknown.push(word);
    }
    if (AUXILIARIES.has(word) && this.#at === 'asked') this.#at = 'before';
  }
}

function subjectOf({ parts, any }: Named): NamedSubject | undefined {
  const ids = parts.flatMap((part) => part.ids);
  const labels = [...new Set(parts.flatMap((part) => part.labels ?? []))];
  if (ids.length > 0) return { ids, parts };
  if (labels.length > 0) return { ids, labels, parts };
  return any ? { ...ANY, parts } : undefined;
}

function longest<T>(
  tokens: readonly Token[],
  at: number,
  most: number,
  find: (said: string) => T | undefined,
): { found: T; said: string; count: number } | undefined {
  for (let count = Math.min(most, tokens.length - at); count > 0; count--) {
    const part = tokens.slice(at, at + count);
    if (part.some(({ kind, text }) => kind !== 'word' || (count > 1 && UNITS.has(text) && text.length === 1)))
      continue;
    const said = part.map(({ text }) => text).join(' ');
    const found = find(said);
    if (found !== undefined) return { found, said, count };
  }
  return undefined;
}

/** True of what needs two. */
function isOfTwo({ types, relations }: Deed): boolean {
  return relations !== undefined || types.some((type) => PAIR_TYPES.has(type));
}

/** A pattern, or the reason why the clause makes none. */
export type ReadPattern =
  { readonly pattern: Pattern; readonly asked: 'a' | 'b' } | { readonly problem: string };

/**
 * What the clause says happens. In `which people did #4 meet?` the people are asked for, and #4 is who met them; in
 * `which people met #4?` it is the other way round.
 */
export function patternOf(clause: Clause): ReadPattern {
  const { deed, place, passive } = clause;
  if (deed === undefined) return { problem: 'I do not see what is to have happened' };
  const common = { deed: deed.deed, said: deed.said, ...(place === undefined ? {} : { place }) };
  const askedFor = clause.asked ?? ANY;
  const doer = clause.before;
  if (!isOfTwo(deed.deed)) {
    if (doer !== undefined && clause.after !== undefined) {
      return { problem: `"${deed.said}" takes one object, and there are two` };
    }
    return { pattern: { ...common, a: doer ?? narrower(clause.asked, clause.after) }, asked: 'a' };
  }
  const pattern = (a: Subject, b: Subject | undefined): Pattern => ({
    ...common,
    a,
    ...(b === undefined ? {} : { b }),
  });
  const all = [clause.asked, doer, clause.after].filter((one) => one !== undefined);
  const only = all.length === 1 ? all[0] : undefined;
  if (only && only.parts.length > 2)
    return { problem: `"${deed.said}" takes two objects, and there are ${only.parts.length}` };
  if (only?.parts.length === 2) return { pattern: pattern(only.parts[0] ?? ANY, only.parts[1]), asked: 'a' };
  if (passive && clause.after !== undefined) {
    return { pattern: pattern(clause.after, doer ?? clause.asked), asked: 'b' };
  }
  if (doer !== undefined && clause.after === undefined) {
    return { pattern: pattern(doer, clause.asked), asked: 'b' };
  }
  return { pattern: pattern(doer ?? askedFor, clause.after), asked: 'a' };
}

function narrower(first: Subject | undefined, second: Subject | undefined): Subject {
  return first ?? second ?? ANY;
}
