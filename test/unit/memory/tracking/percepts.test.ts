import { describe, expect, it } from 'vitest';
import type { Affine } from '../../../../src/core/maths/box.js';
import { Tracker } from '../../../../src/memory/tracking/tracker.js';
import { ids, percept, person, play, wobble, WIDTH, HEIGHT, type Drawn, type Scene } from './drawn.js';

const moving = (x: number, feet = 300, more: Omit<Drawn, 'box'> = {}): Drawn =>
  person(x, feet, { label: 'object', origin: 'motion', ...more });

describe('an object that only motion shows at first', () => {
  it('keeps its identity when the detector names it, and keeps the name', () => {
    const scene: Scene = (t) => {
      const x = 100 + 80 * t;
      if (t < 2) return [moving(x)];
      return Math.round(t * 10) % 3 === 0 ? [person(x)] : [moving(x)];
    };
    const played = play(scene, { to: 6 });
    expect(ids(played)).toEqual(['o1']);
    expect(played.find(({ t }) => t === 1.5)?.tracks[0]?.label).toBe('object');
    for (const { t, tracks } of played) if (t > 2.7) expect(tracks[0]?.label, `at ${t}`).toBe('person');
  });

  it('is not named by weak guesses', () => {
    const scene: Scene = (t) => {
      const x = 100 + 80 * t;
      return Math.round(t * 10) % 4 === 3 ? [person(x, 300, { label: 'clock', score: 0.2 })] : [moving(x)];
    };
    const played = play(scene, { to: 5 });
    expect(ids(played)).toEqual(['o1']);
    expect(played.at(-1)?.tracks[0]?.label).toBe('object');
  });

  it('is one object where motion and detector find it at once, with the label of the weaker detection', () => {
    const played = play((t) => [moving(103 + 60 * t, 302), person(100 + 60 * t, 300, { score: 0.45 })], {
      to: 3,
    });
    expect(ids(played)).toEqual(['o1']);
    expect(played.at(-1)?.tracks).toMatchObject([{ label: 'person' }]);
  });
});

describe('objects in one box', () => {
  /** Two people walk towards and past each other; the detector draws one box around both while they overlap. */
  const crossing =
    (label: string): Scene =>
    (t) => {
      const [x, y] = [300 + 50 * t, 700 - 50 * t];
      const from = Math.min(x, y);
      if (Math.abs(x - y) > 36) return [person(x, 300, { label }), person(y, 312, { label })];
      return [{ box: [from - 20, 200, Math.abs(x - y) + 40, 112], label }];
    };

  it.each(['person', 'object'])('stay two %ss in their shares of it and keep their ids', (label) => {
    const tracker = new Tracker();
    const played = play(crossing(label), { to: 8, tracker });
    expect(ids(played)).toEqual(['o1', 'o2']);
    expect(tracker.dump()['shared']).toBeGreaterThan(3);
    const [left, right] = [played[10]?.tracks[0], played.at(-1)?.tracks];
    expect(left?.box[0]).toBeLessThan(500);
    // o1 is the one that moved right, if it began on the left.
    expect((right?.[0]?.box[0] ?? 0) > (right?.[1]?.box[0] ?? 0)).toBe(true);
    for (const { tracks } of played.slice(2)) {
      for (const { box, seen } of tracks) {
        if (seen) expect(box[2]).toBeLessThan(62);
      }
    }
  });
});

describe('a partial percept', () => {
  const partial = (k: number) => (t: number) => ({ partial: Math.round(t * 10) % k !== 0 });

  it('leaves objects that stand still in view', () => {
    const shown: Scene = (t) => (Math.round(t * 10) % 5 === 0 ? [person(400)] : []);
    const played = play(shown, { to: 6, more: partial(5) });
    expect(ids(played)).toEqual(['o1']);
    for (const { t, tracks } of played) if (t >= 0.6) expect(tracks[0]?.seen, `at ${t}`).toBe(true);
    expect(played.at(-1)?.tracks[0]?.spanStart).toBe(0);
  });

  it('corrects moving objects by their motion', () => {
    const x = (t: number): number => (t < 2 ? 100 + 100 * t : 300 - 100 * (t - 2));
    const shown: Scene = (t) => [
      Math.round(t * 10) % 10 === 0 ? person(x(t)) : moving(x(t), 300, { label: 'person' }),
    ];
    for (const { t, tracks } of play(shown, { to: 3.9, more: partial(10) })) {
      if (t < 0.5) continue;
      const [track] = tracks;
      expect(Math.abs((track?.box[0] ?? 0) + 20 - x(t)), `at ${t}`).toBeLessThan(25);
    }
  });

  it('continues no object for longer than a second', () => {
    const shown: Scene = (t) => (t < 2 ? [person(400)] : []);
    const played = play(shown, { to: 5, more: (t) => ({ partial: t >= 2 }) });
    expect(played.find(({ t }) => t === 2.8)?.tracks).toMatchObject([{ seen: true }]);
    expect(played.find(({ t }) => t === 3.1)?.tracks).toEqual([]);
  });

  it('does not keep an object that the next full percept misses', () => {
    const shown: Scene = (t) => (t < 2 && Math.round(t * 10) % 5 === 0 ? [person(400)] : []);
    const played = play(shown, { to: 3, more: partial(5) });
    expect(played.find(({ t }) => t === 2.4)?.tracks).toMatchObject([{ seen: false, lastSeen: 1.5 }]);
    expect(played.find(({ t }) => t === 2.5)?.tracks).toEqual([]);
  });
});

describe('a covered scene', () => {
  const hand = (from: number, to: number) => (t: number) =>
    t >= from && t < to ? { scene: 'covered' as const } : {};
  const bare =
    (scene: Scene, from: number, to: number): Scene =>
    (t) =>
      t >= from && t < to ? [] : scene(t);

  it.each([0.6, 4, 30])('of %s s ends no identity', (s) => {
    const everyone: Scene = (t) => [person(200), person(500 + 2 * wobble(t, 1)), person(800)];
    const played = play(bare(everyone, 3, 3 + s), { to: 5 + s, more: hand(3, 3 + s) });
    expect(ids(played)).toEqual(['o1', 'o2', 'o3']);
    expect(played.at(-1)?.tracks).toHaveLength(3);
    const under = played.filter(({ t }) => t >= 3 && t < 3 + s);
    expect(under.flatMap(({ tracks }) => tracks).every(({ seen }) => !seen)).toBe(true);
  });

  it('does not change what the tracker has learned', () => {
    const tracker = new Tracker();
    play(() => [person(400)], { to: 2, tracker });
    const known = tracker.dump();
    const noise: Scene = (t) =>
      Array.from({ length: 50 }, (_, k) => person(500 + 450 * wobble(t, k), 250 + 100 * wobble(t, 99 + k)));
    play(noise, { from: 2.1, to: 3, tracker, more: () => ({ scene: 'covered' }) });
    const after = tracker.dump();
    for (const key of ['identities', 'clutter', 'tentative', 'jitter', 'falseAlarms'])
      expect(after[key], key).toBe(known[key]);
  });
});

describe('another scene', () => {
  it('ends all tracks: a person at the same place is a new one', () => {
    const played = play(() => [person(400)], {
      to: 4,
      more: (t) => (t === 2 ? { scene: 'changed' } : {}),
    });
    expect(ids(played)).toEqual(['o1', 'o2']);
  });
});

describe('a camera that moves', () => {
  const crowd = (t: number): Drawn[] =>
    [0, 1, 2, 3, 4].map((k) => person(150 + 170 * k + 30 * Math.sin(t + k), 240 + 30 * k));
  const shaken =
    (at: number, dx: number, dy: number): Scene =>
    (t) =>
      crowd(t).map((one) => ({
        ...one,
        box: t < at ? one.box : ([one.box[0] + dx, one.box[1] + dy, one.box[2], one.box[3]] as const),
      }));

  it('is detected from the objects themselves when it is kicked', () => {
    const tracker = new Tracker();
    const played = play(shaken(3, 85, -60), { to: 6, tracker });
    expect(ids(played)).toHaveLength(5);
    expect(tracker.dump()['shifts']).toBe(1);
  });

  it('is not detected when people walk the same way, or leave', () => {
    const tracker = new Tracker();
    play((t) => [0, 1, 2, 3].map((k) => person(100 + 200 * k + 120 * t, 300 + 20 * k)), { to: 3, tracker });
    play((t) => (t < 5 ? crowd(t) : []), { from: 3.1, to: 8, tracker });
    expect(tracker.dump()['shifts']).toBe(0);
  });

  it('moves hidden and remembered objects along when the percept states the motion', () => {
    const camera: Affine = [1, 0, 0, 1, 200, 50];
    const scene: Scene = (t) => {
      const moved = t >= 3 ? 1 : 0;
      const shift = (one: Drawn): Drawn => ({
        ...one,
        box: [one.box[0] + 200 * moved, one.box[1] + 50 * moved, one.box[2], one.box[3]],
      });
      return [
        shift(person(500)),
        t < 1.5 || t > 4 ? shift(person(200)) : undefined,
        t < 2.8 || t > 3.3 ? shift(person(350)) : undefined,
      ];
    };
    const played = play(scene, { to: 6, more: (t) => (t === 3 ? { camera } : {}) });
    expect(ids(played)).toEqual(['o1', 'o2', 'o3']);
    expect(played.at(-1)?.tracks).toHaveLength(3);
  });
});

describe('bad input makes no flood of identities', () => {
  it('from a rain of confident noise', () => {
    const tracker = new Tracker();
    const rain: Scene = (t) =>
      Array.from({ length: 150 }, (_, k) => ({
        box: [
          ((wobble(t, k) + 1) / 2) * (WIDTH - 60),
          ((wobble(t, 200 + k) + 1) / 2) * (HEIGHT - 60),
          40 + 15 * wobble(t, 400 + k),
          50 + 15 * wobble(t, 600 + k),
        ] as const,
        score: 0.8,
      }));
    play(rain, { to: 8, tracker });
    const during = Number(tracker.dump()['identities']);
    expect(during).toBeLessThan(20);
    play(rain, { from: 8.1, to: 14, tracker });
    expect(Number(tracker.dump()['identities']) - during).toBeLessThan(5);
    // After the noise people are found again.
    const after = play((t) => [person(300 + 20 * t)], { from: 14.1, to: 21, tracker });
    expect(after.at(-1)?.tracks).toHaveLength(1);
  });

  it('from 300 objects', () => {
    const tracker = new Tracker();
    const many: Scene = (t) =>
      Array.from({ length: 300 }, (_, k) => ({
        box: [
          (k % 25) * 40 + 4 * Math.sin(t + k) + 0.5 * wobble(t, k),
          Math.floor(k / 25) * 40 + 3 * Math.cos(t + k),
          14,
          30,
        ] as const,
      }));
    const played = play(many, { to: 8, tracker });
    expect(ids(played)).toHaveLength(300);
  });

  it('from one frame per 5 s', () => {
    const standing: Scene = (t) => [
      person(200 + 3 * wobble(t, 1)),
      person(500 + 3 * wobble(t, 2)),
      { box: [700, 200, 200, 90], label: 'car' },
    ];
    const played = play(standing, { fps: 0.2, to: 300 });
    expect(ids(played)).toHaveLength(3);
    expect(played.at(-1)?.tracks).toHaveLength(3);
  });

  it.each([5, 8, 15, 30, 60])('from frames that are dropped at random at %s fps', (fps) => {
    const tracker = new Tracker();
    const seen = new Set<string>();
    for (let k = 0; k < 8 * fps; k += 1) {
      const t = k / fps;
      if (wobble(t, 5) < -0.2) continue;
      const scene = [person(100 + 90 * t, 280), person(900 - 90 * t, 320), person(500 + wobble(t, 7), 450)];
      for (const { id } of tracker.update(percept(t, scene))) seen.add(id);
    }
    expect([...seen]).toHaveLength(3);
  });
});
