import { describe, expect, it } from 'vitest';
import { MemoryIndex } from '../../../../src/reasoner/explain/memory-index.js';
import { eventById, pushedRow, snapshotOf } from '../../../support/reasoner/snapshots.js';

describe('the index of memory', () => {
  const snapshot = pushedRow();
  const index = new MemoryIndex(snapshot);

  it('finds events by id and by participant', () => {
    expect(index.event('e2')).toBe(eventById(snapshot, 'e2'));
    expect(index.event('e9')).toBeUndefined();
    expect(index.eventsOf('o2').map(({ id }) => id)).toEqual(['e2', 'e3', 'e4']);
  });

  it('knows an event that memory no longer holds when it is given', () => {
    const event = { ...eventById(snapshot, 'e4'), id: 'e99' };
    expect(new MemoryIndex(snapshot, event).event('e99')).toBe(event);
  });

  it('reads a box between two samples', () => {
    const found = index.boxAt('o1', 1.25);
    expect(found?.source).toBe('sample');
    expect((found?.box[0] ?? 0) * 480).toBeCloseTo(90 - 20, 6);
  });

  it('takes the box of an event at its moment', () => {
    expect(index.boxAt('o2', 2)?.source).toBe('event');
  });

  it('reads the thinned trail before the samples', () => {
    const [first, ...rest] = snapshot.objects;
    if (first === undefined) throw new Error('no object');
    const trail = [
      { t: 1, box: [0.1, 0.5, 0.1, 0.1] as const },
      { t: 3, box: [0.3, 0.5, 0.1, 0.1] as const },
    ];
    const thinned = { ...first, samples: first.samples.filter(({ t }) => t >= 4), trail };
    const found = new MemoryIndex({ ...snapshot, events: [], objects: [thinned, ...rest] }).boxAt(
      first.id,
      1.5,
    );
    expect(found?.source).toBe('trail');
    expect(found?.box[0]).toBeCloseTo(0.15, 9);
  });

  it('has no box for a time before an object was seen', () => {
    expect(index.boxAt('o1', 0.2)).toBeUndefined();
    expect(index.boxAt('o7', 1)).toBeUndefined();
  });

  it('finds departed objects and their view', () => {
    const left = new MemoryIndex(
      snapshotOf(
        [
          {
            knots: [
              [0, 9, 9],
              [2, 99, 9],
            ],
          },
        ],
        [{ type: 'exit', t: 2, of: ['o1'] }],
        9,
      ),
    );
    expect(left.knows('o1')).toBe(true);
    expect(left.label('o1')).toBe('cube');
    expect(left.wasInView('o1', 1, 1.5, 0)).toBe(true);
    expect(left.wasInView('o1', 5, 6, 0)).toBe(false);
  });
});
