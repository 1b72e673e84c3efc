import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.js';
import type { Draft } from '../../../src/core/messages.js';
import type { MemoryUpdate } from '../../../src/core/memory.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import { createReasoner } from '../../../src/reasoner/create-reasoner.js';
import type { StreamReasoner } from '../../../src/reasoner/reasoner.js';
import { Crowd } from '../../support/reasoner/crowd.js';

function reasoner(state?: unknown): StreamReasoner {
  const made = createReasoner('rules', { clock: new VirtualClock(), state });
  if (!made) throw new Error('no reasoner');
  return made;
}

/** What memory made of a minute of a simulated street. */
function updates(seed: number, seconds: number): MemoryUpdate[] {
  const crowd = new Crowd({ seed, people: 7, embeddingLength: 8 });
  const memory = new ObjectMemory(new Tracker(), {
    places: {
      zones: {},
      lines: {
        gate: [
          [0.5, 0],
          [0.5, 1],
        ],
      },
    },
  });
  return Array.from({ length: seconds * 10 }, () => memory.update(crowd.next()));
}

describe('a reasoner that is restored', () => {
  it(
    'states the same forecasts, predictions, resolutions and scores as one that never stopped',
    { timeout: 60_000 },
    () => {
      const all = updates(21, 40);
      const whole = reasoner();
      let cut = reasoner();
      const kinds = new Set<Draft['kind']>();
      all.forEach((update, i) => {
        const expected = whole.step(update);
        const told = cut.step(update);
        if (!isDeepStrictEqual(told, expected)) expect(told, `at percept ${i}`).toStrictEqual(expected);
        for (const { kind } of expected) kinds.add(kind);
        if ([57, 133, 134, 250, 361].includes(i)) cut = reasoner(JSON.parse(JSON.stringify(cut.saveState())));
      });
      expect(cut.finish(40)).toStrictEqual(whole.finish(40));
      expect([...kinds].sort()).toEqual([
        'explanation.created',
        'forecast.updated',
        'prediction.created',
        'prediction.resolved',
        'prediction.updated',
        'scorecard.updated',
      ]);
    },
  );

  it('begins afresh from a state of another form', () => {
    const fresh = reasoner({ version: 1, nextExplanation: 5, desk: { version: 1 } });
    const [update] = updates(3, 1);
    expect(update && fresh.step(update)).toEqual(update && reasoner().step(update));
  });
});
