import { expect } from 'vitest';

/** `expect.stringMatching` with the type of the matched value. */
export function matching(pattern: RegExp): string {
  return expect.stringMatching(pattern) as string;
}
