import { describe, expect, it } from 'vitest';
import { RecordQueries } from '../../../src/core/records/query.js';
import type { Relation } from '../../../src/core/records/records.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { expand, perceptsOf, TrueTracker, type KnotTrack } from '../../support/tracks.js';

const FRAME = { width: 960, height: 540, fps: 10 };

/** Relations after hand-drawn exact tracks have been processed to their end. */
function relationsOf(tracks: KnotTrack[], end: number): readonly Relation[] {
  const tracker = new TrueTracker(expand({ ...FRAME, end, tracks }));
  const memory = new ObjectMemory(tracker, { tracks: 'exact' });
  for (const percept of perceptsOf({ ...FRAME, end })) memory.update(percept);
  return memory.records().relations;
}

function person(id: string, ...knots: KnotTrack['knots'][number][]): KnotTrack {
  return { id, label: 'person', knots };
}

function of(relations: readonly Relation[], kind: Relation['kind']): Relation[] {
  return relations.filter((relation) => relation.kind === kind);
}

describe('relations between objects', () => {
  it('are near and touching as intervals, and moving towards before that', () => {
    const relations = relationsOf(
      [
        person(
          'o1',
          [0, 100, 400, 40, 100],
          [5, 440, 400, 40, 100],
          [8, 440, 400, 40, 100],
          [13, 100, 400, 40, 100],
        ),
        person('o2', [0, 480, 400, 40, 100], [13, 480, 400, 40, 100]),
      ],
      13,
    );
    const [near] = of(relations, 'near');
    // 0.7 heights = 70 px are reached at 4.56 s; 120 px are passed at 9.18 s.
    expect(near).toMatchObject({ a: 'o1', b: 'o2', open: false });
    expect(near?.from).toBeCloseTo(4.6, 1);
    expect(near?.to).toBeCloseTo(9.2, 1);
    const [towards] = of(relations, 'moving-towards');
    expect(of(relations, 'moving-towards')).toHaveLength(1);
    expect(towards).toMatchObject({ a: 'o1', b: 'o2' });
    // 3 s before the closest approach at 5.6 s at that speed.
    expect(towards?.from).toBeCloseTo(2.6, 1);
    const [touching] = of(relations, 'touching');
    expect(touching?.from).toBeGreaterThan(near?.from ?? 0);
    expect(touching?.to).toBeLessThan(near?.to ?? 0);
  });

  it('do not flicker where the distance wobbles around the threshold', () => {
    const still = person('o2', [0, 480, 400, 40, 100], [10, 480, 400, 40, 100]);
    const wobbling = {
      ...person('o1', [0, 410, 400, 40, 100], [10, 410, 400, 40, 100]),
      wobble: [14, 5, 0, 0] as const,
    };
    expect(of(relationsOf([wobbling, still], 10), 'near').length).toBeLessThanOrEqual(1);
  });

  it('contain the follower and the followed, and none between people who walk side by side', () => {
    const behind = relationsOf(
      [
        person('o1', [0, 100, 400, 40, 100], [9, 640, 400, 40, 100]),
        person('o2', [0, 260, 400, 40, 100], [9, 800, 400, 40, 100]),
      ],
      9,
    );
    expect(of(behind, 'following')).toMatchObject([{ a: 'o1', b: 'o2', open: true }]);
    expect(of(behind, 'following')[0]?.from).toBeLessThan(1);
    const sideBySide = relationsOf(
      [
        person('o1', [0, 100, 300, 40, 100], [9, 640, 300, 40, 100]),
        person('o2', [0, 100, 420, 40, 100], [9, 640, 420, 40, 100]),
      ],
      9,
    );
    expect(of(sideBySide, 'following')).toEqual([]);
  });

  it('contain the carried thing, from when it moves along until it is left', () => {
    const relations = relationsOf(
      [
        person(
          'o1',
          [0, 200, 400, 50, 120],
          [2, 300, 400, 50, 120],
          [6, 500, 400, 50, 120],
          [9, 700, 400, 50, 120],
        ),
        {
          id: 'o2',
          label: 'backpack',
          knots: [
            [0, 310, 380, 24, 24],
            [2.2, 310, 380, 24, 24],
            [6, 500, 380, 24, 24],
            [9, 500, 380, 24, 24],
          ],
        },
      ],
      9,
    );
    const [carrying] = of(relations, 'carrying');
    expect(carrying).toMatchObject({ a: 'o1', b: 'o2', open: false });
    expect(carrying?.from).toBeGreaterThan(2);
    expect(carrying?.to).toBeLessThan(7.5);
    const queries = new RecordQueries({
      objects: [],
      events: [],
      relations,
      episodes: [],
      places: { zones: {}, lines: {} },
    });
    expect(queries.relations({ kinds: ['carrying'], b: 'o2' })).toHaveLength(1);
  });

  it('end with the stay of an object', () => {
    const relations = relationsOf(
      [
        { ...person('o1', [0, 440, 400, 40, 100], [4, 440, 400, 40, 100]) },
        person('o2', [0, 480, 400, 40, 100], [9, 480, 400, 40, 100]),
      ],
      9,
    );
    expect(of(relations, 'near')).toMatchObject([{ from: 0, to: 4, open: false }]);
  });
});
