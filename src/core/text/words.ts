/**
 * Returns the words of a text, for a simple search: lower case, without diacritics. `start_moving` and `zone-enter` give the
 * whole word and its components; `#7` and `o7` are one word.
 */
export function wordsOf(text: string): ReadonlySet<string> {
  const words = new Set<string>();
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  for (const [word] of plain.matchAll(/#\d+|[\p{L}\p{N}]+(?:[_-][\p{L}\p{N}]+)*/gu)) {
    words.add(word.replace(/^#/, 'o'));
    const components = word.split(/[_-]/);
    if (components.length > 1) for (const component of components) words.add(component);
  }
  return words;
}

/**
 * Returns the share of the wanted words among the words of a text, 0–1; a word of 4 letters or more also matches the start
 * of another one.
 */
export function wordsMatched(wanted: ReadonlySet<string>, words: ReadonlySet<string>): number {
  if (wanted.size === 0) return 0;
  let matched = 0;
  for (const word of wanted) {
    if (words.has(word) || hasStem(word, words)) matched += 1;
  }
  return matched / wanted.size;
}

const MIN_STEM = 4;

/** Two words of one stem differ only in their last three letters: `person` and `persons`, `colliding` and `collide`. */
function hasStem(word: string, words: ReadonlySet<string>): boolean {
  if (!/^\p{L}/u.test(word)) return false;
  for (const other of words) {
    const stem = Math.max(MIN_STEM, Math.max(word.length, other.length) - 3);
    if (word.length >= stem && other.length >= stem && word.slice(0, stem) === other.slice(0, stem))
      return true;
  }
  return false;
}
