import { describe, expect, it } from 'vitest';
import { Tracker } from '../../../../src/memory/tracking/tracker.js';
import {
  idAt,
  ids,
  normals,
  person,
  play,
  embeddings,
  WIDTH,
  wobble,
  type Drawn,
  type Scene,
} from './drawn.js';

type Embed = (who: number) => Float32Array;

/** Two people who stay in view, so that the tracker learns the distribution of cosines. */
function bystanders(t: number, embed: Embed): Drawn[] {
  return [0, 1].map((who) => person(450 + 100 * who + 2 * wobble(t, who), 480, { embedding: embed(who) }));
}

function walk(t: number, from: number, speed: number, embed: Embed, who: number): Drawn | undefined {
  const x = from + speed * t;
  return t >= 0 && x > -15 && x < WIDTH + 15 ? person(x, 200, { embedding: embed(who) }) : undefined;
}

/** A person leaves on the right and enters on the left after `away` seconds: `who` 2, or `other`. */
function leaving(embed: Embed, away: number, other = 2): Scene {
  return (t) => [
    ...bystanders(t, embed),
    walk(t, 600, 100, embed, 2),
    walk(t - 4.15 - away, -10, 100, embed, other),
  ];
}

describe('an object that left', () => {
  it('is recognised by its appearance when it returns minutes later from another side', () => {
    const tracker = new Tracker();
    const played = play(leaving(embeddings(0.5), 180), { to: 190, fps: 5, tracker });
    expect(ids(played)).toHaveLength(3);
    expect(played.at(-1)?.tracks.find(({ box }) => box[1] < 150)).toMatchObject({ id: 'o3', firstSeen: 0 });
    expect(tracker.dump()).toMatchObject({ identities: 3, recognisedByAppearance: 1 });
  });

  it('is a new one when appearances are disabled, and keeps its embedding for memory', () => {
    const tracker = new Tracker({ appearance: false });
    const played = play(leaving(embeddings(0.5), 20), { to: 30, fps: 5, tracker });
    expect(ids(played)).toHaveLength(4);
    expect(played.at(-1)?.tracks.every(({ embedding }) => embedding !== undefined)).toBe(true);
  });

  it('is not taken for another with a different appearance', () => {
    const played = play(leaving(embeddings(0.5), 20, 3), { to: 30, fps: 5 });
    expect(ids(played)).toHaveLength(4);
  });

  it.each([
    ['noise', embeddings(1e6)],
    ['all the same', (): Float32Array => Float32Array.from([1, 0, 0])],
    [
      'hardly different',
      (who: number): Float32Array => embeddings(0.5)(who).map((v, k) => (k === 0 ? 1 : v / 300)),
    ],
  ])('is a new one when the embeddings are %s', (_, embed) => {
    const tracker = new Tracker();
    const played = play(leaving(embed, 20), { to: 30, fps: 5, tracker });
    expect(tracker.dump()['recognisedByAppearance']).toBe(0);
    expect(ids(played)).toHaveLength(4);
  });

  it('is not recognised by its appearance after ten minutes', () => {
    const tracker = new Tracker();
    play(leaving(embeddings(0.5), 630), { to: 640, fps: 2, tracker });
    expect(tracker.dump()['recognisedByAppearance']).toBe(0);
  });
});

describe('an object that was lost inside the picture', () => {
  const gap =
    (embed: Embed, other: number): Scene =>
    (t) => [
      ...bystanders(t, embed),
      t <= 8 ? person(300, 200, { embedding: embed(2) }) : undefined,
      t >= 10 ? person(310, 200, { embedding: embed(other) }) : undefined,
    ];

  it('is recognised at its place when its appearance matches, and another person there is not', () => {
    expect(ids(play(gap(embeddings(0.3), 2), { to: 12 }))).toHaveLength(3);
    expect(ids(play(gap(embeddings(0.3), 3), { to: 12 }))).toHaveLength(4);
  });

  it('is recognised by its place alone when embeddings carry no information', () => {
    expect(ids(play(gap(embeddings(1e6), 3), { to: 12 }))).toHaveLength(3);
  });
});

/**
 * Two people who walk towards each other, meet behind one box for `together` seconds, and turn back, while their
 * motion predicts that they pass.
 */
function turnBack(embed: Embed | undefined, together: number): Scene {
  return (t) => {
    const since = t - 4;
    const apart = since < 0 ? -80 * since : Math.max(0, 80 * (since - together));
    const one = (who: number, x: number): Drawn =>
      person(x, who === 0 ? 300 : 304, { ...(embed && { embedding: embed(who) }) });
    const merged = apart < 12;
    return [
      ...(embed ? bystanders(t, (who) => embed(who + 5)) : bystanders(t, () => Float32Array.from([1]))),
      one(0, 500 - apart),
      merged ? undefined : one(1, 500 + apart),
    ];
  };
}

describe('objects that swapped identities while one hid the other', () => {
  const wrong = (scene: Scene): [boolean, Tracker] => {
    const tracker = new Tracker();
    const before = play(scene, { to: 2, tracker });
    const left = idAt(before.slice(0, 20), 340);
    const after = play(scene, { from: 2.1, to: 8, tracker });
    return [idAt(after, 500 - 80 * 3.2) !== left, tracker];
  };

  it('get their identities back by their appearances', () => {
    for (const together of [0.3, 0.8]) {
      const [swapped] = wrong(turnBack(embeddings(0.4), together));
      expect(swapped, `after ${together} s`).toBe(false);
    }
  });

  it('are counted when that happens after the tracks had settled on the wrong one', () => {
    const embed = embeddings(0.4);
    // Both disappear, and reappear exactly where the other one is expected.
    const scene: Scene = (t) => {
      const x = 200 + 100 * t;
      const y = 800 - 100 * t;
      const hidden = Math.abs(x - y) < 30;
      const flip = t > 3;
      return [
        ...bystanders(t, (who) => embed(who + 5)),
        hidden ? undefined : person(x, 300, { embedding: embed(flip ? 1 : 0) }),
        person(y, 306, { embedding: embed(flip ? 0 : 1) }),
      ];
    };
    const tracker = new Tracker();
    const left = idAt(play(scene, { to: 1, tracker }), 300);
    const after = play(scene, { from: 1.1, to: 6, tracker });
    expect(idAt(after, 200)).toBe(left);
    expect(ids(after)).toHaveLength(4);
  });
});

interface Result {
  readonly identities: number;
  readonly switches: number;
}

/** People on crossing paths who hide one another, leave and return; counts how often a person's id changes. */
function crowd(embed: Embed | undefined, seed: number): Result {
  const normal = normals(seed);
  const people = Array.from({ length: 8 }, (_, who) => ({
    who,
    x: 500 + 200 * normal(),
    speed: 70 + 15 * normal(),
    sign: who % 2 === 0 ? 1 : -1,
    feet: 280 + 10 * who,
  }));
  const tracker = new Tracker();
  const last = new Map<number, string>();
  let switches = 0;
  const span = WIDTH + 400;
  for (let k = 0; k < 450; k += 1) {
    const t = k / 10;
    const now = people.map((one) => {
      const way = one.x + one.sign * one.speed * t + 200;
      return { ...one, at: (((way % span) + span) % span) - 200 };
    });
    const visible = now.filter(({ at, feet }) => {
      if (at < 22 || at > WIDTH - 22) return false;
      return !now.some((other) => other.feet > feet && Math.abs(other.at - at) < 18);
    });
    const scene: Scene = () =>
      visible.map(({ who, at, feet }) =>
        person(at + 1.5 * normal(), feet + 1.5 * normal(), { ...(embed && { embedding: embed(who) }) }),
      );
    const tracks = play(scene, { from: t, to: t, tracker })[0]?.tracks ?? [];
    for (const { who, at, feet } of visible) {
      const own = tracks.find(
        ({ seen, box }) => seen && Math.abs(box[0] + 20 - at) < 9 && Math.abs(box[1] + 100 - feet) < 6,
      );
      if (!own) continue;
      if (last.has(who) && last.get(who) !== own.id) switches += 1;
      last.set(who, own.id);
    }
  }
  return { identities: Number(tracker.dump()['identities']), switches };
}

describe('in a crowd', () => {
  it(
    'embeddings of any quality never increase the errors, and good ones keep most identities',
    { timeout: 120_000 },
    () => {
      const total = (noise: number | undefined): Result =>
        [1, 2, 3].reduce(
          (sum, seed) => {
            const one = crowd(noise === undefined ? undefined : embeddings(noise, seed), seed);
            return { identities: sum.identities + one.identities, switches: sum.switches + one.switches };
          },
          { identities: 0, switches: 0 },
        );
      const without = total(undefined);
      const by = [0.3, 0.7, 1.5, 3, 1e6].map((noise) => ({ noise, ...total(noise) }));
      for (const one of by) {
        expect(one.switches, `noise ${one.noise}`).toBeLessThanOrEqual(without.switches);
        expect(one.identities, `noise ${one.noise}`).toBeLessThanOrEqual(without.identities);
      }
      expect(by[0]?.identities).toBeLessThan(0.65 * without.identities);
    },
  );
});
