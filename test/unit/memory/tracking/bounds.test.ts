import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tracker } from '../../../../src/memory/tracking/tracker.js';
import { ClutterMap, MAX_SPOTS } from '../../../../src/memory/tracking/clutter.js';
import { MAX_SIGHTINGS } from '../../../../src/memory/tracking/sightings.js';
import { HEIGHT, percept, person, WIDTH, wobble, type Drawn } from './drawn.js';

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    x: unit,
    y: unit,
    w: unit,
    h: unit,
    score: unit,
    label: fc.constantFrom('person', 'car', 'dog'),
  })
  .map(({ x, y, w, h, score, label }) => ({
    box: [x * WIDTH, y * HEIGHT, w * (1 - x) * WIDTH, h * (1 - y) * HEIGHT] as const,
    score,
    label,
  }));
const steps = fc.array(
  fc.record({
    dt: fc.double({ min: 0.01, max: 3, noNaN: true }),
    fresh: fc.array(drawn, { maxLength: 6 }),
    keep: unit,
  }),
  { minLength: 1, maxLength: 40 },
);

describe('with arbitrary detections', () => {
  it('ids are unique, boxes finite and inside the frame, times in order, and equal input gives equal output', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const trackers = [new Tracker(), new Tracker()] as const;
        let t = 0;
        let scene: Drawn[] = [];
        for (const { dt, fresh, keep } of script) {
          t += dt;
          scene = [...scene.slice(0, Math.round(keep * scene.length)), ...fresh];
          const tracks = trackers[0].update(percept(t, scene));
          expect(trackers[1].update(percept(t, scene))).toEqual(tracks);
          expect(new Set(tracks.map(({ id }) => id)).size).toBe(tracks.length);
          for (const { box, velocity, score, ...track } of tracks) {
            expect([...box, ...velocity, score].every(Number.isFinite)).toBe(true);
            expect(Math.min(box[0], box[1])).toBeGreaterThanOrEqual(0);
            expect(Math.min(box[2], box[3])).toBeGreaterThanOrEqual(1 - 1e-9);
            expect(box[0] + box[2]).toBeLessThanOrEqual(WIDTH + 1e-9);
            expect(box[1] + box[3]).toBeLessThanOrEqual(HEIGHT + 1e-9);
            expect(track.firstSeen).toBeLessThanOrEqual(track.spanStart);
            expect(track.spanStart).toBeLessThanOrEqual(track.lastSeen);
            expect(track.seen ? track.lastSeen === t : t - track.lastSeen < 1).toBe(true);
            const backlog = track.backlog ?? [];
            expect(backlog.every((past) => past.t >= track.spanStart && past.t < t)).toBe(true);
            expect(backlog.map((past) => past.t)).toEqual(
              [...new Set(backlog.map((past) => past.t))].sort((a, b) => a - b),
            );
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('malformed detections are ignored', () => {
    const tracker = new Tracker();
    for (let k = 0; k < 5; k += 1) {
      const tracks = tracker.update(
        percept(k / 10, [
          person(300),
          { box: [NaN, 0, 10, 10] },
          { box: [500, 100, 0, 50] },
          { box: [500, 100, 50, 50], score: NaN },
        ]),
      );
      expect(tracks).toHaveLength(k === 0 ? 0 : 1);
    }
  });
});

describe('the tracker stays bounded', () => {
  it('with any number of detections', () => {
    const tracker = new Tracker();
    for (let k = 0; k < 60; k += 1) {
      const shift = 7 * Math.floor(k / 5);
      const crowd = Array.from({ length: 900 }, (_, n) => ({
        box: [(n % 45) * 22 + (shift % 20), Math.floor(n / 45) * 25 + (shift % 10), 9, 11] as const,
        label: `thing ${Math.floor(k / 5)}`,
      }));
      expect(tracker.update(percept(k / 5, crowd)).length).toBeLessThanOrEqual(MAX_SIGHTINGS);
      const held = tracker.dump();
      expect((held['confirmed'] ?? 0) + (held['tentative'] ?? 0)).toBeLessThanOrEqual(512);
      expect(held['remembered']).toBeLessThanOrEqual(512);
    }
  });

  it('with any number of cluttered places', () => {
    const map = new ClutterMap();
    for (let k = 0; k < 30; k += 1) {
      const weak = Array.from({ length: 100 }, (_, n) => ({
        label: 'person',
        score: 0.2,
        covered: 0,
        box: [500 * (1 + wobble(k, n)), 250 * (1 + wobble(k, n + 500)), 10, 10] as const,
      }));
      map.learn(weak, k / 10);
      expect(map.size).toBeLessThanOrEqual(MAX_SPOTS);
    }
  });

  it('refuses time that stands still, and options that contradict each other', () => {
    const tracker = new Tracker();
    tracker.update(percept(1, []));
    expect(() => tracker.update(percept(1, []))).toThrow(RangeError);
    expect(() => new Tracker({ lowScore: 0.7, highScore: 0.5 })).toThrow(/lowScore/);
  });
});
