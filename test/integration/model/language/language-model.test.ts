import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerGrammar, LanguageRequest } from '../../../../src/core/learned-models.js';
import { Decoder } from '../../../../src/model/language/decoder.js';
import { EmbeddingTable, WIDTH } from '../../../../src/model/language/embedding-table.js';
import { FusionCore, PREFIX_ROWS } from '../../../../src/model/language/fusion-core.js';
import { emptyCache } from '../../../../src/model/language/key-value-cache.js';
import type { LanguageThread } from '../../../../src/model/language/language-thread.js';
import { openLanguageModel } from '../../../../src/model/language/open-language-model.js';
import { TextTokenizer } from '../../../../src/model/language/tokenizer.js';
import { TokenTree } from '../../../../src/model/language/token-tree.js';
import { damagedModels, languageModelsDir, movingPair } from '../../../support/language/language.js';

const PROMPT =
  'objects\n#1 person moving\n#2 ball standing\nevents\ne1 collide #1 #2 1.2\ne2 start_moving #2 1.1\n';
const CANDIDATES = ['exit #1 ', 'stop #1 ', 'collide #1 #2 ', 'collide #1 #3 ', 'meet #2 #3 '];
const modelsDir = languageModelsDir();

let model: LanguageThread;
/** The same files, to be run without the model's optimisations. */
let plain: { decoder: Decoder; fusion: FusionCore; tokenizer: TextTokenizer; embeddings: EmbeddingTable };
beforeAll(async () => {
  const path = (file: string): string => join(modelsDir, file);
  model = await openLanguageModel({ modelsDir });
  plain = {
    decoder: await Decoder.open(path('language.onnx'), 1),
    fusion: await FusionCore.open(path('fusion.onnx'), 1),
    tokenizer: await TextTokenizer.open(path('tokenizer.json')),
    embeddings: await EmbeddingTable.open(path('embeddings.bin')),
  };
});
afterAll(async () => {
  await plain.fusion.close();
  await plain.decoder.close();
  await model.close();
});

/** Logits after the last token of a text by one run over everything: without a tree, and without stored keys and values. */
async function plainLogits({ visual, prompt }: LanguageRequest, after: string): Promise<Float32Array> {
  const { decoder, fusion, tokenizer, embeddings } = plain;
  const tokens = tokenizer.encode(prompt + after);
  const before = visual ? PREFIX_ROWS : 0;
  const embedded = new Float32Array((before + tokens.length) * WIDTH);
  if (visual) embedded.set(await fusion.prefix(visual));
  embeddings.lookUp(tokens, embedded, before * WIDTH);
  const chain = new TokenTree();
  const last = chain.add(Array.from({ length: before + tokens.length }, (_, i) => i));
  const input = { embedded, positions: chain.positions(0), bias: chain.bias(0), wanted: [last] };
  const { logits } = await decoder.run({ ...input, past: emptyCache(decoder.layers) }, false);
  return logits[0] ?? expect.fail();
}

async function plainDigits(request: LanguageRequest, after: string): Promise<number[]> {
  const logits = await plainLogits(request, after);
  const { digits } = plain.tokenizer;
  const powers = digits.map((token) => Math.exp(logits[token] ?? NaN));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** Total variation of two distributions. Eight-bit matrices differ by a few hundredths between batches of one and of many rows. */
function distance(scores: Float32Array, row: number, expected: readonly number[]): number {
  return expected.reduce((sum, share, i) => sum + Math.abs((scores[row * 10 + i] ?? NaN) - share) / 2, 0);
}
const CLOSE = 0.05;

describe('the language model', () => {
  it.each([
    ['with a visual prefix', movingPair()],
    ['without one', undefined],
  ])('scores candidates in a tree as one by one %s', async (_, visual) => {
    const request = { visual, prompt: `${PROMPT}next\n` };
    const scores = await model.scoreDigits(request, CANDIDATES);
    for (const [i, candidate] of CANDIDATES.entries()) {
      const expected = await plainDigits(request, candidate);
      expect(distance(scores, i, expected)).toBeLessThan(CLOSE);
    }
  });

  it('gives the same result with and without keys and values of an earlier request', async () => {
    const visual = movingPair(0.1);
    await model.scoreDigits({ visual: movingPair(0.3), prompt: 'objects\n' }, ['exit #1 ']);
    const fresh = await model.scoreDigits({ visual, prompt: `${PROMPT}next\n` }, CANDIDATES);
    await model.scoreDigits({ visual, prompt: `${PROMPT}why e2\n` }, ['needs #1 ']);
    const before = model.stats();
    const again = await model.scoreDigits({ visual, prompt: `${PROMPT}next\n` }, CANDIDATES);
    expect(model.stats().reusedRows).toBeGreaterThan(before.reusedRows + 30);
    expect(again).toEqual(fresh);
  });

  it('uses the visual prefix', async () => {
    const prompt = `${PROMPT}next\n`;
    const one = await model.scoreDigits({ visual: movingPair(), prompt }, CANDIDATES);
    const other = await model.scoreDigits({ visual: movingPair(0.4), prompt }, CANDIDATES);
    const none = await model.scoreDigits({ visual: undefined, prompt }, CANDIDATES);
    expect(other).not.toEqual(one);
    expect(none).not.toEqual(one);
  });

  it('scores more candidates than fit into one run', async () => {
    const many = Array.from({ length: 60 }, (_, i) => `collide #${(i % 12) + 1} #${(i % 7) + 2} `);
    const scores = await model.scoreDigits({ visual: undefined, prompt: PROMPT }, many);
    for (let i = 0; i < many.length; i++) {
      const sum = scores.subarray(i * 10, i * 10 + 10).reduce((a, b) => a + b);
      expect(sum).toBeCloseTo(1, 4);
    }
    const last = await plainDigits({ visual: undefined, prompt: PROMPT }, many[59] ?? '');
    expect(distance(scores, 59, last)).toBeLessThan(CLOSE);
  });

  it('returns the most probable text that the grammar allows', async () => {
    const grammar: AnswerGrammar = {
      start: 0,
      states: [
        [
          { text: 'e1', to: 1 },
          { text: 'e2', to: 2 },
        ],
        [
          { text: ' pushes\n', to: 2 },
          { text: ' blocks\n', to: 2 },
          { text: ' enables\n', to: 2 },
        ],
        [{ text: 'e3 outcome\n', to: 3 }],
        [],
      ],
    };
    const request = { visual: movingPair(), prompt: `${PROMPT}chain e3\n` };
    const { text, logProbability } = await model.complete(request, grammar);
    const { tokenizer } = plain;
    const share = async (after: string, allowed: readonly string[], taken: string): Promise<number> => {
      const logits = await plainLogits(request, after);
      // The first tokens in which they differ distinguish them.
      const tokens = new Map(
        allowed.map((piece) => [
          piece,
          tokenizer
            .encode(piece)
            .find((_, i, all) =>
              allowed.every((other) => other === piece || tokenizer.encode(other)[i] !== all[i]),
            ) ?? -1,
        ]),
      );
      const value = (piece: string): number => Math.exp(logits[tokens.get(piece) ?? -1] ?? NaN);
      return value(taken) / allowed.reduce((sum, piece) => sum + value(piece), 0);
    };
    const first = await share('e', ['1', '2'], text.charAt(1));
    const verbs = [' pushes', ' blocks', ' enables'];
    const verb = verbs.find((one) => text.includes(one));
    expect(first).toBeGreaterThan(0.5 - CLOSE);
    const second = verb === undefined ? 1 : await share('e1', verbs, verb);
    expect(text).toMatch(/^(e1 (pushes|blocks|enables)\n|e2)e3 outcome\n$/);
    expect(Math.abs(Math.exp(logProbability) - first * second)).toBeLessThan(CLOSE);
  });

  it('cancels a request between two runs when it is aborted', async () => {
    const reason = new Error('aborted by the test');
    const abort = new AbortController();
    const many = Array.from({ length: 200 }, (_, i) => `collide #${(i % 12) + 1} #${i} `);
    const { aborted } = model.stats();
    const result = model.scoreDigits({ visual: movingPair(), prompt: PROMPT }, many, abort.signal);
    abort.abort(reason);
    await expect(result).rejects.toBe(reason);
    const next = model.scoreDigits({ visual: undefined, prompt: PROMPT }, ['exit #1 ']);
    await expect(next).resolves.toHaveLength(10);
    expect(model.stats().aborted).toBe(aborted + 1);
  });

  it('rejects requests beyond the limit of the queue, with a count', async () => {
    const ask = (): Promise<Float32Array> =>
      model.scoreDigits({ visual: undefined, prompt: PROMPT }, ['exit #1 ']);
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, ask));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatchObject({ reason: { code: 'overloaded', retryable: true } });
    expect(model.stats().refused).toBeGreaterThanOrEqual(3);
  });

  it.each([
    ['an empty prompt', { visual: undefined, prompt: '' }, /empty/],
    ['a prompt that is too long', { visual: undefined, prompt: PROMPT.repeat(40) }, /too long/],
  ])('refuses %s and goes on', async (_, request, message) => {
    await expect(model.scoreDigits(request, ['exit #1 '])).rejects.toMatchObject({
      code: 'inference_failed',
      message: expect.stringMatching(message) as string,
    });
    await expect(
      model.scoreDigits({ visual: undefined, prompt: PROMPT }, ['exit #1 ']),
    ).resolves.toHaveLength(10);
  });

  it('rejects a grammar that never ends', async () => {
    const circle: AnswerGrammar = { start: 0, states: [[{ text: ' pushes', to: 0 }]] };
    await expect(model.complete({ visual: undefined, prompt: PROMPT }, circle)).rejects.toMatchObject({
      code: 'inference_failed',
      message: 'the grammar never ends',
    });
  });
});

describe('openLanguageModel', () => {
  it.each(['language.onnx', 'embeddings.bin', 'tokenizer.json', 'fusion.onnx'])(
    'rejects a %s with another content',
    async (file) => {
      const folder = await damagedModels(file);
      await expect(openLanguageModel({ modelsDir: folder })).rejects.toMatchObject({
        code: 'model_hash_mismatch',
      });
    },
  );
});
