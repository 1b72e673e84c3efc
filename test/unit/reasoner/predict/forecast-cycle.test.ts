import { describe, expect, it } from 'vitest';
import type { Draft, Forecast } from '../../../../src/core/messages.js';
import type { MemoryUpdate } from '../../../../src/core/memory.js';
import {
  ForecastMixture,
  SingleExperts,
  type Mixture,
} from '../../../../src/reasoner/forecast/mixture/forecast-mixture.js';
import { SamplingForecaster } from '../../../../src/reasoner/forecast/sampling/sampling-forecaster.js';
import { ExpertPanel } from '../../../../src/reasoner/forecast/mixture/expert-panel.js';
import { VirtualClock } from '../../../../src/core/clock.js';
import { ForecastCycle } from '../../../../src/reasoner/predict/forecast-cycle.js';
import { crowdUpdates, ScriptedSource } from '../../../support/reasoner/sources.js';

const updates = crowdUpdates(21, 12);

function setUp(source: ScriptedSource, pool: Mixture = new SingleExperts(), clock?: VirtualClock) {
  const desk = new ForecastCycle({
    ...(clock && { clock }),
    forecaster: new SamplingForecaster(),
    sources: { experts: new ExpertPanel({ sources: [source] }), mixture: pool },
  });
  const late: Draft[] = [];
  desk.late$.subscribe(({ drafts }) => late.push(...drafts));
  return { desk, late };
}

function forecasts(drafts: readonly Draft[]): Forecast[] {
  return drafts.flatMap((draft) => (draft.kind === 'forecast.updated' ? [draft.data] : []));
}

/** Who is foretold to leave. */
function predicted(drafts: readonly Draft[]): (string | undefined)[] {
  return drafts.flatMap((draft) =>
    draft.kind === 'prediction.created' ? [draft.data.prediction.event.participants[0]] : [],
  );
}

const upTo = (t: number): MemoryUpdate[] => updates.filter(({ snapshot }) => snapshot.t <= t + 1e-6);
const at = (t: number): MemoryUpdate => upTo(t).at(-1) as MemoryUpdate;

describe('a forecast that waits for a source', () => {
  it('is told when the source has answered, with what it said', async () => {
    const source = new ScriptedSource('forecaster', () => 0.25, true);
    const { desk, late } = setUp(source);
    for (const update of upTo(4)) {
      expect(forecasts(desk.step(update))).toEqual([]);
      if (update.snapshot.t < 4) continue;
      source.answer();
    }
    await desk.settle();
    const told = forecasts(late).at(-1);
    expect(told?.at).toBe(4);
    expect(told?.items.length).toBeGreaterThan(5);
    expect(told?.items.every(({ probability }) => Math.abs(probability - 0.25) < 0.2)).toBe(true);
  });

  it('tells with each prediction how long the answer took', async () => {
    const source = new ScriptedSource('forecaster', () => 0.9, true);
    const clock = new VirtualClock();
    const { desk, late } = setUp(source, undefined, clock);
    for (const update of upTo(1)) desk.step(update);
    clock.advance(37);
    source.answer();
    await desk.settle();
    const told = late.flatMap((draft) =>
      draft.kind === 'prediction.created' ? [draft.data.prediction] : [],
    );
    expect(told.length).toBeGreaterThan(0);
    expect(told.map(({ by }) => by.ms)).toEqual(told.map(() => 37));
  });

  it('is told by sampled paths before a percept more than 0.2 s later, and counted', () => {
    const { desk, late } = setUp(new ScriptedSource('forecaster', () => 0.25, true));
    const sampler = new SamplingForecaster();
    for (const update of upTo(1.2)) desk.step(update);
    expect(late).toEqual([]);
    desk.step(at(1.3));
    const [told] = forecasts(late);
    const sampled = sampler.forecast(at(1).snapshot);
    expect(told?.items.map(({ participants }) => participants)).toEqual(
      sampled.items.map(({ participants }) => participants),
    );
    told?.items.forEach(({ probability }, i) =>
      expect(probability).toBeCloseTo(sampled.items[i]?.probability ?? NaN, 3),
    );
    expect(late.every(({ mediatime }) => mediatime === at(1.2).snapshot.t)).toBe(true);
    expect(desk.stats()).toMatchObject({ forecasts: 1, degraded: 1, sources: { forecaster: { late: 1 } } });
    const scorecard = desk.finish(2).find(({ kind }) => kind === 'scorecard.updated');
    expect(scorecard?.data).toMatchObject({ degraded: 1 });
  });

  it('hears of events that were told while it waited, and foretells none of them', async () => {
    // All that is in view is said to leave; one of them is told to have left before the source has answered.
    const source = new ScriptedSource('forecaster', ({ type }) => (type === 'exit' ? 0.9 : 0.01), true);
    const { desk, late } = setUp(source);
    for (const update of upTo(2)) {
      desk.step(update);
      if (update.snapshot.t < 2) {
        source.answer();
        await desk.settle();
      }
    }
    const told = new Set(predicted(late));
    const gone = source.asked
      .at(-1)
      ?.items.flatMap(({ type, participants: [id] }) => (type === 'exit' && id ? [id] : []))
      .find((id) => !told.has(id));
    if (gone === undefined) throw new Error('all of the crowd was foretold to leave');
    const { snapshot } = at(2.1);
    const participants = [
      { id: gone, label: 'person', box: [0, 0.4, 0.1, 0.2] as [number, number, number, number] },
    ];
    const event = { id: 'e900', type: 'exit' as const, participants, t: 2.05, confidence: 1 };
    desk.step({ snapshot, events: [{ event, observedAt: 2.1 }] });
    source.answer();
    await desk.settle();
    const forecast = forecasts(late).at(-1);
    expect(forecast?.at).toBe(2);
    expect(forecast?.items.some(({ type, participants: [id] }) => type === 'exit' && id === gone)).toBe(true);
    expect(late.at(-1)?.mediatime).toBe(snapshot.t);
    expect(predicted(late)).not.toContain(gone);
    const [scorecard] = desk.finish(2.2).filter(({ kind }) => kind === 'scorecard.updated');
    const stated = source.asked.filter(({ items }) =>
      items.some(({ type, participants: [id] }) => type === 'exit' && id === gone),
    );
    expect(scorecard?.data).toMatchObject({ byType: { exit: { positives: stated.length } } });
  });

  it('is not told any more after the camera was lost', async () => {
    const source = new ScriptedSource('forecaster', () => 0.25, true);
    const { desk, late } = setUp(source);
    for (const update of upTo(1)) desk.step(update);
    desk.interrupt(1.05);
    source.answer();
    await desk.settle();
    expect(late).toEqual([]);
    expect(desk.stats()).toMatchObject({ forecasts: 0, dropped: 1 });
  });

  it('asks the source about the items that are due, once a second', async () => {
    const source = new ScriptedSource('forecaster', () => 0.25);
    const { desk, late } = setUp(source);
    for (const update of upTo(5)) {
      desk.step(update);
      await desk.settle();
    }
    expect(source.asked.map(({ snapshot }) => snapshot.t)).toEqual([1, 2, 3, 4, 5]);
    expect(source.asked.map(({ items }) => items.length)).toEqual(
      forecasts(late).map(({ items }) => items.length),
    );
  });

  it('teaches the pool what became of what each said', async () => {
    const pool = new ForecastMixture();
    const { desk } = setUp(new ScriptedSource('forecaster', () => 0.02), pool);
    for (const update of updates) {
      desk.step(update);
      await desk.settle();
    }
    expect(Object.keys(pool.describe()).every((key) => key.startsWith('forecaster|'))).toBe(true);
    expect(Object.keys(pool.describe()).length).toBeGreaterThan(2);
  });
});
