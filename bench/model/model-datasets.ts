import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Perception, PerceptionInfo } from '../../src/core/percept.js';
import { loadRecording, perceive, saveRecording, type Recording } from '../replay/recording.js';
import type { Truth } from '../support/scorer.js';
import type { TemporaryFolder } from '../support/temporary-folder.js';
import { readScenes, type World } from '../worlds/scenes.js';

/** Recordings that are scored as one. */
export interface Dataset {
  readonly title: string;
  readonly truth: Truth;
  /** Whether the truth of necessary causes is known. */
  readonly causes: boolean;
  /** File name of a result, without `.jsonl`; the truth of a folder has these names. */
  readonly names: readonly string[];
  /** Percepts of one of them. */
  readonly load: (name: string) => Promise<Recording>;
}

/** Perception of simulated tracks: there is none. */
const NO_PERCEPTION: PerceptionInfo = {
  ...{ model: 'none: simulated tracks', sha256: '', device: 'none', workers: 0 },
  canvas: [0, 0],
};

const WORLD_TITLES: Readonly<Record<World, string>> = {
  tabletop: 'simulated table tops',
  street: 'simulated streets',
};

/** A recording of a street and simulated scenes of bodies that collide, where the folder has them. */
export async function sharedDatasets(
  shared: string,
  sets: readonly string[],
  percepts: string,
  openPerception: () => Promise<Perception>,
): Promise<Dataset[]> {
  const load = (folder: string, extension: string) => async (name: string) => {
    const saved = path.join(percepts, `${path.basename(folder)}-${name}.percepts.jsonl`);
    if (existsSync(saved)) return loadRecording(saved);
    const recording = await perceive(path.join(folder, `${name}${extension}`), await openPerception());
    await saveRecording(saved, recording);
    return recording;
  };
  await mkdir(percepts, { recursive: true });
  const [physics, pets] = ['physics-dev', 'pets'].map((name) => {
    const data = path.join(shared, 'data', name);
    return sets.includes(name) && existsSync(data) ? data : undefined;
  });
  const datasets: Dataset[] = [];
  if (physics !== undefined) {
    const videos = (await readdir(physics)).filter((name) => name.endsWith('.mp4')).toSorted();
    datasets.push({
      title: `physics-dev (${videos.length} scenes, from pixels, \`--contacts\`)`,
      truth: { path: physics, args: ['--contacts'] },
      causes: true,
      names: videos.map((name) => name.replace(/\.mp4$/, '')),
      load: load(physics, '.mp4'),
    });
  }
  if (pets !== undefined) {
    const args = ['--width', '768', '--height', '576', '--fps', '10'];
    datasets.push({
      title: 'PETS 2009 S2.L1 (from pixels; only people are annotated)',
      truth: { path: path.join(pets, 'gt.txt'), args },
      causes: false,
      names: ['vtest'],
      load: load(pets, '.avi'),
    });
  }
  return datasets;
}

/** Simulated tracks as an imperfect detector sees them (`python -m training.data tracks`), one dataset a world. */
export async function worldDatasets(
  shards: string,
  scenes: number,
  folder: TemporaryFolder,
): Promise<Dataset[]> {
  const all = await readScenes(shards, scenes);
  const datasets: Dataset[] = [];
  for (const [world, title] of Object.entries(WORLD_TITLES)) {
    const own = all.filter((scene) => scene.world === world);
    if (own.length === 0) continue;
    const truth = folder.file(`truth-${world}`);
    await mkdir(truth);
    for (const scene of own)
      await writeFile(path.join(truth, `${scene.name}.json`), JSON.stringify(scene.truth));
    const byName = new Map(own.map(({ name, percepts, truth: { fps } }) => [name, { fps, percepts }]));
    datasets.push({
      title: `${title} (${own.length} scenes of tracks with a tracker's noise)`,
      truth: { path: truth, args: ['--contacts'] },
      causes: true,
      names: [...byName.keys()],
      load: (name) => {
        const found = byName.get(name);
        if (!found) return Promise.reject(new Error(`there is no scene ${name}`));
        return Promise.resolve({ info: NO_PERCEPTION, ...found });
      },
    });
  }
  return datasets;
}
