import type { Token } from './tokens.js';

/** True when the tokens from `at` on are these words, which are separated by one space each. */
export function matchWords(tokens: readonly Token[], at: number, words: string): boolean {
  return words.split(' ').every((word, i) => word === '' || tokens[at + i]?.text === word);
}
