import { describe, expect, it } from 'vitest';
import { logit, sigmoid } from '../../../../../src/reasoner/stats/online-logistic.js';
import {
  ForecastMixture,
  groupOf,
  parseMixture,
  SingleExperts,
  type MixtureDocument,
} from '../../../../../src/reasoner/forecast/mixture/forecast-mixture.js';
import { Random } from '../../../../../src/reasoner/stats/random.js';

const ALIKE = { bias: 0, head: 0.5, known: 0, rules: 0.5 };
const FITTED: MixtureDocument = {
  version: 1,
  provenance: { made: 'by hand' },
  sets: { forecaster: { exit: { bias: -0.2, slope: 0.1, weights: { forecaster: 0.75 } } } },
  causes: { collide: ALIKE, other: ALIKE },
};

/** Mean log loss of what a pool says item by item, and of its two sources, as it learns. */
function race(
  says: (truth: number, random: Random) => { sampled: number; learned: number },
  items: number,
): { pool: number; sampled: number; learned: number } {
  const pool = new ForecastMixture();
  const random = new Random(7);
  const loss = { pool: 0, sampled: 0, learned: 0 };
  for (let i = 0; i < items; i += 1) {
    const truth = sigmoid(3 * random.normal() - 1);
    const hit = random.uniform() < truth;
    const { sampled, learned } = says(truth, random);
    const estimates = { forecaster: learned };
    const pooled = pool.combine('stop', sampled, estimates);
    const of = (p: number): number => -Math.log(hit ? p : 1 - p) / items;
    loss.pool += of(pooled);
    loss.sampled += of(sampled);
    loss.learned += of(learned);
    pool.learn('stop', sampled, estimates, hit, 1);
  }
  return loss;
}

const blurred = (truth: number, by: number, random: Random): number =>
  sigmoid(logit(truth) + by * random.normal());

describe('the pool of forecasts', () => {
  it('says what was sampled where no source speaks', () => {
    expect(new ForecastMixture(FITTED).combine('zone_enter', 0.123456, {})).toBe(0.123456);
  });

  it('begins with the fitted weights of its group or type and the sources alike', () => {
    const fitted = sigmoid(-0.2 + 1.1 * logit(0.2) + 0.75 * (logit(0.6) - logit(0.2)));
    const said = new ForecastMixture(FITTED).combine('exit:body', 0.2, { forecaster: 0.6 });
    expect(said).toBeCloseTo((fitted + 0.2 + 0.6) / 3, 10);
  });

  it('lies between the two where nothing was fitted', () => {
    const said = new ForecastMixture(FITTED).combine('turn', 0.1, { forecaster: 0.5 });
    expect(said).toBeGreaterThan(0.15);
    expect(said).toBeLessThan(0.45);
  });

  it('is hardly worse than sampling beside a source that knows nothing', () => {
    const { pool, sampled, learned } = race(
      (truth, random) => ({ sampled: blurred(truth, 0.3, random), learned: random.uniform() * 0.96 + 0.02 }),
      1500,
    );
    expect(learned).toBeGreaterThan(sampled + 0.3);
    expect(pool).toBeLessThan(sampled + 0.01);
  });

  it('is hardly worse than a source beside which sampling knows nothing', () => {
    const { pool, sampled, learned } = race(
      (truth, random) => ({ sampled: random.uniform() * 0.96 + 0.02, learned: blurred(truth, 0.3, random) }),
      1500,
    );
    expect(sampled).toBeGreaterThan(learned + 0.3);
    expect(pool).toBeLessThan(learned + 0.01);
  });

  it('is better than each of two that err independently', () => {
    const { pool, sampled, learned } = race(
      (truth, random) => ({ sampled: blurred(truth, 1, random), learned: blurred(truth, 1, random) }),
      1500,
    );
    expect(pool).toBeLessThan(Math.min(sampled, learned) - 0.01);
  });

  it('goes on exactly from its saved state', () => {
    const teach = (pool: ForecastMixture, from: number, to: number): void => {
      for (let i = from; i < to; i += 1)
        pool.learn('exit', 0.1 + (i % 7) / 10, { forecaster: 0.05 + (i % 9) / 10 }, i % 3 === 0, 1 / 3);
    };
    const whole = new ForecastMixture(FITTED);
    const first = new ForecastMixture(FITTED);
    teach(whole, 0, 80);
    teach(first, 0, 40);
    const second = new ForecastMixture(FITTED);
    expect(second.restoreState(JSON.parse(JSON.stringify(first.saveState())))).toBe(true);
    teach(second, 40, 80);
    expect(second.saveState()).toEqual(whole.saveState());
    expect(second.combine('exit', 0.3, { forecaster: 0.4 })).toBe(
      whole.combine('exit', 0.3, { forecaster: 0.4 }),
    );
  });

  it('stays finite and within 0 to 1 for certainties', () => {
    const pool = new ForecastMixture(FITTED);
    for (const hit of [true, false, true]) pool.learn('exit', 0, { forecaster: 1 }, hit, 1);
    const said = pool.combine('exit', 1, { forecaster: 0 });
    expect(said).toBeGreaterThan(0);
    expect(said).toBeLessThan(1);
  });

  it('refuses a state and weights that are not of their form', () => {
    expect(new ForecastMixture().restoreState({ version: 1, models: { x: 3 } })).toBe(false);
    expect(() => parseMixture({ version: 1, sets: {} })).toThrow(
      expect.objectContaining({ code: 'model_invalid' }),
    );
    expect(parseMixture(JSON.parse(JSON.stringify(FITTED)))).toEqual(FITTED);
  });
});

describe('the groups of items', () => {
  it('are those about bodies, and those in which somebody takes part', () => {
    const labels = new Map([
      ['o1', 'person'],
      ['o2', 'object'],
      ['o3', 'bottle'],
    ]);
    expect(groupOf({ type: 'exit', participants: ['o1'] }, labels)).toBe('exit:agent');
    expect(groupOf({ type: 'collide', participants: ['o2', 'o3'] }, labels)).toBe('collide:body');
    expect(groupOf({ type: 'collide', participants: ['o1', 'o3'] }, labels)).toBe('collide:agent');
  });
});

describe('sources alone', () => {
  it('leave out the sampled paths where one speaks', () => {
    const alone = new SingleExperts();
    expect(alone.combine('exit', 0.9, { forecaster: 0.2 })).toBeCloseTo(0.2, 10);
    expect(alone.combine('exit', 0.9, { forecaster: 0.2, language: 0.8 })).toBeCloseTo(0.5, 10);
    expect(alone.combine('zone_enter', 0.9, {})).toBe(0.9);
  });
});
