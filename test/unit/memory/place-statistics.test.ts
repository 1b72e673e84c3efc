import { describe, expect, it } from 'vitest';
import { PlaceCounter } from '../../../src/memory/place-statistics.js';

function counted(): PlaceCounter {
  const places = new PlaceCounter();
  for (let i = 0; i < 2000; i++) places.expose(i % 2 ? [0.1, 0.1] : [0.9, 0.9], 0.1);
  for (let i = 0; i < 10; i++) places.count('exit', [0.9, 0.9]);
  return places;
}

describe('place statistics', () => {
  it('distinguish rates near a place from those of the whole view', () => {
    const view = counted().view();
    expect(view.exposureS).toBeCloseTo(200);
    expect(view.count('exit')).toBe(10);
    expect(view.rate('exit')).toBeCloseTo(0.05);
    expect(view.rateAt('exit', [0.9, 0.9])).toBeGreaterThan(0.07);
    expect(view.rateAt('exit', [0.1, 0.1])).toBeLessThan(0.025);
    expect(view.rateAt('exit', [0.1, 0.9])).toBeCloseTo(0.05, 2);
    expect(view.exposureAt([0.5, 0.5])).toBeLessThan(1);
  });

  it('are zero before the first observation', () => {
    const view = new PlaceCounter().view();
    expect([view.rate('meet'), view.rateAt('meet', [0.5, 0.5]), view.exposureAt([2, -1])]).toEqual([0, 0, 0]);
  });

  it('do not change a view that was returned earlier', () => {
    const places = counted();
    const before = places.view();
    places.count('exit', [0.9, 0.9]);
    places.expose([0.5, 0.5], 10);
    expect([before.count('exit'), before.exposureS]).toEqual([10, expect.closeTo(200)]);
    expect(places.view().count('exit')).toBe(11);
  });

  it('are saved and restored exactly, through JSON', () => {
    const restored = new PlaceCounter();
    restored.restoreState(JSON.parse(JSON.stringify(counted().saveState())));
    expect(restored.saveState()).toEqual(counted().saveState());
    expect(restored.view().rateAt('exit', [0.8, 0.8])).toBe(counted().view().rateAt('exit', [0.8, 0.8]));
  });

  it.each([undefined, {}, { version: 2 }, { version: 1, exposureS: [1], counts: {} }])(
    'refuse to be restored from %j',
    (state) => {
      const places = counted();
      expect(() => places.restoreState(state)).toThrow(expect.objectContaining({ code: 'storage_failed' }));
      expect(places.view().count('exit')).toBe(10);
    },
  );
});
