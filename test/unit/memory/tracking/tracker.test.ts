import { describe, expect, it } from 'vitest';
import { boxCentre, iou } from '../../../../src/core/maths/box.js';
import { Tracker } from '../../../../src/memory/tracking/tracker.js';
import { HEIGHT, idAt, ids, percept, person, play, wobble, WIDTH, type Scene } from './drawn.js';

describe('a track begins', () => {
  it('after two confident detections, dated at the first, with the earlier box returned once', () => {
    const played = play((t) => [person(200 + 80 * t)], { to: 0.4 });
    expect(played[0]?.tracks).toEqual([]);
    const [track] = played[1]?.tracks ?? [];
    expect(track).toMatchObject({
      id: 'o1',
      label: 'person',
      firstSeen: 0,
      spanStart: 0,
      lastSeen: 0.1,
      seen: true,
    });
    expect(track?.backlog).toEqual([
      { t: 0, box: [180, 200, 40, 100].map((v) => expect.closeTo(v, 6) as number) },
    ]);
    expect(played[2]?.tracks[0]).not.toHaveProperty('backlog');
  });

  it('never from single detections that come and go', () => {
    const noise: Scene = (t) => [
      person(150 + 700 * Math.abs(wobble(t, 1)), 200 + 200 * Math.abs(wobble(t, 2))),
    ];
    const flicker: Scene = (t) => (Math.round(t * 60) % 30 < 3 ? [person(400)] : []);
    expect(ids(play((t) => (Math.round(t * 10) % 4 === 0 ? noise(t) : []), { to: 10 }))).toEqual([]);
    expect(ids(play(flicker, { fps: 60, to: 5 }))).toEqual([]);
  });

  it('never from weak detections, however steady', () => {
    expect(ids(play(() => [person(400, 300, { score: 0.45 })], { to: 5 }))).toEqual([]);
  });

  it('only once where the detector draws an object and its part, or two labels on one object', () => {
    const scene: Scene = (t) => [
      person(200 + 50 * t),
      { box: [182 + 50 * t, 201, 36, 45], score: 0.5 },
      { box: [600, 200, 200, 90], label: 'car', score: 0.7 },
      { box: [602, 198, 201, 93], label: 'truck', score: 0.65 },
    ];
    expect(ids(play(scene, { to: 3 }))).toEqual(['o1', 'o2']);
  });
});

describe('a track goes on', () => {
  it('with weak detections', () => {
    const played = play((t) => [person(200 + 60 * t, 300, { score: t > 1 && t < 2.5 ? 0.2 : 0.8 })], {
      to: 4,
    });
    expect(ids(played)).toEqual(['o1']);
    expect(played.slice(1).every(({ tracks }) => tracks[0]?.seen)).toBe(true);
  });

  it.each([0.5, 0.9])('hidden through a gap of %s s, and the boxes in between are then known', (gap) => {
    const last = 2;
    const shown = (t: number): boolean => t <= last + 1e-9 || t >= last + gap - 1e-9;
    const played = play((t) => [shown(t) ? person(200 + 100 * t) : undefined], { to: 4 });
    expect(ids(played)).toEqual(['o1']);
    const hidden = played.filter(({ tracks }) => tracks[0]?.seen === false);
    expect(hidden).toHaveLength(Math.round(gap * 10) - 1);
    for (const { t, tracks } of hidden) expect(tracks[0]?.lastSeen, `at ${t}`).toBeCloseTo(last);
    const found = played.find(({ t, tracks }) => t > last && tracks[0]?.seen)?.tracks[0];
    expect(found?.spanStart).toBe(0);
    expect(found?.backlog?.map(({ t }) => t)).toEqual(hidden.map(({ t }) => t));
    for (const { t, box } of found?.backlog ?? [])
      expect(Math.abs(boxCentre(box)[0] - (200 + 100 * t))).toBeLessThan(5);
  });

  it('as the same object in a new span after more than a second behind something', () => {
    const played = play((t) => [t <= 2 || t >= 3.5 ? person(200 + 60 * t) : undefined], { to: 5 });
    expect(ids(played)).toEqual(['o1']);
    expect(played.find(({ t }) => Math.abs(t - 2.9) < 1e-6)?.tracks).toHaveLength(1);
    expect(played.find(({ t }) => t === 3)?.tracks).toEqual([]);
    expect(played.at(-1)?.tracks[0]).toMatchObject({ firstSeen: 0, spanStart: 3.5 });
    const back = played.find(({ t, tracks }) => t > 3 && tracks.length > 0)?.tracks[0];
    expect(back?.backlog?.map(({ t }) => t)).toEqual([3.5]);
  });

  it('not as the same object when it comes back too late or too far away', () => {
    const late = play((t) => [t <= 2 || t >= 8 ? person(300) : undefined], { to: 9 });
    const far = play((t) => [t <= 2 ? person(200) : t >= 3.5 ? person(800) : undefined], { to: 5 });
    expect(ids(late)).toEqual(['o1', 'o2']);
    expect(ids(far)).toEqual(['o1', 'o2']);
  });

  it('under one id when its label flickers, named by the weight of the votes', () => {
    const scene: Scene = (t) => [
      { ...person(200 + 50 * t), label: Math.round(t * 10) % 3 === 2 ? 'bicycle' : 'person' },
    ];
    const played = play(scene, { to: 4 });
    expect(ids(played)).toEqual(['o1']);
    expect(played.at(-1)?.tracks[0]?.label).toBe('person');
  });

  it('is not continued by a passing object of another label', () => {
    const scene: Scene = (t) => [
      t < 2 ? person(500) : undefined,
      t > 2.05 ? { box: [500, 240, 150, 60], label: 'car' } : undefined,
    ];
    const played = play(scene, { to: 3.5 });
    expect(played.at(-1)?.tracks.map(({ id, label }) => [id, label])).toEqual([['o2', 'car']]);
  });

  it('after the picture changed its size', () => {
    const tracker = new Tracker();
    play(() => [person(500)], { to: 1, tracker });
    const half = { ...percept(1.1, [person(500)]), width: WIDTH / 2, height: HEIGHT / 2 };
    const [track] = tracker.update(half);
    expect(track).toMatchObject({ id: 'o1', seen: true });
    expect(iou(track?.box ?? [0, 0, 0, 0], [240, 100, 20, 50])).toBeGreaterThan(0.9);
  });

  it('along a camera that moves, when the percept states the motion', () => {
    const follow = (stated: boolean): string[] => {
      const tracker = new Tracker();
      const seen = new Set<string>();
      for (let k = 0; k < 30; k += 1) {
        const jump = k >= 15 ? 300 : 0;
        const camera = stated && k === 15 ? ([1, 0, 0, 1, 300, 0] as const) : undefined;
        for (const { id } of tracker.update({
          ...percept(k / 10, [person(200 + jump)]),
          ...(camera && { camera }),
        }))
          seen.add(id);
      }
      return [...seen];
    };
    expect(follow(true)).toEqual(['o1']);
    expect(follow(false)).toEqual(['o1', 'o2']);
  });
});

describe('several objects', () => {
  it.each([5, 10, 25, 60])('keep their ids when they cross unoccluded at %s fps', (fps) => {
    const scene: Scene = (t) => [person(200 + 90 * t, 300), person(700 - 90 * t, 340)];
    const played = play(scene, { fps, to: 5 });
    expect(ids(played)).toHaveLength(2);
    const first = played.find(({ tracks }) => tracks.length === 2);
    const start = idAt(first ? [first] : [], 200);
    expect(idAt(played, 650)).toBe(start);
  });

  it('keep their ids when one hides the other while they cross', () => {
    const scene: Scene = (t) => {
      const near = person(200 + 100 * t, 330);
      const far = person(700 - 100 * t, 300);
      return [near, iou(near.box, far.box) > 0.3 ? undefined : far];
    };
    const played = play(scene, { to: 5 });
    expect(ids(played)).toEqual(['o1', 'o2']);
    expect(idAt(played, 700)).toBe(idAt(played.slice(0, 4), 200));
  });

  it('keep their ids when they merge into one detection and split again', () => {
    const scene: Scene = (t) => {
      const apart = Math.abs(t - 2.5) * 90;
      if (apart > 22) return [person(500 - apart), person(500 + apart)];
      return [{ box: [480 - apart, 200, 40 + 2 * apart, 100] }];
    };
    expect(ids(play(scene, { to: 5 }))).toHaveLength(2);
  });

  it('are followed when small and fast at 5 fps, boxes of successive frames not touching', () => {
    const scene: Scene = (t) => [{ box: [50 + 110 * t, 100, 14, 14], label: 'sports ball' }];
    const played = play(scene, { fps: 5, to: 6 });
    expect(ids(played)).toEqual(['o1']);
    expect(played.at(-1)?.tracks[0]?.velocity[0]).toBeCloseTo(110, 0);
  });

  it('are followed through skipped frames', () => {
    const tracker = new Tracker();
    const seen = new Set<string>();
    for (const t of [0, 0.04, 0.08, 0.12, 0.32, 0.36, 0.76, 0.8, 1.2, 1.24, 1.28, 1.7]) {
      for (const { id } of tracker.update(percept(t, [person(200 + 120 * t), person(700 - 120 * t)])))
        seen.add(id);
    }
    expect([...seen]).toEqual(['o1', 'o2']);
  });
});

describe('a track ends', () => {
  it('at the border, clipped to the frame, and the next object that enters there is a new one', () => {
    const scene: Scene = (t) => {
      const x = 900 + 120 * t;
      const leaving = { box: [x, 200, Math.min(40, WIDTH - x), 100] } as const;
      return [x < WIDTH - 6 ? leaving : undefined, t >= 2.2 ? person(980 - 60 * (t - 2.2), 305) : undefined];
    };
    const played = play(scene, { to: 4 });
    for (const { box } of played.flatMap(({ tracks }) => tracks)) {
      expect(box[0]).toBeGreaterThanOrEqual(0);
      expect(box[0] + box[2]).toBeLessThanOrEqual(WIDTH);
      expect(box[2]).toBeGreaterThanOrEqual(1);
    }
    expect(ids(played)).toEqual(['o1', 'o2']);
  });

  it('when the stream is interrupted, and is recognised soon after', () => {
    const tracker = new Tracker();
    play(() => [person(400)], { to: 2, tracker });
    tracker.interrupt(2.1);
    expect(tracker.dump()).toMatchObject({ confirmed: 0, remembered: 1 });
    const played = play(() => [person(405)], { from: 3.5, to: 4.5, tracker });
    expect(ids(played)).toEqual(['o1']);
    expect(played.at(-1)?.tracks[0]).toMatchObject({ firstSeen: 0, spanStart: 3.5 });
  });

  it('when media time jumps by a minute', () => {
    const tracker = new Tracker();
    play(() => [person(400)], { to: 2, tracker });
    const played = play(() => [person(400)], { from: 62, to: 64, tracker });
    expect(ids(played)).toEqual(['o2']);
  });

  it('instead of continuing by weak detections that recur at one place', () => {
    const post = { box: [488, 205, 36, 90], score: 0.3 } as const;
    const scene: Scene = (t) => [
      { ...post, score: 0.3 + 0.03 * wobble(t, 3) },
      t > 5 && t < 8 ? person(300 + 80 * (t - 5)) : undefined,
    ];
    const played = play(scene, { to: 12 });
    expect(ids(played)).toEqual(['o1']);
    expect(played.find(({ t }) => t === 10)?.tracks).toEqual([]);
  });
});
