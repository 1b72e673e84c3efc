import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../../src/core/clock.js';
import type { CauseModel, CauseQuery } from '../../../../../src/core/learned-models.js';
import { EVENT_TYPES } from '../../../../../src/core/ontology.js';
import { blendCauses } from '../../../../../src/reasoner/explain/causes/cause-blend.js';
import { causeQuery } from '../../../../../src/reasoner/explain/causes/cause-query.js';
import { LearnedExplainer } from '../../../../../src/reasoner/explain/causes/learned-explainer.js';
import { RulesExplainer } from '../../../../../src/reasoner/explain/rules/rules-explainer.js';
import { Verifier } from '../../../../../src/reasoner/explain/verify/verifier.js';
import { eventById, pushedRow, snapshotOf } from '../../../../support/reasoner/snapshots.js';

/** Holds every object necessary with the probability of its row. */
function causeModel(rows: readonly number[]): CauseModel & { asked: CauseQuery[] } {
  const asked: CauseQuery[] = [];
  const close = (): Promise<void> => Promise.resolve();
  return {
    name: 'causes@test',
    asked,
    necessary: (query) => {
      asked.push(query);
      return Promise.resolve(Float32Array.from({ length: query.tracks.count }, (_, i) => rows[i] ?? 0));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const clock = new VirtualClock();
const snapshot = pushedRow();
const lastHit = eventById(snapshot, 'e4');

describe('the question to the cause head', () => {
  it('names the event, the roles, and the newest contact of each two before it', () => {
    const asked = causeQuery(lastHit, snapshot);
    expect(asked?.ids).toEqual(['o1', 'o2', 'o3']);
    expect(asked?.query).toMatchObject({ event: EVENT_TYPES.indexOf('collide'), roles: [0, 1, 2] });
    const contacts = [...(asked?.query.contacts ?? [])];
    expect(contacts.slice(2, 4)).toEqual([1, 2]);
    expect(contacts.slice(6, 8)).toEqual([1, 2]);
    expect(contacts.filter((value) => value !== 0).length).toBe(4);
  });

  it('ends its tracks 0.4 s after the event', () => {
    const { tracks } = causeQuery(lastHit, snapshot)?.query ?? { tracks: undefined };
    expect(tracks?.steps).toBe(100);
    // o1 comes into view 0.5 s after the beginning: 4.4 s before the event's 0.4 s are over, 39 steps and its own.
    expect(tracks?.seen.slice(0, 100).filter((seen) => seen === 1).length).toBe(40);
  });

  it('keeps the participants and who collided among 200 objects', () => {
    const standing = Array.from({ length: 197 }, (_, i) => ({
      size: 8,
      knots: [
        [0, 10 + (i % 40) * 11, 200 + Math.floor(i / 40) * 20],
        [6, 10 + (i % 40) * 11, 200 + Math.floor(i / 40) * 20],
      ] as const,
    }));
    const row = [150, 200, 250].map((x) => ({ knots: [[0, x, 100] as const, [6, x + 5, 100] as const] }));
    const crowded = snapshotOf(
      [...standing, ...row],
      [
        { type: 'collide', t: 2, of: ['o198', 'o199'] },
        { type: 'collide', t: 4, of: ['o199', 'o200'] },
      ],
    );
    const asked = causeQuery(eventById(crowded, 'e2'), crowded);
    expect(asked?.ids.length).toBe(48);
    expect(asked?.ids).toEqual(expect.arrayContaining(['o198', 'o199', 'o200']));
  });
});

describe('an explanation with the cause head', () => {
  it('has the chain of the rules and blends what both hold necessary', async () => {
    const rules = new RulesExplainer({ clock }).explainNow(lastHit, snapshot);
    const explainer = new LearnedExplainer({ model: causeModel([0.9]), clock });
    const explanation = await explainer.explain(lastHit, snapshot);
    expect(explanation?.chain).toEqual(rules?.chain);
    const byRules = rules?.causes.find(({ object }) => object === 'o1')?.probability ?? NaN;
    const blended = blendCauses({ bias: 0, head: 0.5, known: 0, rules: 0.5 }, Math.fround(0.9), byRules);
    expect(explanation?.causes.map(({ object }) => object)).toEqual(['o1']);
    expect(explanation?.causes[0]?.probability).toBeCloseTo(blended, 2);
    expect(explanation?.by).toEqual({ backend: 'causes', model: 'event-graph-1+causes@test', ms: 0 });
  });

  it('tells an object that only the cause head holds necessary, in words that verify', async () => {
    const apart = snapshotOf(
      [
        {
          knots: [
            [0, 100, 100],
            [6, 110, 100],
          ],
        },
        {
          knots: [
            [0, 200, 100],
            [2, 200, 100],
            [6, 120, 100],
          ],
        },
        {
          knots: [
            [0, 300, 200],
            [6, 300, 210],
          ],
        },
      ],
      [{ type: 'collide', t: 4, of: ['o1', 'o2'] }],
    );
    const event = eventById(apart, 'e1');
    const fitted = { bias: 0, head: 1, known: 0, rules: 1 };
    const blend = { collide: fitted, other: fitted };
    const explainer = new LearnedExplainer({ model: causeModel([0.1, 0.1, 0.8]), blend, clock });
    const explanation = await explainer.explain(event, apart);
    expect(explanation?.causes).toEqual([
      { object: 'o3', probability: 0.8, counterfactual: expect.stringContaining('Without #3') as string },
    ]);
    expect(explanation?.text).toContain('it would probably not have happened without #3; no earlier event');
    expect(explanation?.text).not.toContain('accounts for this');
    expect(explanation && new Verifier().repair(explanation, apart, event).verified.problems).toEqual([]);
  });

  it('does not ask the head about events for which the rules alone were found no worse', async () => {
    const model = causeModel([0.9]);
    const rules = new RulesExplainer({ clock }).explainNow(lastHit, snapshot);
    const blend = { other: { bias: 0, head: 1, known: 0, rules: 1 } };
    const explanation = await new LearnedExplainer({ model, blend, clock }).explain(lastHit, snapshot);
    expect(explanation?.causes).toEqual(rules?.causes);
    expect(model.asked).toEqual([]);
  });

  it('never names a participant or one that came later', async () => {
    const later = snapshotOf(
      [
        {
          knots: [
            [0, 100, 100],
            [6, 110, 100],
          ],
        },
        {
          knots: [
            [0, 200, 100],
            [6, 120, 100],
          ],
        },
        {
          knots: [
            [4.2, 300, 200],
            [6, 300, 210],
          ],
        },
      ],
      [{ type: 'collide', t: 4, of: ['o1', 'o2'] }],
    );
    const explainer = new LearnedExplainer({ model: causeModel([0.9, 0.9, 0.9]), clock });
    const explanation = await explainer.explain(eventById(later, 'e1'), later);
    expect(explanation?.causes).toEqual([]);
  });

  it('leaves events that are told at once to the rules', async () => {
    const model = causeModel([0.9]);
    const scene = snapshotOf(
      [
        {
          knots: [
            [0, 100, 100],
            [6, 200, 100],
          ],
        },
      ],
      [
        { type: 'turn', t: 3, of: ['o1'] },
        { type: 'zone_enter', t: 4, of: ['o1'], zone: 'door' },
      ],
    );
    const explanation = await new LearnedExplainer({ model, clock }).explain(eventById(scene, 'e2'), scene);
    expect(explanation?.chain.length).toBeGreaterThan(1);
    expect(model.asked).toEqual([]);
  });
});
