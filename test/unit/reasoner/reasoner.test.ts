import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.js';
import type { Draft, Explanation, Prediction } from '../../../src/core/messages.js';
import type { Explainer } from '../../../src/core/reasoner.js';
import type { Observation } from '../../../src/core/memory.js';
import { RulesExplainer } from '../../../src/reasoner/explain/rules/rules-explainer.js';
import { createReasoner, REASONER_MODES } from '../../../src/reasoner/create-reasoner.js';
import type { LateForecast } from '../../../src/reasoner/predict/forecast-cycle.js';
import {
  StreamReasoner,
  type ForecastStage,
  type StreamReasonerOptions,
} from '../../../src/reasoner/reasoner.js';
import { eventById, pushedRow } from '../../support/reasoner/snapshots.js';

const snapshot = pushedRow();
const update: Observation = { snapshot, events: snapshot.events };
const rules = new RulesExplainer({ clock: new VirtualClock() });
const scorecard: Draft = {
  kind: 'scorecard.updated',
  mediatime: 5,
  data: {
    window: { from: 0, to: 5 },
    n: 0,
    brier: null,
    skill: null,
    ece: null,
    ap: null,
    medianLeadTime: null,
    reliability: [],
    byType: {},
  },
};

class FakeCycle implements ForecastStage {
  drafts: readonly Draft[] = [scorecard];
  restored: unknown;
  step = (): readonly Draft[] => this.drafts;
  interrupt = (t: number): readonly Draft[] => [{ ...scorecard, mediatime: t }];
  finish = (t: number): readonly Draft[] => [{ ...scorecard, mediatime: t }];
  forgetPlaces = (): readonly Draft[] => [];
  late$ = new Subject<LateForecast>();
  settle = (): Promise<void> => Promise.resolve();
  stats = () => ({ forecasts: 0, degraded: 0, dropped: 0, sources: {} });
  close = (): void => this.late$.complete();
  continueAfter(): void {}

  saveState = (): unknown => ({ learned: 7 });
  restoreState = (state: unknown): boolean => {
    this.restored = state;
    return true;
  };
}

function setUp(options: Partial<StreamReasonerOptions> = {}) {
  const desk = new FakeCycle();
  const reasoner = new StreamReasoner({ cycle: desk, rules, ...options });
  const late: Draft[] = [];
  let completed = false;
  reasoner.late$.subscribe({ next: (draft) => late.push(draft), complete: () => (completed = true) });
  return { desk, reasoner, late, isComplete: () => completed };
}

function explanations(drafts: readonly Draft[]): Explanation[] {
  return drafts.flatMap((draft) => (draft.kind === 'explanation.created' ? [draft.data.explanation] : []));
}

/** Answers with the explanation by rules under another name, or fails. */
function slowExplainer(error?: Error): Explainer {
  return {
    name: 'slow',
    explain: async (event, memory) => {
      await Promise.resolve();
      if (error) throw error;
      const explanation = rules.explainNow(event, memory);
      return explanation && { ...explanation, by: { backend: 'slow', model: 'test' } };
    },
  };
}

describe('the reasoner of a stream', () => {
  it('tells explanations in the order of the events, numbered and verified, then what the desk says', () => {
    const { reasoner } = setUp();
    const drafts = reasoner.step(update);
    expect(drafts.map(({ kind, subject, mediatime }) => [kind, subject, mediatime])).toEqual([
      ['explanation.created', 'x1', 5],
      ['explanation.created', 'x2', 5],
      ['explanation.created', 'x3', 5],
      ['scorecard.updated', undefined, 5],
    ]);
    expect(explanations(drafts).map(({ id, of, verified }) => [id, of, verified.ok])).toEqual([
      ['x1', 'e2', true],
      ['x2', 'e3', true],
      ['x3', 'e4', true],
    ]);
    expect(reasoner.stats()).toMatchObject({ explanations: 3, verifier: { checked: 3, failed: 0 } });
  });

  it('says the same for the same updates', () => {
    expect(setUp().reasoner.step(update)).toEqual(setUp().reasoner.step(update));
  });

  it('explains nothing without rules', () => {
    const { reasoner } = setUp({ rules: undefined });
    expect(reasoner.step(update)).toEqual([scorecard]);
  });

  it('takes out of predictions what is not in memory', () => {
    const { desk, reasoner } = setUp();
    const prediction: Prediction = {
      id: 'p1',
      event: { type: 'stop', participants: ['o3'] },
      window: { from: 5, to: 8 },
      probability: 0.5,
      rank: 1,
      baseRate: 0.1,
      justification: { text: 'slows down', events: ['e2', 'e77'], objects: ['o3'] },
      issuedAt: 5,
      by: { backend: 'forecaster', model: 'test' },
    };
    desk.drafts = [{ kind: 'prediction.created', mediatime: 5, subject: 'p1', data: { prediction } }];
    const [draft] = reasoner.step({ snapshot, events: [] });
    expect(draft).toMatchObject({ data: { prediction: { id: 'p1', justification: { events: ['e2'] } } } });
    expect(reasoner.stats().verifier.problems).toEqual({ unknown_event: 1 });
  });

  it('passes interruption and end on to the desk', () => {
    const { reasoner } = setUp();
    expect(reasoner.interrupt(6)).toEqual([{ ...scorecard, mediatime: 6 }]);
    expect(reasoner.finish(7)).toEqual([{ ...scorecard, mediatime: 7 }]);
  });

  it('keeps its count and the state of the desk across restarts', () => {
    const first = setUp();
    first.reasoner.step(update);
    const state = JSON.parse(JSON.stringify(first.reasoner.saveState())) as unknown;
    const second = setUp({ state });
    const desk = new FakeCycle();
    const again = new StreamReasoner({ cycle: desk, rules, state });
    expect(explanations(second.reasoner.step(update)).map(({ id }) => id)).toEqual(['x4', 'x5', 'x6']);
    expect(desk.restored).toEqual({ learned: 7 });
    expect(again.stats().explanations).toBe(3);
  });

  it('starts afresh from a state that is not of its form', () => {
    const { reasoner } = setUp({ state: { version: 9 } });
    expect(explanations(reasoner.step(update))[0]?.id).toBe('x1');
  });

  it('closes once and completes the late stream', async () => {
    const { reasoner, isComplete } = setUp();
    await Promise.all([reasoner.close(), reasoner.close()]);
    await reasoner[Symbol.asyncDispose]();
    expect(isComplete()).toBe(true);
  });
});

describe('the reasoner with a slow explainer', () => {
  it('tells its explanations later, and has told all when it settles', async () => {
    const { reasoner, late } = setUp({ slow: slowExplainer() });
    expect(reasoner.step(update)).toEqual([scorecard]);
    await reasoner.settle();
    expect(explanations(late).map(({ id, of, by }) => `${id} ${of} ${by.backend}`)).toEqual([
      'x1 e2 slow',
      'x2 e3 slow',
      'x3 e4 slow',
    ]);
    expect(explanations(late).every(({ verified }) => verified.ok)).toBe(true);
  });

  it('tells the explanation by rules, and why, when it fails', async () => {
    const { reasoner, late } = setUp({ slow: slowExplainer(new Error('out of memory')) });
    reasoner.step({ snapshot, events: snapshot.events.slice(-1) });
    await reasoner.settle();
    const [explanation] = explanations(late);
    expect(explanation).toMatchObject({ of: 'e4', by: { backend: 'rules' } });
    expect(explanation?.verified).toEqual({
      ok: true,
      problems: ['by rules, since slow was not used: out of memory'],
    });
    expect(explanation?.chain.length).toBeGreaterThan(1);
    expect(reasoner.stats().queue).toMatchObject({ failed: 1 });
  });

  it('drops what it invents', async () => {
    const honest = slowExplainer();
    const inventive: Explainer = {
      name: 'inventive',
      explain: async (event, memory) => {
        const explanation = await honest.explain(event, memory);
        const cause = { object: 'o99', probability: 0.9, counterfactual: 'Without #99, nothing.' };
        return (
          explanation && { ...explanation, text: 'ghost #99 did it', causes: [...explanation.causes, cause] }
        );
      },
    };
    const { reasoner, late } = setUp({ slow: inventive });
    reasoner.step({ snapshot, events: snapshot.events.slice(-1) });
    await reasoner.settle();
    expect(JSON.stringify({ ...explanations(late)[0], verified: undefined })).not.toMatch(/[o#]99/);
    expect(explanations(late)[0]?.verified.problems.length).toBeGreaterThan(0);
  });

  it('lets nothing wait for ever: closing tells the rest by rules', async () => {
    const hanging: Explainer = {
      name: 'hanging',
      explain: (_, __, signal) =>
        new Promise((___, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error))),
    };
    const { reasoner, late, isComplete } = setUp({ slow: hanging });
    reasoner.step(update);
    await reasoner.close();
    expect(explanations(late).map(({ by }) => by.backend)).toEqual(['rules', 'rules', 'rules']);
    expect(isComplete()).toBe(true);
  });
});

describe('the modes of the reasoner', () => {
  it('make none for off', () => {
    expect(createReasoner('off')).toBeUndefined();
  });

  it('explain and forecast at once for rules', () => {
    const reasoner = createReasoner('rules', { clock: new VirtualClock() });
    const drafts = reasoner?.step({ snapshot: { ...snapshot, objects: [] }, events: snapshot.events }) ?? [];
    const kinds = new Set(drafts.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['explanation.created', 'forecast.updated']);
  });

  it.each(REASONER_MODES.filter((mode) => !['rules', 'off'].includes(mode)))(
    'say what is missing for %s when no model was opened',
    (mode) => {
      expect(() => createReasoner(mode)).toThrow(expect.objectContaining({ code: 'model_missing' }));
    },
  );

  it('check the options of a language-model server', () => {
    expect(() => createReasoner('rules', { openai: { baseUrl: 'nowhere', model: 'm' } })).toThrow(/baseUrl/);
  });

  it('restore what an earlier reasoner of the stream learned', () => {
    const first = createReasoner('rules');
    first?.step(update);
    const second = createReasoner('rules', {
      state: JSON.parse(JSON.stringify(first?.saveState())) as unknown,
    });
    const event = eventById(snapshot, 'e4');
    const drafts = second?.step({ snapshot, events: [{ event, observedAt: 4.4 }] }) ?? [];
    expect(explanations(drafts)[0]?.id).toBe('x4');
  });
});
