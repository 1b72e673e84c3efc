import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresageError } from '../../../src/core/errors.js';
import type { MemoryUpdate } from '../../../src/core/memory.js';
import type { Percept } from '../../../src/core/percept.js';
import { ObjectMemory, type ObjectMemoryOptions } from '../../../src/memory/object-memory.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import { Crowd } from '../../support/reasoner/crowd.js';

const PLACES = {
  zones: {
    door: [
      [0.2, 0.2],
      [0.6, 0.2],
      [0.6, 0.9],
      [0.2, 0.9],
    ],
  },
  lines: {
    gate: [
      [0.5, 0],
      [0.5, 1],
    ],
  },
} as const;
const OPTIONS: ObjectMemoryOptions = { places: PLACES, loiterS: 4 };
const PERCEPTS = 300;

function create(options: ObjectMemoryOptions = OPTIONS): ObjectMemory {
  return new ObjectMemory(new Tracker(), options);
}

function percepts(seed: number, n = PERCEPTS): Percept[] {
  const crowd = new Crowd({ seed, people: 9, embeddingLength: 16 });
  return Array.from({ length: n }, () => crowd.next());
}

/** All values of an update in plain form. */
function plain({ snapshot, events, episodes }: MemoryUpdate): unknown {
  const { places, ...rest } = snapshot;
  const exposure = [places.exposureS, places.exposureAt([0.5, 0.5]), places.rateAt('meet', [0.4, 0.6])];
  return { ...rest, exposure, events, episodes };
}

/** Like `toEqual`, but fast where the values are equal: snapshots are large. */
function expectEqual(a: unknown, b: unknown): void {
  if (!isDeepStrictEqual(a, b)) expect(a).toStrictEqual(b);
}

/** A store: keeps the state as JSON and applies the changes of each second. */
class Store {
  pieces: Record<string, string> = {};

  write(memory: ObjectMemory): number {
    const { whole, put, removed } = memory.saveChanges();
    if (whole) this.pieces = {};
    let bytes = 0;
    for (const [name, piece] of Object.entries(put)) {
      const text = JSON.stringify(piece);
      this.pieces[name] = text;
      bytes += text.length;
    }
    for (const name of removed) Reflect.deleteProperty(this.pieces, name);
    return bytes;
  }

  read(): unknown {
    return Object.fromEntries(
      Object.entries(this.pieces).map(([name, text]) => [name, JSON.parse(text) as unknown]),
    );
  }
}

describe('a memory that is restored', () => {
  it('continues identically to one that never stopped, wherever it was saved', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.uniqueArray(fc.integer({ min: 1, max: PERCEPTS - 2 }), { minLength: 1, maxLength: 4 }),
        (seed, cuts) => {
          const all = percepts(seed);
          const whole = create();
          let cut = create();
          const store = new Store();
          all.forEach((percept, i) => {
            const expected = plain(whole.update(percept));
            expectEqual(plain(cut.update(percept)), expected);
            if (i % 10 === 0) store.write(cut);
            if (!cuts.includes(i)) return;
            store.write(cut);
            cut = create();
            cut.restoreState(store.read());
          });
          expectEqual(cut.records(), whole.records());
          expect(cut.dump()).toEqual(whole.dump());
          expect(cut.finish(PERCEPTS / 10)).toEqual(whole.finish(PERCEPTS / 10));
        },
      ),
      { numRuns: 4, seed: 7 },
    );
  });

  it('keeps its bounds across an interruption and a change of size', () => {
    const all = percepts(3, 260);
    const [whole, cut] = [create(), create()];
    for (const memory of [whole, cut]) {
      for (const percept of all.slice(0, 120)) memory.update(percept);
      memory.interrupt(12);
    }
    const restored = create();
    restored.restoreState(JSON.parse(JSON.stringify(cut.saveState())));
    for (const percept of all.slice(140)) {
      const scaled = percept.index > 200 ? { ...percept, width: 640, height: 480 } : percept;
      expectEqual(plain(restored.update(scaled)), plain(whole.update(scaled)));
    }
  });

  it('gives the same state whether it is saved whole or by its changes', () => {
    const memory = create();
    const store = new Store();
    for (const percept of percepts(11)) {
      memory.update(percept);
      if (percept.index % 10 === 9) store.write(memory);
    }
    store.write(memory);
    const [a, b] = [create(), create()];
    a.restoreState(store.read());
    b.restoreState(JSON.parse(JSON.stringify(memory.saveState())));
    expectEqual(a.records(), b.records());
    expectEqual(a.records(), memory.records());
  });

  it.each([
    ['nothing', undefined],
    ['text', 'memory'],
    ['no head', { 'object/o1': {} }],
    ['another version', { memory: { version: 99 } }],
  ])('rejects %s and stays unchanged', (_, state) => {
    const memory = create();
    for (const percept of percepts(5, 40)) memory.update(percept);
    const before = memory.records();
    expect(() => memory.restoreState(state)).toThrow(PresageError);
    expect(memory.records()).toEqual(before);
  });

  it('rejects a state of other settings and one that lacks a piece', () => {
    const memory = create();
    for (const percept of percepts(5, 60)) memory.update(percept);
    const state = JSON.parse(JSON.stringify(memory.saveState())) as Record<string, unknown>;
    expect(() => create({ ...OPTIONS, loiterS: 5 }).restoreState(state)).toThrow(/other settings/);
    const lacking = Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('object/')));
    expect(() => create().restoreState(lacking)).toThrow(/unknown form/);
  });

  it('restores a state of other zones, and continues with the current ones', () => {
    const before = create();
    const all = percepts(5, 120);
    for (const percept of all.slice(0, 60)) before.update(percept);
    const state: unknown = JSON.parse(JSON.stringify(before.saveState()));
    const moved = { zones: { street: PLACES.zones.door }, lines: {} };
    const after = create({ ...OPTIONS, places: moved });
    after.restoreState(state);
    expect(after.records().objects).toEqual(before.records().objects);
    // Compares with a memory whose zones are changed while it runs.
    before.places = moved;
    const emitted = all.slice(60).map((percept) => after.update(percept));
    expect(all.slice(60).map((percept) => plain(before.update(percept)))).toEqual(emitted.map(plain));
    const zones = emitted.flatMap(({ events }) => events.map(({ event }) => event.zone));
    expect(new Set(zones.filter((zone) => zone !== undefined))).toEqual(new Set(['street']));
  });
});

describe('zones that change while a memory runs', () => {
  const run = (change?: ObjectMemoryOptions['places']): MemoryUpdate[] => {
    const memory = create();
    return percepts(5, 200).map((percept, i) => {
      if (i === 100 && change) memory.places = change;
      return memory.update(percept);
    });
  };
  const zonesOf = (updates: MemoryUpdate[]): (string | undefined)[] =>
    updates.flatMap(({ events }) => events.map(({ event }) => event.zone));

  it('change nothing where they stay the same', () => {
    expectEqual(run(structuredClone(PLACES)).map(plain), run().map(plain));
  });

  it('leave everything else unchanged: objects keep their ids, and events of new zones begin', () => {
    const as = (name: string): ObjectMemoryOptions['places'] => ({
      zones: { [name]: PLACES.zones.door },
      lines: PLACES.lines,
    });
    const changed = run(as('porch'));
    const same = run();
    const others = (updates: MemoryUpdate[]): unknown =>
      updates.map(({ events }) =>
        events.filter(({ event }) => event.zone === undefined).map(({ event }) => [event.type, event.t]),
      );
    expect(others(changed)).toEqual(others(same));
    expect(changed.at(-1)?.snapshot.objects.map(({ id }) => id)).toEqual(
      same.at(-1)?.snapshot.objects.map(({ id }) => id),
    );
    expect(zonesOf(changed.slice(0, 100))).not.toContain('porch');
    expect(zonesOf(changed.slice(100))).toContain('porch');
    expect(zonesOf(changed.slice(100))).not.toContain('door');
    // An object that was inside when the zone was created has not entered it.
    expect(zonesOf(changed.slice(100, 103))).not.toContain('porch');
  });
});
