import { describe, expect, it } from 'vitest';
import { TokenTree } from '../../../../src/model/language/token-tree.js';

describe('TokenTree', () => {
  it('shares the common beginning of sequences', () => {
    const tree = new TokenTree();
    const ends = [
      [1, 2, 3],
      [1, 2, 4],
      [1, 2, 3],
    ].map((sequence) => tree.add(sequence));
    expect(tree.tokens).toEqual([1, 2, 3, 4]);
    expect(ends).toEqual([2, 3, 2]);
    expect(tree.missing([1, 2, 5, 6])).toBe(2);
    expect(tree.missing([1, 2])).toBe(0);
  });

  it('gives siblings the same position and no attention to each other', () => {
    const tree = new TokenTree();
    tree.add([1, 2]);
    tree.add([1, 3]);
    expect([...tree.positions(10)]).toEqual([10n, 11n, 11n]);
    const no = -10_000;
    // Two rows of context, then 1, 2 and 3.
    expect([...tree.bias(2)]).toEqual([0, 0, 0, no, no, 0, 0, 0, 0, no, 0, 0, 0, no, 0]);
  });

  it('adds sequences after a node', () => {
    const tree = new TokenTree();
    const root = tree.add([7, 8]);
    tree.add([9], root);
    expect([...tree.positions(0)]).toEqual([0n, 1n, 2n]);
    expect([...tree.bias(0)].filter((value) => value === 0)).toHaveLength(1 + 2 + 3);
  });
});
