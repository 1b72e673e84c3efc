import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Percept } from '../../../../src/core/percept.js';
import { Tracker } from '../../../../src/memory/tracking/tracker.js';
import { percept, person, play, wobble, type Drawn } from '../tracking/drawn.js';

const KEY = 8;

/** A unit vector close to that of object `who`, each time a little different. */
function embedding(who: number, t: number): Float32Array {
  const values = Array.from({ length: KEY }, (_, k) => wobble(who, k) + 0.3 * wobble(t, 10 * who + k));
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

interface Walker {
  readonly from: number;
  readonly speed: number;
  readonly feet: number;
  readonly start: number;
  readonly hiddenAt: number;
  readonly hiddenS: number;
  readonly label: string;
  readonly score: number;
}

const within = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
const walker: fc.Arbitrary<Walker> = fc.record({
  from: within(0, 1000),
  speed: within(-150, 150),
  feet: within(120, 480),
  start: within(0, 3),
  hiddenAt: within(0.5, 4),
  hiddenS: within(0, 3),
  label: fc.constantFrom('person', 'person', 'car', 'object'),
  score: within(0.3, 0.95),
});

function stream(walkers: readonly Walker[], fps: number): Percept[] {
  return Array.from({ length: Math.round(6 * fps) }, (_, k) => {
    const t = k / fps;
    const drawn = walkers.flatMap((one, who): (Drawn & { who: number })[] => {
      const { start, hiddenAt, hiddenS, label } = one;
      if (t < start || (t > hiddenAt && t < hiddenAt + hiddenS)) return [];
      const score = Math.min(Math.max(one.score + 0.2 * wobble(t, who), 0), 1);
      return [{ ...person(one.from + one.speed * t + 3 * wobble(t, who), one.feet, { score, label }), who }];
    });
    const plain = percept(t, drawn);
    return {
      ...plain,
      detections: plain.detections.map((one, n) => ({ ...one, embedding: embedding(drawn[n]?.who ?? 0, t) })),
      ...(k % 17 === 16 && { camera: [1, 0, 0, 1, 0.5, -0.25] as const }),
    };
  });
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (inner instanceof Float32Array ? [...inner] : inner));

describe('a tracker that was saved', () => {
  it('continues bit by bit as if it had never stopped, wherever in the stream it was saved', () => {
    const scripts = fc.record({
      walkers: fc.array(walker, { minLength: 1, maxLength: 8 }),
      fps: fc.constantFrom(4, 10, 25),
      at: within(0, 1),
    });
    fc.assert(
      fc.property(scripts, ({ walkers, fps, at }) => {
        const percepts = stream(walkers, fps);
        const cut = Math.round(at * percepts.length);
        const whole = new Tracker();
        for (const one of percepts.slice(0, cut)) whole.update(one);
        const saved: unknown = JSON.parse(JSON.stringify(whole.saveState()));
        const restored = new Tracker();
        restored.update(percept(0, [person(77)])); // its earlier state is replaced
        restored.restoreState(saved);
        expect(restored.dump()).toEqual(whole.dump());
        for (const one of percepts.slice(cut))
          expect(text(restored.update(one))).toBe(text(whole.update(one)));
        expect(text(restored.saveState())).toBe(text(whole.saveState()));
      }),
      { numRuns: 25 },
    );
  });

  it('is unchanged by a malformed state', () => {
    const tracker = new Tracker();
    play(() => [person(400)], { to: 1, tracker });
    const before = text(tracker.saveState());
    for (const wrong of [
      undefined,
      null,
      {},
      { version: 2 },
      { ...(tracker.saveState() as object), live: [{}] },
    ])
      expect(() => tracker.restoreState(wrong)).toThrow(expect.objectContaining({ code: 'storage_failed' }));
    expect(text(tracker.saveState())).toBe(before);
  });
});
