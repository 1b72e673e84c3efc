import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { VisualTokens } from '../../../../src/core/learned-models.js';
import { FusionCore } from '../../../../src/model/language/fusion-core.js';
import type { LanguageThread } from '../../../../src/model/language/language-thread.js';
import { openLanguageModel } from '../../../../src/model/language/open-language-model.js';
import { bundledModelsDir } from '../../../../src/model/runtime/manifest.js';

/** Results of PyTorch with the weights before quantisation: `python -m training.export.language.parity record`. */
const numbers = z.array(z.number());
const axis = z.number().int().min(0).max(255);
const schema = z.object({
  visual: z.object({
    count: z.number(),
    steps: z.number(),
    boxes: numbers,
    seen: numbers,
    kinds: numbers,
    ages: numbers,
    aspect: z.number(),
    slots: numbers,
    looks: z.array(z.object({ object: z.number(), axis })),
    clips: z.array(z.object({ ageS: z.number(), axis })),
  }),
  /** The first values of each vector of the prefix. */
  prefix: z.array(numbers),
  cases: z.array(
    z.object({ prompt: z.string(), continuations: z.array(z.string()), digits: z.array(numbers) }),
  ),
});
type Expected = z.infer<typeof schema>;

/** Maximum differences through int8 weights: of a value of the prefix, and of a share of a digit. */
const PREFIX_TOLERANCE = 0.08;
const SHARE_TOLERANCE = 0.05;
const TOKEN = 256;

function oneHot(at: number): Float32Array {
  const token = new Float32Array(TOKEN);
  token[at] = 1;
  return token;
}

function visualOf({ visual }: Expected): VisualTokens {
  const { count, steps, aspect, kinds, slots } = visual;
  const looks = new Float32Array(count * TOKEN);
  for (const look of visual.looks) looks[look.object * TOKEN + look.axis] = 1;
  return {
    tracks: {
      count,
      steps,
      aspect,
      kinds,
      boxes: Float32Array.from(visual.boxes),
      seen: Float32Array.from(visual.seen),
      ages: Float32Array.from(visual.ages),
    },
    slots,
    appearances: looks,
    scenes: visual.clips.map((clip) => ({ ageS: clip.ageS, embedding: oneHot(clip.axis) })),
  };
}

function largestGap(values: readonly number[], expected: readonly number[]): number {
  expect(values).toHaveLength(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - (values[i] ?? NaN))));
}

let expected: Expected;
let model: LanguageThread;
beforeAll(async () => {
  expected = schema.parse(
    JSON.parse(await readFile(new URL('../../../fixtures/fused/parity.json', import.meta.url), 'utf8')),
  );
  model = await openLanguageModel();
});
afterAll(() => model.close());

describe('the bundled fused model', () => {
  it('computes the prefix of PyTorch', async () => {
    await using core = await FusionCore.open(join(bundledModelsDir(), 'fusion.onnx'), 1);
    const prefix = await core.prefix(visualOf(expected));
    const width = prefix.length / expected.prefix.length;
    const values = expected.prefix.flatMap((row, i) => [
      ...prefix.subarray(i * width, i * width + row.length),
    ]);
    expect(largestGap(values, expected.prefix.flat())).toBeLessThan(PREFIX_TOLERANCE);
  });

  it('computes the probabilities of PyTorch', async () => {
    for (const { prompt, continuations, digits } of expected.cases) {
      const values = await model.scoreDigits({ visual: visualOf(expected), prompt }, continuations);
      expect(largestGap([...values], digits.flat())).toBeLessThan(SHARE_TOLERANCE);
    }
  });
});
