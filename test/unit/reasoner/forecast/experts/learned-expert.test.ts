import { describe, expect, it } from 'vitest';
import type { ForecastModel, TrackTensors } from '../../../../../src/core/learned-models.js';
import type { ForecastItem } from '../../../../../src/core/messages.js';
import type { MemorySnapshot } from '../../../../../src/core/memory.js';
import { lastFrames } from '../../../../../src/reasoner/forecast/experts/limited-memory-expert.js';
import { LearnedExpert } from '../../../../../src/reasoner/forecast/experts/learned-expert.js';
import { pushedRow, snapshotOf } from '../../../../support/reasoner/snapshots.js';

const { signal } = new AbortController();

/** Says of every place of its outputs a different probability: its index / 10 000 in the first bin, the same in the last. */
function numbering(): ForecastModel & { asked: TrackTensors[] } {
  const asked: TrackTensors[] = [];
  const numbered = (places: number): Float32Array =>
    Float32Array.from({ length: places * 6 }, (_, i) =>
      i % 6 === 0 || i % 6 === 5 ? Math.floor(i / 6) / 20_000 : 0,
    );
  const close = (): Promise<void> => Promise.resolve();
  return {
    name: 'numbering@1',
    asked,
    forecast: (tracks) => {
      asked.push(tracks);
      const { count } = tracks;
      return Promise.resolve({
        single: numbered(count * 5),
        pair: numbered(count * count * 2),
        paths: new Float32Array(count * 6 * 30 * 3),
        modes: new Float32Array(count * 6),
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const item = (type: ForecastItem['type'], participants: string[], zone?: string): ForecastItem => ({
  type,
  participants,
  ...(zone !== undefined && { zone }),
  probability: 0,
});

/** So many cubes in rows; every third moves. */
function crowd(count: number): MemorySnapshot {
  const objects = Array.from({ length: count }, (_, i) => {
    const [x, y] = [20 + (i % 20) * 20, 20 + Math.floor(i / 20) * 28];
    return {
      size: 16,
      knots: [
        [0, x, y],
        [4, x + (i % 3 === 0 ? 40 : 0), y],
      ] as const,
    };
  });
  return snapshotOf(objects, [], 3.9);
}

describe('the forecaster as a source', () => {
  it('reads each item from its place in the outputs, summed over the bins', async () => {
    const said = await new LearnedExpert(numbering()).probabilities(
      pushedRow(),
      [
        item('exit', ['o1']),
        item('turn', ['o2']),
        item('loiter', ['o3']),
        item('meet', ['o2', 'o3']),
        item('collide', ['o3', 'o1']),
      ],
      signal,
    );
    expect([...said].map(([key, p]) => [key, Math.round(p * 10_000)])).toEqual([
      ['exit|o1|', 0],
      ['turn|o2|', 1 * 5 + 3],
      ['loiter|o3|', 2 * 5 + 4],
      ['meet|o2,o3|', (1 * 3 + 2) * 2],
      ['collide|o1,o3|', (2 * 3 + 0) * 2 + 1],
    ]);
  });

  it('says nothing of zones, lines, and objects that it did not see', async () => {
    const items = [
      item('zone_enter', ['o1'], 'door'),
      item('line_cross', ['o1'], 'gate'),
      item('exit', ['o9']),
      item('meet', ['o1', 'o9']),
    ];
    expect((await new LearnedExpert(numbering()).probabilities(pushedRow(), items, signal)).size).toBe(0);
  });

  it('does not ask about an empty view', async () => {
    const model = numbering();
    const said = await new LearnedExpert(model).probabilities(snapshotOf([], [], 3), [], signal);
    expect(said.size).toBe(0);
    expect(model.asked).toEqual([]);
  });

  it('shows the model 48 of 200 objects, those that move first, and leaves the others to the sampled paths', async () => {
    const model = numbering();
    const snapshot = crowd(200);
    const exits = snapshot.objects.map(({ id }) => item('exit', [id]));
    const said = await new LearnedExpert(model).probabilities(snapshot, exits, signal);
    expect(model.asked.map(({ count }) => count)).toEqual([48]);
    expect(said.size).toBe(48);
    const moving = new Set(snapshot.objects.filter((_, i) => i % 3 === 0).map(({ id }) => `exit|${id}|`));
    expect([...said.keys()].every((key) => moving.has(key))).toBe(true);
  });
});

describe('the last frames', () => {
  it('keep of an object four places a second apart and straight ways between them', () => {
    const snapshot = pushedRow();
    const thinned = lastFrames(snapshot);
    const [full, seen] = [snapshot.objects[1], thinned.objects[1]];
    const end = full?.samples.at(-1)?.t ?? 0;
    expect(seen?.samples.map(({ t }) => Math.round(t * 10)).slice(0, 2)).toEqual([
      Math.round(end * 10) - 29,
      Math.round(end * 10) - 28,
    ]);
    expect(seen?.samples.at(-1)?.box).toEqual(full?.samples.at(-1)?.box);
    const positions = seen?.samples.slice(0, 10).map(({ position: [x] }) => x) ?? [];
    const steps = positions.slice(1).map((x, i) => x - (positions[i] ?? 0));
    for (const step of steps) expect(step).toBeCloseTo(steps[0] ?? NaN, 6);
  });

  it('know no events, no history, and nobody who left', () => {
    const thinned = lastFrames(pushedRow());
    expect([thinned.events, thinned.departed, thinned.relations, thinned.scenes]).toEqual([[], [], [], []]);
    for (const { firstSeen, trail } of thinned.objects) {
      expect(firstSeen).toBeGreaterThanOrEqual(thinned.t - 3);
      expect(trail).toEqual([]);
    }
  });
});
