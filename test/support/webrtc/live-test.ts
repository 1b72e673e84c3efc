import { it } from 'vitest';
import { noChromium } from './chromium.js';

/** A test of a real part that may be missing: then it is skipped, with the reason in its name. */
export function testWith(reason: string | undefined, text: string, test: () => Promise<void>): void {
  it.skipIf(reason !== undefined)(
    reason === undefined ? text : `${text} (${reason})`,
    { timeout: 60_000 },
    test,
  );
}

export const inBrowser = (text: string, test: () => Promise<void>): void => testWith(noChromium, text, test);
