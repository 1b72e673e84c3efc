import fc from 'fast-check';
import { EVENT_TYPES } from '../../../src/core/ontology.js';
import type { MemorySnapshot } from '../../../src/core/memory.js';
import { snapshotOf, type ScriptedEvent, type ScriptedObject } from './snapshots.js';

const PAIRS = new Set(['meet', 'separate', 'approach', 'collide', 'follow', 'pick_up', 'put_down']);

/** Memory of a random scene: two to five objects, up to fourteen events among them within 9 s. */
export function randomScene(): fc.Arbitrary<MemorySnapshot> {
  const coordinate = fc.integer({ min: 30, max: 290 });
  const object = fc
    .tuple(
      fc.integer({ min: 0, max: 20 }),
      fc.array(fc.tuple(coordinate, coordinate), { minLength: 2, maxLength: 5 }),
    )
    .map(([start, points]): ScriptedObject => {
      const step = (10 - start / 10) / (points.length - 1);
      return { knots: points.map(([x, y], at) => [start / 10 + at * step, x, y] as const) };
    });
  const event = fc.tuple(
    fc.constantFrom(...EVENT_TYPES),
    fc.integer({ min: 20, max: 90 }),
    fc.nat(),
    fc.nat(),
  );
  return fc
    .tuple(fc.array(object, { minLength: 2, maxLength: 5 }), fc.array(event, { minLength: 1, maxLength: 14 }))
    .map(([objects, events]) => {
      const scripted = events.map(([type, t, a, b]): ScriptedEvent => {
        const first = a % objects.length;
        const second = (first + 1 + (b % (objects.length - 1))) % objects.length;
        const of = PAIRS.has(type) ? [`o${first + 1}`, `o${second + 1}`] : [`o${first + 1}`];
        return { type, t: t / 10, of };
      });
      return snapshotOf(
        objects,
        scripted.sort((one, other) => one.t - other.t),
        9.9,
      );
    });
}
