import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import { Crowd } from '../../support/reasoner/crowd.js';

/** The minimum budget, so that minutes fill it as days fill the usual one. */
const BUDGET_MB = 8;
const [FPS, PEOPLE, EMBEDDING_LENGTH] = [5, 6, 256];
/** Media time of one round, s. */
const ROUND_S = 240;
const ROUNDS = 7;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** The second collection waits for the array buffers that the first one released: they are swept in the background. */
function heapMb(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

interface Round {
  readonly heap: number;
  readonly model: number;
  readonly dump: Readonly<Record<string, number>>;
}

describe('a busy street for a long time', () => {
  it(
    'stays within its budget by the size model, which is not less than the heap',
    { timeout: 300_000 },
    () => {
      const crowd = new Crowd({ seed: 2, people: PEOPLE, fps: FPS, embeddingLength: EMBEDDING_LENGTH });
      const memory = new ObjectMemory(new Tracker(), { budgetMb: BUDGET_MB });
      const pass = (seconds: number): void => {
        for (let i = 0; i < seconds * FPS; i++) memory.update(crowd.next());
      };
      // The memory of the compiler and of the crowd itself is allocated before the first measurement.
      pass(60);
      const before = heapMb() - (memory.dump()['bytes'] ?? 0) / 1e6;
      const rounds: Round[] = [];
      for (let n = 0; n < ROUNDS; n++) {
        pass(ROUND_S);
        const dump = memory.dump();
        rounds.push({ heap: heapMb() - before, model: (dump['bytes'] ?? 0) / 1e6, dump });
      }
      const last = rounds[ROUNDS - 1]?.dump ?? {};
      expect(last['forgottenHistories']).toBeGreaterThan(0);
      for (const { heap, model, dump } of rounds) {
        expect(model).toBeLessThanOrEqual(BUDGET_MB * 1.02);
        expect(heap).toBeLessThan(model + 0.5);
        expect(dump['objects']).toBeLessThanOrEqual(3 * PEOPLE);
        expect(dump['departed']).toBeLessThanOrEqual(100);
        expect(dump['samples']).toBeLessThanOrEqual(3 * PEOPLE * 108);
      }
      // Once the budget is used up, nothing grows any more.
      const late = rounds.slice(-3).map(({ heap }) => heap);
      expect(Math.max(...late) - Math.min(...late)).toBeLessThan(1.5);
      const records = memory.records();
      expect(records.objects.length).toBe(last['histories']);
      expect(records.events.length).toBe(last['events']);
    },
  );
});
