import { describe, expect, it } from 'vitest';
import { keepFrom, type OldRow } from '../../../../src/transport/log/log-retention.js';

const rows: OldRow[] = Array.from({ length: 10 }, (_, index) => ({
  sequence: index + 1,
  at: index * 1000,
  bytes: 100,
}));
const extent = { first: 1, last: 10, bytes: 1000 };
const unlimited = { maxMessages: Infinity, maxAgeMs: Infinity, maxBytes: Infinity };

describe('keepFrom', () => {
  it('keeps everything within the limits', () => {
    expect(keepFrom(rows, extent, unlimited, 1e9)).toEqual({ first: 1, bytes: 1000 });
  });
  it('keeps the newest messages up to the count', () => {
    expect(keepFrom(rows, extent, { ...unlimited, maxMessages: 3 }, 0)).toEqual({ first: 8, bytes: 300 });
  });
  it('lets go of what is older than the age', () => {
    expect(keepFrom(rows, extent, { ...unlimited, maxAgeMs: 5000 }, 9000)).toEqual({ first: 5, bytes: 600 });
  });
  it('lets go of the oldest until the size fits', () => {
    expect(keepFrom(rows, extent, { ...unlimited, maxBytes: 250 }, 0)).toEqual({ first: 9, bytes: 200 });
  });
  it('can let go of everything, and the sequence goes on from there', () => {
    expect(keepFrom(rows, extent, { ...unlimited, maxAgeMs: 1 }, 1e9)).toEqual({ first: 11, bytes: 0 });
  });
});
