import { describe, expect, it } from 'vitest';
import type { ForecastItem } from '../../../../../src/core/messages.js';
import { itemKey } from '../../../../../src/reasoner/forecast/learning.js';
import { LanguageExpert } from '../../../../../src/reasoner/forecast/experts/language-expert.js';
import { FULL_VIEW } from '../../../../../src/reasoner/language/moment-prompt.js';
import { ScriptedLanguage } from '../../../../support/reasoner/scripted-language.js';
import { pushedRow, snapshotOf } from '../../../../support/reasoner/snapshots.js';

const item = (type: ForecastItem['type'], participants: string[], probability = 0.1): ForecastItem => ({
  type,
  participants,
  probability,
});

describe('LanguageExpert', () => {
  it('says the mean of the digits for each item', async () => {
    const model = new ScriptedLanguage({ digit: (text) => (text.startsWith('collide') ? 9 : 1) });
    const snapshot = pushedRow();
    const said = await new LanguageExpert(model, FULL_VIEW).probabilities(snapshot, [
      item('exit', ['o3']),
      item('collide', ['o3', 'o2']),
    ]);
    expect(said.get(itemKey('exit', ['o3'], undefined))).toBeCloseTo(0.02, 6);
    expect(said.get(itemKey('collide', ['o3', 'o2'], undefined))).toBeCloseTo(0.97, 6);
    expect(model.prompts[0]).toMatch(/^objects\n#1 .*\nnext\n$/s);
  });

  it('asks about the likeliest items that it can name, at most 32', async () => {
    const model = new ScriptedLanguage();
    const still = { knots: [[0, 100, 160] as const, [20, 100, 160] as const] };
    const snapshot = snapshotOf(Array<typeof still>(200).fill(still), [], 8);
    const items = Array.from({ length: 200 }, (_, i) => item('exit', [`o${i + 1}`], i / 200));
    const pairs = Array.from({ length: 40 }, (_, i) => item('meet', ['o1', `o${(i % 11) + 2}`], i / 80));
    const said = await new LanguageExpert(model, FULL_VIEW).probabilities(snapshot, [...items, ...pairs]);
    expect(model.continuations[0]).toHaveLength(32);
    expect(model.continuations[0]?.[0]).toBe('meet #1 #8 ');
    expect([...said.keys()].every((key) => !key.includes('o13'))).toBe(true);
  });

  it('does not ask where there is nothing to ask', async () => {
    const model = new ScriptedLanguage();
    const source = new LanguageExpert(model, FULL_VIEW);
    await expect(source.probabilities(snapshotOf([], [], 5), [])).resolves.toEqual(new Map());
    await expect(
      source.probabilities(pushedRow(), [{ ...item('zone_enter', ['o2']), zone: 'nowhere' }]),
    ).resolves.toEqual(new Map());
    expect(model.prompts).toEqual([]);
  });

  it('rejects what is no distribution', async () => {
    const model = Object.assign(new ScriptedLanguage(), {
      scoreDigits: () => Promise.resolve(new Float32Array(10)),
    });
    await expect(
      new LanguageExpert(model, FULL_VIEW).probabilities(pushedRow(), [item('exit', ['o3'])]),
    ).rejects.toMatchObject({ code: 'backend_failed' });
  });
});
