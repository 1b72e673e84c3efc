import { expect, it } from 'vitest';
import type { Forecast } from '../../../../src/core/messages.js';
import { Resolver } from '../../../../src/reasoner/predict/resolver.js';

it('what was forecast of a zone that has gone is neither hit nor miss; the rest is decided as ever', () => {
  const item = (zone: string): Forecast['items'][number] => ({
    type: 'zone_enter',
    participants: ['o1'],
    zone,
    probability: 0.5,
  });
  const forecast: Forecast = { at: 1, horizon: 5, items: [item('door'), item('porch')] };
  const resolver = new Resolver();
  resolver.add(forecast, { raw: [0.5, 0.5], sampled: [0.5, 0.5], estimates: {}, groups: ['', ''] });
  resolver.voidPlaces(new Set(['door']));
  expect(resolver.dump().pending).toBe(1);
  const decided = resolver.resolve([], 60);
  expect(decided.map(({ item: { zone }, hit }) => [zone, hit])).toEqual([['porch', false]]);
});
