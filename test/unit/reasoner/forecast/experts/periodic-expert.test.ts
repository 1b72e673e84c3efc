import { describe, expect, it } from 'vitest';
import type { ForecastItem } from '../../../../../src/core/messages.js';
import type { MemorySnapshot } from '../../../../../src/core/memory.js';
import type { Expert } from '../../../../../src/reasoner/forecast/expert.js';
import { itemKey } from '../../../../../src/reasoner/forecast/learning.js';
import { PeriodicExpert } from '../../../../../src/reasoner/forecast/experts/periodic-expert.js';
import { snapshotOf } from '../../../../support/reasoner/snapshots.js';

const items: ForecastItem[] = [{ type: 'exit', participants: ['o1'], probability: 0.1 }];
const key = itemKey('exit', ['o1'], undefined);
const never = new AbortController().signal;
const at = (t: number): MemorySnapshot => ({ ...snapshotOf([], [], 0), t });

/** A source whose answers are given when the test says so. */
class HeldSource implements Expert {
  readonly name = 'language';
  readonly model = 'held@1';
  readonly asked: number[] = [];
  #answers: { give: (p: number) => void; fail: (error: Error) => void }[] = [];

  probabilities({ t }: MemorySnapshot): Promise<ReadonlyMap<string, number>> {
    this.asked.push(t);
    return new Promise((resolve, reject) =>
      this.#answers.push({
        give: (p) =>
          resolve(
            new Map([
              [key, p],
              ['other', p],
            ]),
          ),
        fail: reject,
      }),
    );
  }

  give(p: number): void {
    this.#answers.shift()?.give(p);
  }

  fail(message: string): void {
    this.#answers.shift()?.fail(new Error(message));
  }
}

describe('PeriodicExpert', () => {
  it('gives an answer that comes in time, for the items asked about', async () => {
    const source = new HeldSource();
    const said = new PeriodicExpert({ source, waitMs: 60_000 }).probabilities(at(1), items, never);
    source.give(0.7);
    await expect(said).resolves.toEqual(new Map([[key, 0.7]]));
  });

  it('asks on its beat only and gives the last answer between', async () => {
    const source = new HeldSource();
    const beat = new PeriodicExpert({ source, everyS: 2, waitMs: 60_000 });
    const first = beat.probabilities(at(1), items, never);
    source.give(0.7);
    await first;
    await expect(beat.probabilities(at(2), items, never)).resolves.toEqual(new Map([[key, 0.7]]));
    expect(source.asked).toEqual([1]);
    expect(beat.stats()).toEqual({ asked: 1, skipped: 0, reused: 1, stale: 0 });
  });

  it('does not wait longer than it may, and does not ask twice at once', async () => {
    const source = new HeldSource();
    const beat = new PeriodicExpert({ source, everyS: 1, waitMs: 1 });
    await expect(beat.probabilities(at(1), items, never)).resolves.toEqual(new Map());
    await expect(beat.probabilities(at(2), items, never)).resolves.toEqual(new Map());
    expect(source.asked).toEqual([1]);
    expect(beat.stats()).toMatchObject({ asked: 1, skipped: 1 });
  });

  it('uses a late answer for the next forecast, but none that is too old', async () => {
    const source = new HeldSource();
    const beat = new PeriodicExpert({ source, everyS: 10, staleAfterS: 2, waitMs: 1 });
    await beat.probabilities(at(1), items, never);
    source.give(0.4);
    await Promise.resolve();
    await expect(beat.probabilities(at(2), items, never)).resolves.toEqual(new Map([[key, 0.4]]));
    await expect(beat.probabilities(at(4), items, never)).resolves.toEqual(new Map());
  });

  it('drops and counts an answer that no forecast can use any more', async () => {
    const source = new HeldSource();
    const beat = new PeriodicExpert({ source, everyS: 10, staleAfterS: 2, waitMs: 1 });
    await beat.probabilities(at(1), items, never);
    await beat.probabilities(at(4), items, never);
    source.give(0.4);
    await expect(beat.probabilities(at(4.1), items, never)).resolves.toEqual(new Map());
    expect(beat.stats().stale).toBe(1);
  });

  it('passes a failure on once, then asks again', async () => {
    const source = new HeldSource();
    const beat = new PeriodicExpert({ source, everyS: 1, waitMs: 60_000 });
    const failed = beat.probabilities(at(1), items, never);
    source.fail('no memory');
    await expect(failed).rejects.toMatchObject({ code: 'backend_failed', message: 'no memory' });
    const next = beat.probabilities(at(2), items, never);
    source.give(0.2);
    await expect(next).resolves.toEqual(new Map([[key, 0.2]]));
  });

  it('ends its waiting with the signal', async () => {
    const source = new HeldSource();
    const abort = new AbortController();
    const said = new PeriodicExpert({ source, waitMs: 60_000 }).probabilities(at(1), items, abort.signal);
    abort.abort();
    await expect(said).resolves.toEqual(new Map());
  });

  it('begins anew when the time does', async () => {
    const source = new HeldSource();
    const beat = new PeriodicExpert({ source, everyS: 2, waitMs: 60_000 });
    const first = beat.probabilities(at(100), items, never);
    source.give(0.7);
    await first;
    const again = beat.probabilities(at(1), items, never);
    source.give(0.1);
    await expect(again).resolves.toEqual(new Map([[key, 0.1]]));
  });
});
