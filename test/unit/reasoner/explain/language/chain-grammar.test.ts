import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerGrammar } from '../../../../../src/core/learned-models.js';
import type { MemorySnapshot } from '../../../../../src/core/memory.js';
import { MAX_STEPS } from '../../../../../src/reasoner/explain/rules/chain.js';
import { EventGraph } from '../../../../../src/reasoner/explain/rules/event-graph.js';
import { MemoryIndex } from '../../../../../src/reasoner/explain/memory-index.js';
import { CAUSAL_RELATIONS } from '../../../../../src/reasoner/explain/rules/relations.js';
import { ChainGrammar } from '../../../../../src/reasoner/explain/language/chain-grammar.js';
import { randomScene } from '../../../../support/reasoner/scenes.js';
import { eventById, pushedRow, snapshotOf } from '../../../../support/reasoner/snapshots.js';

function grammarOf(snapshot: MemorySnapshot, id: string): ChainGrammar {
  const event = eventById(snapshot, id);
  const numbers = new Map(snapshot.events.map((one, i) => [one.event.id, `e${i + 1}`]));
  return new ChainGrammar(new EventGraph(new MemoryIndex(snapshot, event)), event, numbers);
}

/** Some texts that a grammar allows: `choose` picks an edge of each state. */
function walk({ start, states }: AnswerGrammar, choose: (edges: number) => number): string {
  let text = '';
  for (let edges = states[start] ?? []; edges.length > 0;) {
    const edge = edges[choose(edges.length) % edges.length];
    if (!edge) break;
    text += edge.text;
    edges = states[edge.to] ?? [];
  }
  return text;
}

describe('ChainGrammar', () => {
  it('allows the chain of pushes and nothing but what memory links', () => {
    const chains = grammarOf(pushedRow(), 'e4');
    const [start] = [chains.grammar.states[chains.grammar.start] ?? []];
    expect(start.map(({ text }) => text)).toContain('e4 outcome\n');
    expect(start.map(({ text }) => text)).toContain('e2 pushes\n');
    const links = chains.linksOf('e2 pushes\ne4 outcome\n');
    expect(links?.map(({ cause, effect }) => [cause.id, effect.id])).toEqual([['e2', 'e4']]);
  });

  it.each([
    '',
    'e4 outcome',
    'e2 blocks\ne4 outcome\n',
    'e9 pushes\ne4 outcome\n',
    'e2 pushes\n',
    'e2 pushes\ne3 outcome\n',
  ])('reads no chain from %j', (text) => {
    expect(grammarOf(pushedRow(), 'e4').linksOf(text)).toBeUndefined();
  });

  it('is not open where nothing came before', () => {
    const chains = grammarOf(
      snapshotOf(
        [
          {
            knots: [
              [0, 20, 160],
              [5, 20, 160],
            ],
          },
        ],
        [{ type: 'stop', t: 2, of: ['o1'] }],
      ),
      'e1',
    );
    expect(chains.isOpen).toBe(false);
    expect(walk(chains.grammar, () => 0)).toBe('e1 outcome\n');
  });

  it('offers no event that is not listed', () => {
    const snapshot = pushedRow();
    const event = eventById(snapshot, 'e4');
    const chains = new ChainGrammar(
      new EventGraph(new MemoryIndex(snapshot, event)),
      event,
      new Map([['e4', 'e1']]),
    );
    expect(chains.isOpen).toBe(false);
  });

  it('allows only chains of existing events in order of time that end with the outcome', () => {
    fc.assert(
      fc.property(
        randomScene(),
        fc.nat(),
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        (snapshot, which, choices) => {
          const { event } = snapshot.events[which % snapshot.events.length] ?? expect.fail();
          const chains = grammarOf(snapshot, event.id);
          const left = [...choices];
          const text = walk(chains.grammar, () => left.pop() ?? 0);
          const links = chains.linksOf(text) ?? expect.fail();
          expect(links.length).toBeLessThan(MAX_STEPS);
          links.forEach((link, i) => {
            expect(link.cause.t).toBeLessThanOrEqual(link.effect.t);
            expect(link.effect.id).toBe(links[i + 1]?.cause.id ?? event.id);
            expect(CAUSAL_RELATIONS).toContain(link.rule.relation);
          });
          expect(text.split('\n').length - 2).toBe(links.length);
        },
      ),
    );
  });

  it('has no piece that is the beginning of another of the same state', () => {
    fc.assert(
      fc.property(randomScene(), (snapshot) => {
        const { event } = snapshot.events.at(-1) ?? expect.fail();
        for (const edges of grammarOf(snapshot, event.id).grammar.states) {
          for (const [i, a] of edges.entries())
            for (const [j, b] of edges.entries()) expect(i !== j && b.text.startsWith(a.text)).toBe(false);
        }
      }),
      { numRuns: 50 },
    );
  });
});
