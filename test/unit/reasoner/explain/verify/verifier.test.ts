import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../../src/core/clock.js';
import type { ChainStep, Explanation, Prediction } from '../../../../../src/core/messages.js';
import { RulesExplainer } from '../../../../../src/reasoner/explain/rules/rules-explainer.js';
import type { ProblemCode } from '../../../../../src/reasoner/explain/verify/problems.js';
import { Verifier } from '../../../../../src/reasoner/explain/verify/verifier.js';
import { randomScene } from '../../../../support/reasoner/scenes.js';
import { eventById, pushedRow } from '../../../../support/reasoner/snapshots.js';

const snapshot = pushedRow();
const rules = new RulesExplainer({ clock: new VirtualClock() });

function valid(): Explanation {
  const explanation = rules.explainNow(eventById(snapshot, 'e4'), snapshot);
  if (explanation === undefined) throw new Error('nothing to verify');
  return explanation;
}

type Corruption = (explanation: Explanation) => Explanation;

function changeStep(at: number, change: (step: ChainStep) => Partial<ChainStep>): Corruption {
  return (explanation) => ({
    ...explanation,
    chain: explanation.chain.map((step, index) => (index === at ? { ...step, ...change(step) } : step)),
  });
}

function changeCause(change: Partial<Explanation['causes'][number]>): Corruption {
  return (explanation) => ({
    ...explanation,
    causes: explanation.causes.map((cause) => ({ ...cause, ...change })),
  });
}

const CORRUPTIONS: readonly (readonly [name: string, code: ProblemCode, corrupt: Corruption])[] = [
  ['cites an event that does not exist', 'unknown_event', changeStep(1, () => ({ events: ['e77'] }))],
  ['explains an event that does not exist', 'unknown_event', (one) => ({ ...one, of: 'e77' })],
  [
    'cites an object that does not exist',
    'unknown_object',
    changeStep(1, ({ objects }) => ({ objects: [...objects, 'o77'] })),
  ],
  ['names an object that does not exist', 'unknown_name', (one) => ({ ...one, text: 'ball #77 did it.' })],
  ['names an unknown object in a step', 'unknown_name', changeStep(0, () => ({ text: 'ball #77 entered' }))],
  [
    'uses a relation that does not exist',
    'unknown_relation',
    changeStep(0, () => ({ relation: 'bewitches' })),
  ],
  ['puts an effect before its cause', 'not_earlier', (one) => ({ ...one, chain: [...one.chain].reverse() })],
  ['gives the event as its own cause', 'not_earlier', changeStep(2, () => ({ relation: 'pushes' }))],
  ['ends in another event', 'not_earlier', changeStep(1, () => ({ relation: 'outcome' }))],
  [
    'cites an object that was elsewhere',
    'not_a_participant',
    changeStep(1, () => ({ objects: ['o1', 'o3'] })),
  ],
  [
    'moves a step before its object was there',
    'not_in_view',
    changeStep(0, () => ({ from: -20, to: -10, evidence: [] })),
  ],
  ['ends before it starts', 'bad_span', changeStep(1, () => ({ from: 3, to: 1 }))],
  [
    'shows evidence from another time',
    'bad_span',
    changeStep(1, (step) => ({ evidence: step.evidence.map((one) => ({ ...one, t: 5 })) })),
  ],
  [
    'shows a time of which memory has no box',
    'no_record',
    changeStep(0, ({ evidence }) => ({ from: 0.1, evidence: evidence.map((one) => ({ ...one, t: 0.1 })) })),
  ],
  [
    'shows a box elsewhere',
    'box_differs',
    changeStep(1, ({ evidence }) => ({
      evidence: evidence.map((one) => ({ ...one, box: [0.9, 0.9, 0.05, 0.05] })),
    })),
  ],
  ['shows nothing', 'no_evidence', changeStep(1, () => ({ evidence: [] }))],
  ['is surer than sure', 'bad_probability', changeCause({ probability: 1.2 })],
  ['has a confidence that is no number', 'bad_probability', (one) => ({ ...one, confidence: NaN })],
  ['holds a participant necessary', 'own_participant', changeCause({ object: 'o2' })],
  ['holds an unknown object necessary', 'unknown_object', changeCause({ object: 'o77' })],
  [
    'names an unknown object in a counterfactual',
    'unknown_name',
    changeCause({ counterfactual: 'Without #77 …' }),
  ],
  ['gives a cause twice', 'repeated', (one) => ({ ...one, causes: [...one.causes, ...one.causes] })],
];

describe('the verifier', () => {
  it('finds nothing wrong with a valid explanation and leaves it as it is', () => {
    const verifier = new Verifier();
    expect(verifier.verifyExplanation(valid(), snapshot)).toEqual({ ok: true, problems: [] });
    expect(verifier.repair(valid(), snapshot)).toEqual({ ...valid(), verified: { ok: true, problems: [] } });
    expect(verifier.stats()).toMatchObject({ checked: 2, failed: 0, droppedSteps: 0 });
  });

  it.each(CORRUPTIONS)('sees that an explanation %s', (_, code, corrupt) => {
    const { ok, problems } = new Verifier().verifyExplanation(corrupt(valid()), snapshot);
    expect(ok).toBe(false);
    expect(problems.map((problem) => problem.code)).toContain(code);
  });

  it.each(CORRUPTIONS.filter(([, , corrupt]) => corrupt(valid()).of === 'e4'))(
    'repairs an explanation that %s, so that what is left holds',
    (_, code, corrupt) => {
      const verifier = new Verifier();
      const repaired = verifier.repair(corrupt(valid()), snapshot);
      expect(repaired.verified.ok).toBe(true);
      expect(repaired.verified.problems.length).toBeGreaterThan(0);
      expect(verifier.verifyExplanation(repaired, snapshot).problems).toEqual([]);
      expect(verifier.stats().problems[code]).toBeGreaterThan(0);
    },
  );

  it('repairs any mixture of corruptions of any scene', () => {
    const corruptions = fc.subarray(
      CORRUPTIONS.filter(([, , corrupt]) => corrupt(valid()).of === 'e4').map(([, , corrupt]) => corrupt),
    );
    fc.assert(
      fc.property(randomScene(), corruptions, (scene, chosen) => {
        const verifier = new Verifier();
        for (const { event } of scene.events) {
          const explanation = rules.explainNow(event, scene);
          if (explanation === undefined) continue;
          const repaired = verifier.repair(
            chosen.reduce((one, corrupt) => corrupt(one), explanation),
            scene,
          );
          expect(verifier.verifyExplanation(repaired, scene).problems).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('drops the failing step alone and says which', () => {
    const verifier = new Verifier();
    const repaired = verifier.repair(changeStep(0, () => ({ evidence: [] }))(valid()), snapshot);
    expect(repaired.chain.map(({ events }) => events[0])).toEqual(['e2', 'e4']);
    expect(repaired.verified.problems).toEqual(['step 1: has no box to show']);
    expect(verifier.stats()).toMatchObject({ droppedSteps: 1, droppedCauses: 0 });
  });

  it('leaves no chain that consists of the outcome alone', () => {
    const corrupt = (one: Explanation): Explanation =>
      changeStep(1, () => ({ evidence: [] }))(changeStep(0, () => ({ evidence: [] }))(one));
    expect(new Verifier().repair(corrupt(valid()), snapshot).chain).toEqual([]);
  });

  it('does not vouch for an explanation of an event that does not exist', () => {
    expect(new Verifier().repair({ ...valid(), of: 'e77' }, snapshot).verified.ok).toBe(false);
  });

  it('accepts an event that memory has let go when it is given', () => {
    const without = { ...snapshot, events: snapshot.events.filter(({ event }) => event.id !== 'e4') };
    expect(new Verifier().verifyExplanation(valid(), without).ok).toBe(false);
    expect(new Verifier().verifyExplanation(valid(), without, eventById(snapshot, 'e4')).ok).toBe(true);
  });
});

describe('the verifier on predictions', () => {
  const prediction: Prediction = {
    id: 'p1',
    event: { type: 'collide', participants: ['o2', 'o3'] },
    window: { from: 5, to: 8 },
    probability: 0.6,
    rank: 1,
    baseRate: 0.1,
    justification: { text: '#2 closes in on #3', events: ['e2'], objects: ['o2', 'o3'] },
    issuedAt: 5,
    by: { backend: 'forecaster', model: 'test' },
  };

  it('accepts a justification of what is in memory', () => {
    const verifier = new Verifier();
    expect(verifier.verifyPrediction(prediction, snapshot).ok).toBe(true);
    expect(verifier.repairPrediction(prediction, snapshot)).toBe(prediction);
  });

  it('takes unknown and later events and unknown objects out of a justification', () => {
    const text = '#2 closes in on #88';
    const justification = { text, events: ['e2', 'e4', 'e88'], objects: ['o2', 'o88'] };
    const wrong = { ...prediction, issuedAt: 3, justification };
    const verifier = new Verifier();
    const codes = verifier.verifyPrediction(wrong, snapshot).problems.map(({ code }) => code);
    expect(codes).toEqual(['not_earlier', 'unknown_event', 'unknown_object', 'unknown_name']);
    const repaired = verifier.repairPrediction(wrong, snapshot);
    expect(repaired.justification).toMatchObject({ events: ['e2'], objects: ['o2'] });
    expect(repaired.justification.text).not.toContain('#88');
  });

  it('sees a participant that does not exist and a probability that is none', () => {
    const event = { type: 'collide' as const, participants: ['o2', 'o88'] };
    const { problems } = new Verifier().verifyPrediction({ ...prediction, event, probability: -1 }, snapshot);
    expect(problems.map(({ code }) => code)).toEqual(['unknown_object', 'bad_probability']);
  });
});
