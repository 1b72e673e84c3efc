import { symlink, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VisualTokens } from '../../../src/core/learned-models.js';
import { bundledModelsDir } from '../../../src/model/runtime/manifest.js';
import { tempFolder } from '../transport/temp-folder.js';

/** The models that the tests of the language model load: those that come with Presage, or other weights of one's own. */
export function languageModelsDir(): string {
  return process.env['PRESAGE_TEST_MODELS'] ?? bundledModelsDir();
}

/** These models with one file that is not what it should be; removed after the running test. */
export async function damagedModels(file: string): Promise<string> {
  const folder = tempFolder();
  const files = await readdir(languageModelsDir());
  const others = files.filter((name) => name !== file);
  await Promise.all(others.map((name) => symlink(join(languageModelsDir(), name), join(folder, name))));
  await writeFile(join(folder, file), 'no weights');
  return folder;
}

/** Two things on their way, with looks and a clip, all by arithmetic. `shift` moves them. */
export function movingPair(shift = 0): VisualTokens {
  const [count, steps] = [2, 30];
  const boxes = new Float32Array(count * steps * 4);
  for (let row = 0; row < count; row++)
    for (let k = 0; k < steps; k++)
      boxes.set([0.2 + row + shift + 0.01 * k, 0.5, 0.1, 0.2], (row * steps + k) * 4);
  const seen = new Float32Array(count * steps).fill(1);
  const ages = Float32Array.of(4, 5);
  const tracks = { count, steps, boxes, seen, kinds: [0, 3], ages, aspect: 4 / 3 };
  const wave = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i) / 16);
  return {
    tracks,
    slots: [0, 1],
    appearances: wave(count * 256),
    scenes: [{ ageS: 0.5, embedding: wave(256) }],
  };
}
