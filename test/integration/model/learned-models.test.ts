/** The bundled forecaster and cause head, and folders in which they are missing or damaged. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReasonerModels } from '../../../src/service/reasoner-models.js';
import { VirtualClock } from '../../../src/core/clock.js';
import type { CauseModel, ForecastModel, TrackTensors } from '../../../src/core/learned-models.js';
import type { Draft, Explanation } from '../../../src/core/messages.js';
import { EVENT_TYPES } from '../../../src/core/ontology.js';
import { LearnedModels } from '../../../src/model/learned/learned-models.js';
import { bundledModelsDir } from '../../../src/model/runtime/manifest.js';
import { createReasoner } from '../../../src/reasoner/create-reasoner.js';
import { modelFolder } from '../../support/model/model-folder.js';
import { crowdUpdates } from '../../support/reasoner/sources.js';
import { pushedRow } from '../../support/reasoner/snapshots.js';

let models: LearnedModels;
let forecaster: ForecastModel;
let causes: CauseModel;
beforeAll(async () => {
  models = await LearnedModels.open();
  if (!models.forecaster || !models.causes) throw new Error('bundled models are missing');
  ({ forecaster, causes } = { forecaster: models.forecaster, causes: models.causes });
});
afterAll(() => models.close());

/** Squares in a row, of which the first moves towards the second. */
function row(count: number, steps: number): TrackTensors {
  const boxes = new Float32Array(count * steps * 4);
  for (let o = 0; o < count; o += 1)
    for (let k = 0; k < steps; k += 1) {
      const x = 0.02 + (1.6 * o) / count + (o === 0 ? 0.004 * k : 0);
      boxes.set([x, 0.5, 0.02, 0.02], (o * steps + k) * 4);
    }
  return {
    count,
    steps,
    boxes,
    aspect: 1.78,
    seen: new Float32Array(count * steps).fill(1),
    kinds: Array.from({ length: count }, () => 3),
    ages: new Float32Array(count).fill(steps / 10),
  };
}

describe('the forecaster', () => {
  it.each([1, 2, 48])('gives probabilities and paths for %i objects', async (count) => {
    const { single, pair, paths, modes } = await forecaster.forecast(row(count, 30));
    expect([single.length, pair.length]).toEqual([count * 30, count * count * 12]);
    expect([paths.length, modes.length]).toEqual([count * 540, count * 6]);
    for (const values of [single, pair, modes])
      expect(values.every((p) => p >= 0 && p <= 1 + 1e-5)).toBe(true);
    for (let item = 0; item < count * 5; item += 1)
      expect(single.subarray(item * 6, item * 6 + 6).reduce((sum, p) => sum + p, 0)).toBeLessThan(1.0001);
    for (let o = 0; o < count; o += 1)
      expect(modes.subarray(o * 6, o * 6 + 6).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 3);
  });

  it('gives the same result for both orders of a pair', async () => {
    const { pair } = await forecaster.forecast(row(3, 30));
    for (let i = 0; i < 12; i += 1)
      expect(pair[(0 * 3 + 1) * 12 + i]).toBeCloseTo(pair[(1 * 3 + 0) * 12 + i] ?? NaN, 5);
  });

  it('rejects tracks of another length, and continues', async () => {
    await expect(forecaster.forecast(row(2, 29))).rejects.toMatchObject({ code: 'inference_failed' });
    expect((await forecaster.forecast(row(2, 30))).modes.length).toBe(12);
  });
});

describe('the cause head', () => {
  it.each([1, 3, 48])('gives the probability for each of %i objects that it was necessary', async (count) => {
    const roles = Array.from({ length: count }, (_, o) => (o < 2 ? o + 1 : 0));
    const contacts = new Float32Array(count * count * 2);
    const probabilities = await causes.necessary({
      tracks: row(count, 100),
      event: EVENT_TYPES.indexOf('collide'),
      roles,
      contacts,
    });
    expect(probabilities.length).toBe(count);
    expect(probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
  });
});

async function draftsOf(
  updates: ReturnType<typeof crowdUpdates>,
  restartAt: readonly number[],
): Promise<Draft[]> {
  const drafts: Draft[] = [];
  const begin = (state?: unknown) => {
    const made = createReasoner('forecaster', { forecaster, causes, state, clock: new VirtualClock() });
    if (!made) throw new Error('no reasoner');
    made.late$.subscribe((draft) => drafts.push(draft));
    return made;
  };
  let reasoner = begin();
  for (const [i, update] of updates.entries()) {
    drafts.push(...reasoner.step(update));
    await reasoner.settle();
    if (restartAt.includes(i)) reasoner = begin(JSON.parse(JSON.stringify(reasoner.saveState())));
  }
  drafts.push(...reasoner.finish(updates.at(-1)?.snapshot.t ?? 0));
  await reasoner.close();
  return drafts;
}

describe('a reasoner with both', () => {
  it('repeats its messages, also when it is restored in between', { timeout: 60_000 }, async () => {
    const updates = crowdUpdates(21, 15);
    const whole = await draftsOf(updates, []);
    expect(whole.filter(({ kind }) => kind === 'forecast.updated').length).toBe(14);
    expect(whole.some(({ kind }) => kind === 'explanation.created')).toBe(true);
    expect(await draftsOf(updates, [])).toEqual(whole);
    expect(await draftsOf(updates, [33, 34, 90])).toEqual(whole);
  });

  it('emits each forecast before objects of the next percept', async () => {
    const reasoner = createReasoner('forecaster', { forecaster, causes });
    const order: string[] = [];
    reasoner?.late$.subscribe(({ kind, data }) => {
      if (kind === 'forecast.updated') order.push(`forecast ${(data as { at: number }).at}`);
    });
    for (const update of crowdUpdates(3, 3)) {
      order.push(`percept ${update.snapshot.t}`);
      reasoner?.step(update);
      await reasoner?.settle();
    }
    await reasoner?.close();
    for (const second of [1, 2])
      expect(order[order.indexOf(`percept ${second}`) + 1]).toBe(`forecast ${second}`);
  });

  it('explains a push by the chain of the rules and the cause head', async () => {
    const snapshot = pushedRow();
    const reasoner = createReasoner('forecaster', { forecaster, causes, clock: new VirtualClock() });
    const explanations: Explanation[] = [];
    reasoner?.late$.subscribe((draft) => {
      if (draft.kind === 'explanation.created') explanations.push(draft.data.explanation);
    });
    reasoner?.step({ snapshot, events: snapshot.events });
    await reasoner?.settle();
    await reasoner?.close();
    expect(explanations.map(({ of, verified }) => [of, verified])).toEqual(
      ['e2', 'e3', 'e4'].map((id) => [id, { ok: true, problems: [] }]),
    );
    expect(explanations.at(-1)?.by).toEqual({
      backend: 'causes',
      model: `event-graph-1+${causes.name}`,
      ms: 0,
    });
  });
});

describe('a models folder', () => {
  const clip = (): Uint8Array => readFileSync(join(bundledModelsDir(), 'clip.onnx'));
  const tampered = (): string => {
    const folder = modelFolder({ forecaster: 'x' });
    appendFileSync(join(folder, 'forecaster.bin'), 'y');
    return folder;
  };

  it.each([
    ['without them', () => modelFolder({}), 'model_missing'],
    ['with another file than the pinned one', tampered, 'model_hash_mismatch'],
    ['with a file that is not a model', () => modelFolder({ forecaster: 'not ONNX' }), 'model_invalid'],
    ['with a model of another kind', () => modelFolder({ causes: clip() }), 'model_invalid'],
  ])(
    '%s is rejected with its code, and the reasoner continues by rules and reports why',
    async (_, make, code) => {
      const modelsDir = make();
      await expect(LearnedModels.open({ modelsDir })).rejects.toMatchObject({ code });
      await using opened = await ReasonerModels.open({ modelsDir, mode: 'forecaster' });
      expect(opened.mode).toBe('rules');
      expect(opened.problem).toMatchObject({ code });
      expect(opened.details()).toMatchObject({ reasoner: 'rules', reasonerProblem: opened.problem?.message });
      await using reasoner = createReasoner(opened.mode, opened.depsFor('live'));
      expect(reasoner?.stats()).toMatchObject({ explanations: 0, forecasts: { forecasts: 0 } });
    },
  );
});
