import type { VisualTokens } from '../../src/core/learned.js';
import { bundledModelsDir } from '../../src/model/manifest.js';

/** The models that the tests of the language model load: those that come with Presage, or other weights of one's own. */
export function languageModelsDir(): string {
  return process.env['PRESAGE_TEST_MODELS'] ?? bundledModelsDir();
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
  return { tracks, slots: [0, 1], looks: wave(count * 256), clips: [{ ageS: 0.5, token: wave(256) }] };
}
