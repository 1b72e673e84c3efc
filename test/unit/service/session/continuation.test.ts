import { expect, it } from 'vitest';
import {
  continuationOf,
  POSITION_KEY,
  type ContinuationLog,
} from '../../../../src/service/session/continuation.js';

const DAY_MS = 86_400_000;
const SAVED_AT = Date.UTC(2026, 0, 10);

function logWith(savedAt: number): ContinuationLog {
  const position = { version: 1, sequence: 5, mediatime: 120, at: savedAt, ended: true };
  return {
    load: (_, key) => (key === POSITION_KEY ? position : undefined),
    loadAll: () => ({}),
    save: () => undefined,
    remove: () => undefined,
    removeAll: () => undefined,
    range: () => ({ first: 1, last: 5 }),
    read: () => [],
    lastMediatime: () => 120,
  };
}

it.each([
  ['an hour later', 3_600_000, 120 + 3600],
  ['29 days later', 29 * DAY_MS, 120 + 29 * 86_400],
])('advances media time by the pause: %s', (_, pauseMs, startS) => {
  expect(continuationOf(logWith(SAVED_AT), 'cam1', SAVED_AT + pauseMs)?.startS).toBe(startS);
});

it.each([
  ['56 years later, because the clock stood at 1970 when it was saved', 0, SAVED_AT],
  ['before the save, because the clock ran ahead', SAVED_AT + 365 * DAY_MS, SAVED_AT],
])('continues where it was when the clock was wrong: %s', (_, savedAt, nowMs) => {
  const startS = continuationOf(logWith(savedAt), 'cam1', nowMs)?.startS ?? NaN;
  expect(startS).toBeGreaterThanOrEqual(120);
  expect(startS).toBeLessThan(121);
});
