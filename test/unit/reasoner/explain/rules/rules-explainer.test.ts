import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../../src/core/clock.js';
import { explanationSchema, type Explanation } from '../../../../../src/core/messages.js';
import { EVENT_TYPES } from '../../../../../src/core/ontology.js';
import type { MemorySnapshot } from '../../../../../src/core/memory.js';
import { MAX_STEPS } from '../../../../../src/reasoner/explain/rules/chain.js';
import { RulesExplainer } from '../../../../../src/reasoner/explain/rules/rules-explainer.js';
import { Verifier } from '../../../../../src/reasoner/explain/verify/verifier.js';
import { eventById, pushedRow, snapshotOf } from '../../../../support/reasoner/snapshots.js';
import { randomScene } from '../../../../support/reasoner/scenes.js';

const explainer = new RulesExplainer({ clock: new VirtualClock() });

function explain(snapshot: MemorySnapshot, id: string): Explanation | undefined {
  return explainer.explainNow(eventById(snapshot, id), snapshot);
}

const relations = (explanation: Explanation | undefined): string[] =>
  (explanation?.chain ?? []).map(({ relation, events }) => `${events.join()} ${relation}`);

describe('an explanation by rules', () => {
  it('leads from the first contact over the motion it caused to the second contact', () => {
    const explanation = explain(pushedRow(), 'e4');
    expect(relations(explanation)).toEqual(['e1 enables', 'e2 pushes', 'e4 outcome']);
    expect(explanation?.text).toBe(
      'cube #2 collided with cube #3. 2.0 s before that, ball #1 collided with cube #2 and changed the motion of #2. ' +
        '1.5 s before that, ball #1 entered, which made it possible. Without #1 it would probably not have happened.',
    );
  });

  it('shows the boxes of memory as evidence of each step', () => {
    const step = explain(pushedRow(), 'e4')?.chain[1];
    expect(step).toMatchObject({ objects: ['o1', 'o2'], from: 2, to: 2 });
    expect(step?.evidence).toEqual([
      { t: 2, box: [140 / 480, 140 / 320, 40 / 480, 40 / 320] },
      { t: 2, box: [180 / 480, 140 / 320, 40 / 480, 40 / 320] },
    ]);
  });

  it('says what a standing object would have done without its cause', () => {
    expect(explain(pushedRow(), 'e4')?.causes).toEqual([
      {
        object: 'o1',
        probability: 0.9,
        counterfactual: 'Without #1, #2 would probably have kept standing and not have touched #3.',
      },
    ]);
  });

  it('explains a motion that starts after a contact by the contact', () => {
    const explanation = explain(pushedRow(), 'e3');
    expect(relations(explanation)).toEqual(['e1 enables', 'e2 pushes', 'e3 outcome']);
    expect(explanation?.causes[0]).toMatchObject({ object: 'o1' });
  });

  it('explains a stop by the one who was in the way', () => {
    const snapshot = snapshotOf(
      [
        {
          label: 'person',
          knots: [
            [0, 40, 160],
            [4, 200, 160],
            [8, 200, 160],
          ],
        },
        {
          label: 'person',
          knots: [
            [0, 400, 160],
            [4, 250, 160],
            [8, 245, 160],
          ],
        },
      ],
      [
        { type: 'approach', t: 3, of: ['o1', 'o2'] },
        { type: 'stop', t: 4, of: ['o1'] },
      ],
    );
    const explanation = explain(snapshot, 'e2');
    expect(relations(explanation)).toEqual(['e1 blocks', 'e2 outcome']);
    expect(explanation?.text).toContain('in the way of #1');
    expect(explanation?.causes.map(({ object }) => object)).toEqual(['o2']);
  });

  it('says that a cause may lie outside the view when an object came in moving', () => {
    const explanation = explain(pushedRow(), 'e2');
    expect(explanation?.text).toContain('ball #1 was already moving when it came into view');
    expect(explanation?.causes).toEqual([]);
  });

  it('says so when nothing in memory accounts for a stop', () => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [0, 10, 10],
            [5, 200, 10],
          ],
        },
      ],
      [{ type: 'stop', t: 4, of: ['o1'] }],
    );
    expect(explain(snapshot, 'e1')).toMatchObject({
      text: 'cube #1 stopped. No earlier event in memory accounts for this.',
      chain: [],
      causes: [],
      confidence: 0.1,
    });
  });

  it.each(['enter', 'appear', 'approach'] as const)('says nothing about %s', (type) => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [0, 10, 10],
            [5, 200, 10],
          ],
        },
        {
          knots: [
            [0, 50, 10],
            [5, 200, 10],
          ],
        },
      ],
      [
        { type: 'start_moving', t: 1, of: ['o1'] },
        { type, t: 2, of: ['o1', 'o2'] },
      ],
    );
    expect(explain(snapshot, 'e2')).toBeUndefined();
  });

  it('says nothing about an exit when only the entry came before it', () => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [0, 10, 10],
            [5, 200, 10],
          ],
        },
      ],
      [
        { type: 'enter', t: 0, of: ['o1'] },
        { type: 'exit', t: 3, of: ['o1'] },
      ],
    );
    expect(explain(snapshot, 'e2')).toBeUndefined();
  });

  it('does not hold a contact necessary that left the object where it was', () => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [0, 200, 160],
            [9, 200, 160],
          ],
        },
        {
          knots: [
            [0, 100, 160],
            [2, 160, 160],
            [9, 160, 160],
          ],
        },
        {
          knots: [
            [0, 460, 160],
            [4, 240, 160],
            [9, 260, 160],
          ],
        },
      ],
      [
        { type: 'collide', t: 2, of: ['o1', 'o2'] },
        { type: 'collide', t: 4, of: ['o1', 'o3'] },
      ],
    );
    expect(explain(snapshot, 'e2')?.causes.filter(({ probability }) => probability >= 0.5)).toEqual([]);
  });

  it('is the same for the same memory', () => {
    expect(explain(pushedRow(), 'e4')).toEqual(explain(pushedRow(), 'e4'));
  });

  it('gives undefined or a valid, verified explanation for every event of any scene', () => {
    const verifier = new Verifier();
    fc.assert(
      fc.property(randomScene(), (snapshot) => {
        for (const { event } of snapshot.events) {
          const explanation = explainer.explainNow(event, snapshot);
          if (explanation === undefined) continue;
          expect(explanationSchema.parse(explanation)).toEqual(explanation);
          expect(explanation.chain.length).toBeLessThanOrEqual(MAX_STEPS);
          expect(explanation.chain.at(-1)?.events ?? [event.id]).toEqual([event.id]);
          expect(verifier.verifyExplanation(explanation, snapshot).problems).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('remarks what a participant carried at the time, and verifies', () => {
    const snapshot = pushedRow();
    const carried = { kind: 'carrying', a: 'o2', b: 'o1', from: 3, to: 5, open: true } as const;
    const over = { ...carried, kind: 'following', to: 3.5, open: false } as const;
    const related = { ...snapshot, relations: [carried, over] };
    const explanation = explain(related, 'e4');
    expect(explanation?.text).toContain('#2 was carrying #1 at the time.');
    expect(explanation?.text).not.toContain('following');
    expect(explanation && new Verifier().verifyExplanation(explanation, related).problems).toEqual([]);
  });

  it('knows what to do with every type of event', () => {
    for (const type of EVENT_TYPES) {
      const of = ['o1', 'o2'];
      const snapshot = snapshotOf(
        [
          {
            knots: [
              [0, 9, 9],
              [9, 99, 9],
            ],
          },
          {
            knots: [
              [0, 9, 9],
              [9, 99, 9],
            ],
          },
        ],
        [{ type, t: 1, of }],
      );
      expect(() => explain(snapshot, 'e1')).not.toThrow();
    }
  });
});
