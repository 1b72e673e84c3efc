/**
 * The words of a text, for a simple search: lower case, without diacritics; `start_moving` and `zone-enter` are words as
 * a whole and in their parts; `#7` and `o7` are one word.
 */
export function wordsOf(text: string): ReadonlySet<string> {
  const words = new Set<string>();
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  for (const [word] of plain.matchAll(/#\d+|[\p{L}\p{N}]+(?:[_-][\p{L}\p{N}]+)*/gu)) {
    words.add(word.replace(/^#/, 'o'));
    const parts = word.split(/[_-]/);
    if (parts.length > 1) for (const part of parts) words.add(part);
  }
  return words;
}

/** Share of the wanted words that a text has, 0–1; a word of 4 letters or more also fits the start of another one. */
export function wordsMatched(wanted: ReadonlySet<string>, has: ReadonlySet<string>): number {
  if (wanted.size === 0) return 0;
  let matched = 0;
  for (const word of wanted) {
    if (has.has(word) || hasStem(word, has)) matched += 1;
  }
  return matched / wanted.size;
}

const MIN_STEM = 4;

/** `person` fits `persons`, `colliding` fits `collide`: two words of one stem differ only in their last three letters. */
function hasStem(word: string, has: ReadonlySet<string>): boolean {
  if (!/^\p{L}/u.test(word)) return false;
  for (const other of has) {
    const stem = Math.max(MIN_STEM, Math.max(word.length, other.length) - 3);
    if (word.length >= stem && other.length >= stem && word.slice(0, stem) === other.slice(0, stem))
      return true;
  }
  return false;
}
