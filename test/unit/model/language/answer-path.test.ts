import { describe, expect, it } from 'vitest';
import type { AnswerGrammar } from '../../../../src/core/learned-models.js';
import { AnswerPath, DivergingNodes } from '../../../../src/model/language/answer-path.js';
import { TokenTree } from '../../../../src/model/language/token-tree.js';

/** One token per character. */
const encode = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0) - 97);

function logits(values: Readonly<Record<string, number>>): Float32Array {
  const row = new Float32Array(26);
  for (const [letter, value] of Object.entries(values)) row[letter.charCodeAt(0) - 97] = value;
  return row;
}

describe('AnswerPath', () => {
  const grammar: AnswerGrammar = {
    start: 0,
    states: [
      [{ text: 'a', to: 1 }],
      [{ text: 'b', to: 2 }],
      [
        { text: 'cd', to: 3 },
        { text: 'ce', to: 3 },
      ],
      [{ text: 'f', to: 4 }],
      [],
    ],
  };

  it('appends determined pieces and stops only at branches', () => {
    const path = new AnswerPath(grammar, encode);
    const branch = path.next() ?? expect.fail();
    expect(branch).toEqual({ forced: encode('ab'), pieces: [encode('cd'), encode('ce')] });
    expect(path.choose(branch, [-2, -0.5])).toEqual(encode('ce'));
    expect(path.next()).toBeUndefined();
    expect(path.answer()).toEqual({ text: 'abcef', logProbability: -0.5 });
  });

  it('rejects logits that are not finite', () => {
    const path = new AnswerPath(grammar, encode);
    const branch = path.next() ?? expect.fail();
    expect(() => path.choose(branch, [NaN, NaN])).toThrow(
      expect.objectContaining({ code: 'inference_failed' }),
    );
  });

  it('rejects a grammar that lacks a state', () => {
    const path = new AnswerPath({ start: 0, states: [[{ text: 'a', to: 7 }]] }, encode);
    expect(() => path.next()).toThrow(/no state 7/);
  });
});

describe('DivergingNodes', () => {
  it('runs only the tokens that distinguish the pieces', () => {
    const tree = new TokenTree();
    const root = tree.add(encode('z'));
    const diverging = new DivergingNodes([encode('abx'), encode('aby'), encode('acz')], tree, root);
    // The pieces diverge after `za` and after `zab`; their last letters need not be run.
    expect(tree.tokens).toEqual(encode('zab'));
    expect(diverging.nodes).toEqual([1, 2]);
  });

  it('returns the probability of each piece among all of them', () => {
    const tree = new TokenTree();
    const root = tree.add(encode('z'));
    const diverging = new DivergingNodes([encode('abx'), encode('aby'), encode('acz')], tree, root);
    // P(b) = 1/4 of b and c; of it P(x) = 2/3. The token q is not allowed and does not count.
    const logProbabilities = diverging.logProbabilities([
      logits({ b: 0, c: Math.log(3), q: 50 }),
      logits({ x: Math.log(2), y: 0 }),
    ]);
    expect(logProbabilities.map(Math.exp)).toEqual([
      expect.closeTo(1 / 6, 5),
      expect.closeTo(1 / 12, 5),
      expect.closeTo(3 / 4, 5),
    ]);
  });
});
