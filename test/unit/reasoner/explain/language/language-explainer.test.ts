import { describe, expect, it } from 'vitest';
import type { LanguageModel } from '../../../../../src/core/learned-models.js';
import { RulesExplainer } from '../../../../../src/reasoner/explain/rules/rules-explainer.js';
import {
  LanguageExplainer,
  type LanguageExplainerOptions,
} from '../../../../../src/reasoner/explain/language/language-explainer.js';
import { FULL_VIEW } from '../../../../../src/reasoner/language/moment-prompt.js';
import { Verifier } from '../../../../../src/reasoner/explain/verify/verifier.js';
import { ScriptedLanguage } from '../../../../support/reasoner/scripted-language.js';
import { eventById, pushedRow, snapshotOf } from '../../../../support/reasoner/snapshots.js';

function explainer(model: LanguageModel, more: Partial<LanguageExplainerOptions> = {}): LanguageExplainer {
  return new LanguageExplainer({
    model,
    base: new RulesExplainer(),
    view: FULL_VIEW,
    causeWeight: 1,
    minConfidence: 0,
    ...more,
  });
}

/** Takes the given lines where they are allowed, else ends the chain. */
const saying =
  (...lines: string[]) =>
  (texts: readonly string[]): string =>
    lines.find((line) => texts.includes(line)) ?? texts.find((text) => text.endsWith('outcome\n')) ?? '';

describe('LanguageExplainer', () => {
  it('tells the chain and the causes that the model chose, in words of memory', async () => {
    const snapshot = pushedRow();
    const model = new ScriptedLanguage({
      piece: saying('e2 pushes\n'),
      digit: (text) => (text === 'needs #3 ' ? 9 : 0),
    });
    const explanation =
      (await explainer(model).explain(eventById(snapshot, 'e4'), snapshot)) ?? expect.fail();
    expect(explanation.chain.map(({ events, relation }) => [events, relation])).toEqual([
      [['e2'], 'pushes'],
      [['e4'], 'outcome'],
    ]);
    expect(explanation.causes).toHaveLength(1);
    expect(explanation.causes[0]).toMatchObject({ object: 'o1', probability: 0.97 });
    expect(explanation.causes[0]?.counterfactual).toBe(
      'Without #1, #2 would probably have kept standing and not have touched #3.',
    );
    expect(explanation.text).toContain('Without #1 it would probably not have happened.');
    expect(explanation.by).toMatchObject({ backend: 'fused', model: 'scripted@1' });
    expect(new Verifier().verifyExplanation(explanation, snapshot).ok).toBe(true);
    expect(model.prompts.map((prompt) => prompt.split('\n').at(-2))).toEqual(['chain e4', 'why e4']);
  });

  it('is as sure of a chain as the model, within what boxes allow', async () => {
    const snapshot = pushedRow();
    const event = eventById(snapshot, 'e4');
    const sure = {
      name: 'sure',
      complete: () => Promise.resolve({ text: 'e2 pushes\ne4 outcome\n', logProbability: 0 }),
    };
    const explanation = await explainer(Object.assign(new ScriptedLanguage(), sure)).explain(event, snapshot);
    expect(explanation?.confidence).toBe(0.9);
  });

  it('takes the chain of the base where the model is not sure', async () => {
    const snapshot = pushedRow();
    const event = eventById(snapshot, 'e4');
    const unsure = (logProbability: number): ScriptedLanguage =>
      Object.assign(new ScriptedLanguage(), {
        complete: () => Promise.resolve({ text: 'e4 outcome\n', logProbability }),
      });
    const byRules = (await new RulesExplainer().explain(event, snapshot))?.chain;
    expect(byRules).not.toEqual([]);
    const taken = await explainer(unsure(Math.log(0.4)), { minConfidence: 0.5 }).explain(event, snapshot);
    expect(taken?.chain).toEqual(byRules);
    const kept = await explainer(unsure(Math.log(0.6)), { minConfidence: 0.5 }).explain(event, snapshot);
    expect(kept?.chain).toEqual([]);
  });

  it('pools what the model and the base say of causes', async () => {
    const snapshot = pushedRow();
    const event = eventById(snapshot, 'e4');
    const [base] = (await new RulesExplainer().explain(event, snapshot))?.causes ?? [];
    const low = new ScriptedLanguage({ piece: saying('e2 pushes\n'), digit: () => 0 });
    const [pooled] = (await explainer(low, { causeWeight: 0.3 }).explain(event, snapshot))?.causes ?? [];
    expect(pooled?.object).toBe('o1');
    expect(pooled?.probability).toBeLessThan(base?.probability ?? 0);
    expect((await explainer(low, { causeWeight: 1 }).explain(event, snapshot))?.causes).toEqual([]);
  });

  it('says that what set a thing in motion may lie outside the view', async () => {
    const snapshot = snapshotOf(
      [
        {
          label: 'ball',
          knots: [
            [1, 20, 160],
            [3, 200, 160],
          ],
        },
        {
          knots: [
            [0, 240, 160],
            [4, 240, 160],
          ],
        },
      ],
      [{ type: 'collide', t: 3, of: ['o1', 'o2'] }],
      4,
    );
    const explanation = await explainer(new ScriptedLanguage()).explain(eventById(snapshot, 'e1'), snapshot);
    expect(explanation?.chain).toEqual([]);
    expect(explanation?.text).toContain('may lie outside the view');
  });

  it('does not ask about an event that is not explained, nor about what cannot have been a cause', async () => {
    const model = new ScriptedLanguage();
    const snapshot = pushedRow();
    await expect(explainer(model).explain(eventById(snapshot, 'e1'), snapshot)).resolves.toBeUndefined();
    expect(model.prompts).toEqual([]);
    // o3 comes after the event.
    const later = snapshotOf(
      [
        {
          knots: [
            [0, 100, 160],
            [9, 100, 160],
          ],
        },
        {
          knots: [
            [0, 200, 160],
            [9, 200, 160],
          ],
        },
        {
          knots: [
            [5, 300, 160],
            [9, 300, 160],
          ],
        },
      ],
      [{ type: 'stop', t: 4, of: ['o1'] }],
      9,
    );
    await explainer(model).explain(eventById(later, 'e1'), later);
    expect(model.continuations).toEqual([['needs #2 ']]);
  });

  it.each<[string, Partial<LanguageModel>]>([
    [
      'a text that the grammar does not allow',
      { complete: () => Promise.resolve({ text: 'e7 eats\n', logProbability: -1 }) },
    ],
    [
      'a probability above 1',
      { complete: () => Promise.resolve({ text: 'e4 outcome\n', logProbability: 3 }) },
    ],
    ['no number', { complete: () => Promise.resolve({ text: 'e4 outcome\n', logProbability: NaN }) }],
    ['distributions of NaN', { scoreDigits: () => Promise.resolve(new Float32Array(20).fill(NaN)) }],
    ['too few distributions', { scoreDigits: () => Promise.resolve(new Float32Array(3)) }],
  ])('rejects %s as a failure of the backend', async (_, nonsense) => {
    const snapshot = pushedRow();
    const model = Object.assign(new ScriptedLanguage(), nonsense);
    await expect(explainer(model).explain(eventById(snapshot, 'e4'), snapshot)).rejects.toMatchObject({
      code: 'backend_failed',
    });
  });

  it('gives up with the signal', async () => {
    const reason = new Error('closed');
    const abort = new AbortController();
    const model = new ScriptedLanguage({ gate: () => new Promise(() => undefined) });
    const snapshot = pushedRow();
    const explained = explainer(model).explain(eventById(snapshot, 'e4'), snapshot, abort.signal);
    abort.abort(reason);
    await expect(explained).rejects.toBe(reason);
  });

  it('gives up when it takes too long', async () => {
    const model = new ScriptedLanguage({ gate: () => new Promise(() => undefined) });
    const snapshot = pushedRow();
    await expect(
      explainer(model, { limitMs: 1 }).explain(eventById(snapshot, 'e4'), snapshot),
    ).rejects.toMatchObject({
      code: 'backend_failed',
      retryable: true,
    });
  });
});
