import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReasonerModels } from '../../../../src/service/reasoner-models.js';
import type { ForecastItem } from '../../../../src/core/messages.js';
import type { MemorySnapshot } from '../../../../src/core/memory.js';
import type { LanguageThread } from '../../../../src/model/language/language-thread.js';
import { openLanguageModel } from '../../../../src/model/language/open-language-model.js';
import { RulesExplainer } from '../../../../src/reasoner/explain/rules/rules-explainer.js';
import { createLanguageBackend } from '../../../../src/reasoner/language-backend.js';
import { Verifier } from '../../../../src/reasoner/explain/verify/verifier.js';
import { damagedModels, languageModelsDir } from '../../../support/language/language.js';
import { eventById, pushedRow, snapshotOf } from '../../../support/reasoner/snapshots.js';

const signal = new AbortController().signal;
let model: LanguageThread;
beforeAll(async () => {
  model = await openLanguageModel({ modelsDir: languageModelsDir() });
});
afterAll(() => model.close());

/** Objects that stand in rows, each after a turn. */
function crowd(count: number): MemorySnapshot {
  const objects = Array.from({ length: count }, (_, i) => {
    const [x, y] = [20 + (i % 20) * 22, 20 + Math.floor(i / 20) * 28];
    return { size: 16, knots: [[0, x, y] as const, [9, x + 5, y] as const] };
  });
  const turns = objects.map((_, i) => ({ type: 'turn' as const, t: 5 + (i % 30) / 10, of: [`o${i + 1}`] }));
  return snapshotOf(objects, turns, 9);
}

describe('the language model as an expert of the reasoner', () => {
  it.each(['full', 'no-objects', 'no-fusion'] as const)(
    'gives explanations that the verifier accepts and that cite only memory, %s',
    async (variant) => {
      const snapshot = pushedRow();
      const explainer = createLanguageBackend(model, variant, { live: false }).explainer(
        new RulesExplainer(),
        true,
      );
      const explanation = (await explainer.explain(eventById(snapshot, 'e4'), snapshot)) ?? expect.fail();
      expect(explanation.by).toMatchObject({ backend: 'fused', model: model.name });
      expect(new Verifier().verifyExplanation(explanation, snapshot)).toEqual({ ok: true, problems: [] });
      expect(explanation.chain.at(-1)?.relation ?? 'outcome').toBe('outcome');
      for (const { probability } of explanation.causes) expect(probability).toBeLessThan(1);
    },
  );

  it.each<[string, MemorySnapshot]>([
    ['no objects', snapshotOf([], [], 5)],
    [
      'one object and no events',
      snapshotOf(
        [
          {
            knots: [
              [0, 20, 160],
              [5, 90, 160],
            ],
          },
        ],
        [],
        5,
      ),
    ],
    ['200 objects', crowd(200)],
  ])('gives probabilities with %s', async (_, snapshot) => {
    const { source } = createLanguageBackend(model, 'full', { live: false });
    const items = snapshot.objects.map(({ id }): ForecastItem => ({
      type: 'exit',
      participants: [id],
      probability: 0.1,
    }));
    const probabilities = await source.probabilities(snapshot, items, signal);
    expect(probabilities.size).toBe(Math.min(snapshot.objects.length, 12));
    for (const probability of probabilities.values()) {
      expect(probability).toBeGreaterThan(0);
      expect(probability).toBeLessThan(1);
    }
  });

  it('gives the same digits after any earlier request', async () => {
    const { source } = createLanguageBackend(model, 'full', { live: false });
    const items: ForecastItem[] = [{ type: 'collide', participants: ['o2', 'o3'], probability: 0.1 }];
    const first = await source.probabilities(pushedRow(), items, signal);
    await source.probabilities(crowd(5), [{ type: 'exit', participants: ['o1'], probability: 0.1 }], signal);
    expect(await source.probabilities(pushedRow(), items, signal)).toEqual(first);
    // With keys and values of the same moment.
    expect(await source.probabilities(pushedRow(), items, signal)).toEqual(first);
  });
});

describe('damaged weights of the language model', () => {
  it.each([
    ['both', 'forecaster'],
    ['fused', 'rules'],
  ] as const)('reduce "%s" to "%s", and the reason is reported', async (configured, mode) => {
    const modelsDir = await damagedModels('language.onnx');
    await using opened = await ReasonerModels.open({ mode: configured, modelsDir });
    expect(opened.mode).toBe(mode);
    expect(opened.problem).toMatchObject({ code: 'model_hash_mismatch' });
    expect(opened.details()['reasonerProblem']).toContain(`continues as "${mode}"`);
  });
});
