import { describe, expect, it } from 'vitest';
import {
  MIN_REPORTED,
  necessaryObjects,
  type Necessity,
} from '../../../../../src/reasoner/explain/causes/causes.js';
import { EventGraph } from '../../../../../src/reasoner/explain/rules/event-graph.js';
import { MemoryIndex } from '../../../../../src/reasoner/explain/memory-index.js';
import type { MemorySnapshot } from '../../../../../src/core/memory.js';
import { eventById, snapshotOf, type ScriptedObject } from '../../../../support/reasoner/snapshots.js';

function causesOf(snapshot: MemorySnapshot, id: string): readonly Necessity[] {
  const event = eventById(snapshot, id);
  return necessaryObjects(new EventGraph(new MemoryIndex(snapshot, event)), event);
}

/** A row in which each body drives the next one: o1 → o2 → o3 → o4. */
const row: readonly ScriptedObject[] = [
  {
    knots: [
      [0, 20, 160],
      [1, 100, 160],
      [9, 100, 160],
    ],
  },
  {
    knots: [
      [0, 140, 160],
      [1, 140, 160],
      [3, 220, 160],
      [9, 220, 160],
    ],
  },
  {
    knots: [
      [0, 260, 160],
      [3, 260, 160],
      [5, 340, 160],
      [9, 340, 160],
    ],
  },
  {
    knots: [
      [0, 380, 160],
      [5, 380, 160],
      [9, 440, 160],
    ],
  },
];
const contacts = [
  { type: 'collide', t: 1, of: ['o1', 'o2'] },
  { type: 'collide', t: 3, of: ['o2', 'o3'] },
  { type: 'collide', t: 5, of: ['o3', 'o4'] },
] as const;

describe('necessary objects', () => {
  it('are found along a row of contacts, the nearest most probable', () => {
    const causes = causesOf(snapshotOf(row, contacts), 'e3');
    expect(causes.map(({ object }) => object)).toEqual(['o2', 'o1']);
    expect(causes[0]?.probability).toBeGreaterThan(causes[1]?.probability ?? 1);
    expect(causes[1]?.probability).toBeGreaterThan(0.5);
  });

  it('never include a participant of the event, even when it acted twice', () => {
    const snapshot = snapshotOf(row, [...contacts, { type: 'collide', t: 6, of: ['o2', 'o3'] }]);
    for (const id of ['e1', 'e2', 'e3', 'e4']) {
      const own = eventById(snapshot, id).participants.map((participant) => participant.id);
      expect(causesOf(snapshot, id).map(({ object }) => object)).not.toEqual(
        expect.arrayContaining([own[0]]),
      );
      expect(causesOf(snapshot, id).map(({ object }) => object)).not.toEqual(
        expect.arrayContaining([own[1]]),
      );
    }
  });

  it('do not include an object whose contact came later', () => {
    expect(causesOf(snapshotOf(row, contacts), 'e1')).toEqual([]);
  });

  it('rest on a prior that fades with time where memory has no path', () => {
    const without = (t: number): MemorySnapshot => {
      const snapshot = snapshotOf(row, [
        { type: 'collide', t: 1, of: ['o1', 'o2'] },
        { type: 'collide', t, of: ['o2', 'o3'] },
      ]);
      return { ...snapshot, objects: snapshot.objects.map((object) => ({ ...object, samples: [] })) };
    };
    const [soon, late] = [causesOf(without(2), 'e2')[0], causesOf(without(6), 'e2')[0]];
    expect(soon?.object).toBe('o1');
    expect(soon?.probability).toBeGreaterThan(0.65);
    expect(late?.probability).toBeLessThan(soon?.probability ?? 0);
    expect(causesOf(without(12), 'e2')).toEqual([]);
  });

  it('are told only when they are likely enough', () => {
    const doubtful = snapshotOf(row, [{ ...contacts[0], confidence: 0.1 }, contacts[1]]);
    expect(causesOf(doubtful, 'e2').every(({ probability }) => probability >= MIN_REPORTED)).toBe(true);
    expect(causesOf(doubtful, 'e2')).toEqual([]);
  });
});
