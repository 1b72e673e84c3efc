import { expect } from 'vitest';

/** `expect.stringMatching`, typed as what it stands for. */
export function matching(pattern: RegExp): string {
  return expect.stringMatching(pattern) as string;
}
