import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Box } from '../../../src/core/maths/box.js';
import type { Percept } from '../../../src/core/percept.js';

/** Truth of a simulated scene as `training.worlds.pixels.tabletop` writes it; boxes in px by frame and id. */
export interface SceneTruth {
  readonly seed: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly boxes: Readonly<Record<string, Readonly<Record<string, Box>>>>;
  readonly events: readonly {
    readonly type: string;
    readonly objects: readonly number[];
    readonly t: number;
  }[];
}

/** Paths of the scenes of a folder, by seed. */
export async function scenePaths(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^s\d+\.json$/.test(name));
  return names.sort((a, b) => seedOf(a) - seedOf(b)).map((name) => join(folder, name));
}

export async function readScene(path: string): Promise<SceneTruth> {
  const truth = JSON.parse(await readFile(path, 'utf8')) as Omit<SceneTruth, 'seed'>;
  return {
    ...truth,
    seed: seedOf(basename(path)),
    frames: Math.max(...Object.keys(truth.boxes).map(Number)) + 1,
  };
}

/** Percepts of a scene that `perceive.ts` has written. */
export async function readPercepts(path: string): Promise<Percept[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Percept);
}

function seedOf(name: string): number {
  return Number(/s(\d+)/.exec(name)?.[1]);
}
