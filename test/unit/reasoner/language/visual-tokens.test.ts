import { describe, expect, it } from 'vitest';
import { visualTokens } from '../../../../src/reasoner/language/visual-tokens.js';
import { snapshotOf } from '../../../support/reasoner/snapshots.js';

const still = { knots: [[0, 100, 160] as const, [20, 100, 160] as const] };
const gone = { knots: [[0, 100, 100] as const, [6.5, 100, 100] as const] };
const embedding = Float32Array.from({ length: 128 }, (_, i) => i + 1);
const view = { appearances: true, scenes: true };

describe('visualTokens', () => {
  it('gives objects of the prompt their slots, then others in view', () => {
    const visual = visualTokens(snapshotOf([still, still, gone, still], [], 8), ['o3', 'o9', 'o2'], view);
    expect(visual?.tracks.count).toBe(4);
    expect(visual?.slots).toEqual([0, 2, 3, 4]);
  });

  it('takes the embeddings of objects, filled up with 0', () => {
    const snapshot = snapshotOf([still, still], [], 8);
    const objects = snapshot.objects.map((record) =>
      record.id === 'o2' ? { ...record, embedding } : record,
    );
    const visual = visualTokens({ ...snapshot, objects }, ['o1', 'o2'], view) ?? expect.fail();
    expect(visual.appearances).toHaveLength(512);
    expect(visual.appearances.subarray(0, 256).every((value) => value === 0)).toBe(true);
    expect([...visual.appearances.subarray(256, 384)]).toEqual([...embedding]);
    expect(visual.appearances.subarray(384).every((value) => value === 0)).toBe(true);
    const blind = visualTokens({ ...snapshot, objects }, ['o1', 'o2'], { ...view, appearances: false });
    expect(blind?.appearances.every((value) => value === 0)).toBe(true);
  });

  it('takes the newest clips with their age, or none', () => {
    const clips = Array.from({ length: 30 }, (_, i) => ({
      t: i / 4,
      embedding: new Float32Array(256).fill(i),
    }));
    const snapshot = { ...snapshotOf([still], [], 8), scenes: clips };
    const visual = visualTokens(snapshot, ['o1'], view);
    expect(visual?.scenes).toHaveLength(24);
    expect(visual?.scenes.at(-1)?.ageS).toBeCloseTo(0.75, 6);
    expect(visual?.scenes.at(-1)?.embedding[0]).toBe(29);
    expect(visualTokens(snapshot, ['o1'], { ...view, scenes: false })?.scenes).toEqual([]);
  });

  it('is undefined where nothing was in view lately', () => {
    expect(visualTokens(snapshotOf([], [], 8), [], view)).toBeUndefined();
    expect(visualTokens(snapshotOf([gone], [], 15), ['o1'], view)).toBeUndefined();
  });

  it('is bounded with 200 objects', () => {
    const visual = visualTokens(
      snapshotOf(Array<typeof still>(200).fill(still), [], 8),
      ['o7', 'o150'],
      view,
    );
    expect(visual?.tracks.count).toBe(48);
    expect(visual?.slots).toEqual(Array.from({ length: 48 }, (_, i) => i));
  });
});
