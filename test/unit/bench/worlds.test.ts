import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readNpz } from '../../../bench/worlds/npz.js';
import { readScenes } from '../../../bench/worlds/scenes.js';

/** Made by `test/support/vectors/make-scene-shard.py`: a table top and a street, 4 steps, aspect 1.5. */
const FOLDER = fileURLToPath(new URL('../../fixtures/worlds', import.meta.url));

describe('readNpz', () => {
  it('reads shapes and numbers as NumPy wrote them', async () => {
    const arrays = await readNpz(join(FOLDER, 'tracks-00000.npz'));
    expect(arrays.get('boxes')?.shape).toEqual([2, 4, 3, 4]);
    expect([...Array.from(arrays.get('boxes')?.values ?? []).slice(0, 4)]).toEqual([0.25, 0.5, 0.125, 0.25]);
    expect(Array.from(arrays.get('kind')?.values ?? [])).toEqual([3, 3, -1, 0, 1, -1]);
    expect(Array.from(arrays.get('ev_t')?.values ?? [])).toEqual([0, 0.25, 0.125]);
    expect(Array.from(arrays.get('ev_scene')?.values ?? [])).toEqual([0, 0, 1]);
  });

  it('says so when the file is of another form', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'presage-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'x.npz'), 'no archive at all, but long enough to be one');
    await expect(readNpz(join(folder, 'x.npz'))).rejects.toThrow('is no .npz file');
  });
});

describe('readScenes', () => {
  it('shows a detector what was seen, clipped to the frame', async () => {
    const [table] = await readScenes(FOLDER, 10);
    expect(table?.percepts.map(({ t }) => t)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(table?.percepts.map(({ detections }) => detections.length)).toEqual([2, 2, 1, 2]);
    const [ball, cube] = table?.percepts[0]?.detections ?? [];
    expect(ball).toEqual({
      ...{ label: 'object', origin: 'motion', score: 0.8 },
      box: [0.25 / 1.5, 0.5, 0.125 / 1.5, 0.25].map((value) => expect.closeTo(value, 6) as number),
    });
    // It reaches over the right edge of the frame, which is 1.5 frame heights wide.
    expect((cube?.box[0] ?? 0) + (cube?.box[2] ?? 0)).toBeCloseTo(1, 6);
    expect(cube?.box[2]).toBeCloseTo(0.125 / 1.5, 6);
  });

  it('gives labels that the detector knows as such', async () => {
    const scenes = await readScenes(FOLDER, 10);
    expect(scenes.map(({ world }) => world)).toEqual(['tabletop', 'street']);
    expect(scenes[1]?.percepts[0]?.detections.map(({ label, origin }) => [label, origin])).toEqual([
      ['person', undefined],
      ['car', undefined],
    ]);
  });

  it('tells contacts and their necessary causes in the form of the evaluation', async () => {
    const [table, street] = await readScenes(FOLDER, 10);
    expect(table?.truth.objects).toEqual([
      { id: 0, shape: 'ball' },
      { id: 1, shape: 'cube' },
    ]);
    expect(table?.truth.events).toEqual([{ type: 'collision', objects: [0, 1], t: 0.25 }]);
    expect(table?.truth.causes).toEqual([{ event: 0, necessary: [] }]);
    expect(street?.truth.events).toEqual([{ type: 'collision', objects: [1, 0], t: 0.125 }]);
    expect(Object.keys(table?.truth.boxes['3'] ?? {})).toEqual(['0']);
    expect(table?.truth.boxes['0']?.['1']).toEqual([660, 120, 120, 240]);
  });

  it('takes as many scenes of each world as asked for', async () => {
    expect(await readScenes(FOLDER, 1)).toHaveLength(2);
    await expect(readScenes(tmpdir(), 1)).rejects.toThrow('no tracks-*.npz');
  });
});
