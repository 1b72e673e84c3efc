import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MemorySnapshot } from '../../../../../src/core/memory.js';
import type { Expert } from '../../../../../src/reasoner/forecast/expert.js';
import { ExpertPanel } from '../../../../../src/reasoner/forecast/mixture/expert-panel.js';
import { pushedRow } from '../../../../support/reasoner/snapshots.js';

const snapshot = pushedRow();
const at = (t: number): MemorySnapshot => ({ ...snapshot, t });

/** Answers after so many ms of wall time; rejects with a text. */
function source(name: string, afterMs: number, answer: number | string): Expert & { aborted: boolean } {
  const made = {
    name,
    model: `${name}@1`,
    aborted: false,
    probabilities: (_: unknown, __: unknown, signal: AbortSignal) =>
      new Promise<ReadonlyMap<string, number>>((resolve, reject) => {
        signal.addEventListener('abort', () => (made.aborted = true));
        setTimeout(() => {
          if (typeof answer === 'number') resolve(new Map([['exit|o1|', answer]]));
          else reject(new Error(answer));
        }, afterMs);
      }),
  };
  return made;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a panel of sources', () => {
  it('is done when all have answered', async () => {
    const panel = new ExpertPanel({ sources: [source('a', 20, 0.1), source('b', 50, 0.2)], deadlineMs: 200 });
    const round = panel.ask(snapshot, []);
    let done = false;
    void round.done.then(() => (done = true));
    await vi.advanceTimersByTimeAsync(49);
    expect(done).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toBe(true);
    expect([...round.estimates.keys()]).toEqual(['a', 'b']);
    expect(round.degraded).toBe(false);
    expect(panel.stats()['b']).toEqual({ answered: 1, late: 0, failed: 0, rested: 0 });
  });

  it('goes on at the deadline with those that have answered, and lets go of the others', async () => {
    const slow = source('slow', 500, 0.9);
    const panel = new ExpertPanel({ sources: [source('quick', 5, 0.1), slow], deadlineMs: 200 });
    const round = panel.ask(snapshot, []);
    await vi.advanceTimersByTimeAsync(200);
    await round.done;
    expect([...round.estimates.keys()]).toEqual(['quick']);
    expect(round.degraded).toBe(true);
    expect(slow.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(400);
    expect(round.estimates.size).toBe(1);
    expect(panel.stats()).toMatchObject({ quick: { answered: 1 }, slow: { answered: 0, late: 1 } });
  });

  it('waits as long as it takes without a deadline', async () => {
    const round = new ExpertPanel({ sources: [source('slow', 60_000, 0.9)] }).ask(snapshot, []);
    await vi.advanceTimersByTimeAsync(60_000);
    await round.done;
    expect(round.degraded).toBe(false);
  });

  it('leaves a source that fails again and again alone for a while, and says why', async () => {
    const panel = new ExpertPanel({
      sources: [source('bad', 1, 'no weights')],
      restAfterFailures: 2,
      restS: 10,
    });
    for (const t of [1, 2, 3, 11, 12.5]) {
      const round = panel.ask(at(t), []);
      await vi.advanceTimersByTimeAsync(1);
      await round.done;
      expect(round.degraded).toBe(true);
    }
    expect(panel.stats()['bad']).toEqual({
      answered: 0,
      late: 0,
      failed: 3,
      rested: 2,
      problem: 'no weights',
    });
  });
});
