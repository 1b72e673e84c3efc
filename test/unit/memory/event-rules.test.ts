import { describe, expect, it } from 'vitest';
import type { EventObserved } from '../../../src/core/messages.js';
import type { EventType } from '../../../src/core/ontology.js';
import type { Places } from '../../../src/core/memory.js';
import { ObjectMemory, type ObjectMemoryOptions } from '../../../src/memory/object-memory.js';
import { expand, perceptsOf, TrueTracker, type KnotTrack } from '../../support/tracks.js';

/** Frame of 1000 × 600 px; people are 40 × 100 px, so 100 px are one body height; things are 40 × 40 px. */
const FRAME = { width: 1000, height: 600, fps: 25 };
type Knot = readonly [t: number, x: number, y: number, w?: number, h?: number];

function object(
  id: string,
  label: string,
  knots: readonly Knot[],
  size: readonly [number, number],
): KnotTrack {
  return { id, label, knots: knots.map(([t, x, y, w = size[0], h = size[1]]) => [t, x, y, w, h] as const) };
}

const person = (id: string, ...knots: Knot[]): KnotTrack => object(id, 'person', knots, [40, 100]);
const thing = (id: string, ...knots: Knot[]): KnotTrack => object(id, 'suitcase', knots, [40, 40]);

function watch(tracks: KnotTrack[], end: number, options: ObjectMemoryOptions = {}): EventObserved[] {
  const script = { ...FRAME, end, tracks };
  const memory = new ObjectMemory(new TrueTracker(expand(script)), { tracks: 'exact', ...options });
  return perceptsOf(script).flatMap((percept) => memory.update(percept).events);
}

/** Emitted events of one type as `participants@t`. */
function emitted(type: EventType, tracks: KnotTrack[], end = 12, options?: ObjectMemoryOptions): string[] {
  return watch(tracks, end, options)
    .filter(({ event }) => event.type === type)
    .map(({ event }) => `${event.participants.map(({ id }) => id).join('+')}@${event.t.toFixed(1)}`);
}

const PLACES: Places = {
  zones: {
    yard: [
      [0.4, 0],
      [0.6, 0],
      [0.6, 1],
      [0.4, 1],
    ],
  },
  lines: {
    gate: [
      [0.5, 0.2],
      [0.5, 0.9],
    ],
  },
};

interface Case {
  readonly type: EventType;
  readonly when: string;
  readonly yes: KnotTrack[];
  readonly emitted: string;
  readonly but: string;
  readonly no: KnotTrack[];
}

const still = (id: string, x = 500, until = 12): KnotTrack => person(id, [0, x, 400], [until, x, 400]);
const falling = (id: string, ...knots: Knot[]): KnotTrack =>
  person(id, [0, 500, 400], [3, 500, 400], ...knots);

const CASES: Case[] = [
  {
    type: 'enter',
    when: 'is first observed at the border',
    yes: [person('a', [1, 20, 400], [5, 400, 400])],
    emitted: 'a@1.0',
    but: 'in the middle',
    no: [person('a', [1, 300, 400], [5, 500, 400])],
  },
  {
    type: 'appear',
    when: 'is first observed in the middle',
    yes: [person('a', [1, 300, 400], [5, 500, 400])],
    emitted: 'a@1.0',
    but: 'touches the border within half a second',
    no: [person('a', [1, 60, 400], [1.4, 45, 400], [5, 400, 400])],
  },
  {
    type: 'exit',
    when: 'is last observed at the border',
    yes: [person('a', [0, 300, 400], [4, 980, 400])],
    emitted: 'a@4.0',
    but: 'in the middle',
    no: [person('a', [0, 300, 400], [4, 600, 400])],
  },
  {
    type: 'disappear',
    when: 'is unseen for a second',
    yes: [person('a', [0, 300, 400], [4, 600, 400])],
    emitted: 'a@4.0',
    but: 'for less, at the end',
    no: [person('a', [0, 300, 400], [11.2, 600, 400])],
  },
  {
    type: 'start_moving',
    when: 'stood and starts walking',
    yes: [person('a', [0, 300, 400], [3, 300, 400], [6, 480, 400])],
    emitted: 'a@3.4',
    but: 'too slowly',
    no: [person('a', [0, 300, 400], [3, 300, 400], [6, 390, 400])],
  },
  {
    type: 'stop',
    when: 'walked and stands',
    yes: [person('a', [0, 300, 400], [3, 480, 400], [6, 480, 400])],
    emitted: 'a@3.5',
    but: 'walks on after a moment',
    no: [person('a', [0, 300, 400], [3, 480, 400], [4, 480, 400], [7, 660, 400])],
  },
  {
    type: 'turn',
    when: 'turns by 90°',
    yes: [person('a', [0, 300, 400], [3, 500, 400], [6, 500, 200])],
    emitted: 'a@3.3',
    but: 'by less than 60°',
    no: [person('a', [0, 300, 400], [3, 500, 400], [6, 640, 260])],
  },
  {
    type: 'meet',
    when: 'comes near and stays',
    yes: [still('a'), person('b', [0, 900, 400], [3, 540, 400], [12, 540, 400])],
    emitted: 'a+b@2.8',
    but: 'only passes',
    no: [still('a'), person('b', [0, 900, 400], [2, 100, 400], [12, 60, 400])],
  },
  {
    type: 'separate',
    when: 'goes away after they met',
    yes: [still('a'), person('b', [0, 900, 400], [3, 540, 400], [6, 540, 400], [9, 900, 400])],
    emitted: 'a+b@6.7',
    but: 'they never met',
    no: [still('a'), person('b', [0, 540, 400], [6, 540, 400], [9, 900, 400])],
  },
  {
    type: 'approach',
    when: 'heads for the other',
    yes: [person('a', [0, 100, 400], [5, 400, 400]), person('b', [0, 900, 400], [5, 600, 400])],
    emitted: 'a+b@3.7',
    but: 'will miss it',
    no: [person('a', [0, 100, 400], [5, 400, 400]), person('b', [0, 900, 250], [5, 600, 250])],
  },
  {
    type: 'collide',
    when: 'is stopped by the other',
    yes: [
      thing('a', [0, 300, 300], [2, 460, 300], [4, 460, 300]),
      thing('b', [0, 500, 300], [2, 500, 300], [4, 660, 300]),
    ],
    emitted: 'a+b@2.0',
    but: 'passes through it',
    no: [thing('a', [0, 300, 300], [4, 620, 300]), thing('b', [0, 500, 300], [4, 500, 300])],
  },
  {
    type: 'zone_enter',
    when: 'goes in and stays',
    yes: [person('a', [0, 300, 400], [4, 700, 400])],
    emitted: 'a@1.0',
    but: 'touches it for a moment',
    no: [person('a', [0, 300, 400], [1, 405, 400], [1.1, 390, 400], [4, 390, 400])],
  },
  {
    type: 'zone_leave',
    when: 'goes out',
    yes: [person('a', [0, 500, 400], [4, 900, 400])],
    emitted: 'a@1.1',
    but: 'stays inside',
    no: [person('a', [0, 500, 400], [4, 590, 400])],
  },
  {
    type: 'line_cross',
    when: 'crosses between the ends',
    yes: [person('a', [0, 300, 400], [4, 700, 400])],
    emitted: 'a@2.0',
    but: 'passes beyond its end',
    no: [person('a', [0, 300, 115], [4, 700, 115])],
  },
  {
    type: 'loiter',
    when: 'stays for ten seconds',
    yes: [still('a')],
    emitted: 'a@10.0',
    but: 'moves on by 3 heights',
    no: [person('a', [0, 300, 400], [6, 300, 400], [7, 700, 400], [12, 700, 400])],
  },
  {
    type: 'follow',
    when: 'goes behind for three seconds',
    yes: [person('a', [0, 100, 400], [6, 460, 400]), person('b', [0, 300, 400], [6, 660, 400])],
    emitted: 'a+b@3.6',
    but: 'goes next to it',
    no: [person('a', [0, 100, 400], [6, 460, 400]), person('b', [0, 120, 250], [6, 480, 250])],
  },
  {
    type: 'pick_up',
    when: 'carries a thing off',
    yes: [
      person('a', [0, 200, 400], [3, 490, 400], [5, 490, 400], [9, 900, 400]),
      thing('s', [0, 500, 390], [5, 500, 390], [9, 910, 390]),
    ],
    emitted: 'a+s@5.2',
    but: 'leaves it there',
    no: [
      person('a', [0, 200, 400], [3, 490, 400], [5, 490, 400], [9, 900, 400]),
      thing('s', [0, 500, 390], [9, 500, 390]),
    ],
  },
  {
    type: 'put_down',
    when: 'walks on without it',
    yes: [
      person('a', [0, 200, 400], [4, 600, 400], [8, 960, 400]),
      thing('s', [0, 210, 390], [4, 610, 390], [8, 610, 390]),
    ],
    emitted: 'a+s@4.2',
    but: 'stands with it',
    no: [
      person('a', [0, 200, 400], [4, 600, 400], [8, 600, 400]),
      thing('s', [0, 210, 390], [4, 610, 390], [8, 610, 390]),
    ],
  },
  {
    type: 'fall',
    when: 'lies down within a second',
    yes: [falling('a', [3.6, 540, 400, 100, 40], [8, 540, 400, 100, 40])],
    emitted: 'a@3.0',
    but: 'is hidden from below',
    no: [falling('a', [3.6, 500, 340, 60, 40], [8, 500, 340, 60, 40])],
  },
];

describe.each(CASES)('$type', ({ type, when, yes, emitted: expected, but, no }) => {
  it(`is emitted once when the object ${when}`, () => {
    const found = emitted(type, yes, 12, { places: PLACES });
    expect(found).toHaveLength(1);
    const [ids, t] = (found[0] ?? '').split('@');
    expect(ids).toBe(expected.split('@')[0]);
    expect(Math.abs(Number(t) - Number(expected.split('@')[1]))).toBeLessThan(0.25);
  });

  it(`is not emitted when the object ${but}`, () => {
    expect(emitted(type, no, 12, { places: PLACES })).toEqual([]);
  });
});

/** Further sequences that resemble an event of the type without being one. */
const NEAR_MISSES: readonly (readonly [type: EventType, but: string, no: KnotTrack[]])[] = [
  [
    'zone_leave',
    'is outside for a moment',
    [person('a', [0, 500, 400], [2, 595, 400], [2.1, 605, 400], [2.2, 590, 400], [4, 500, 400])],
  ],
  [
    'line_cross',
    'turns back within a moment',
    [person('a', [0, 300, 400], [2, 495, 400], [2.05, 505, 400], [2.1, 495, 400], [4, 300, 400])],
  ],
  ['loiter', 'is seen for nine seconds', [still('a', 500, 9)]],
  [
    'follow',
    'catches up',
    [person('a', [0, 100, 400], [6, 700, 400]), person('b', [0, 450, 400], [6, 810, 400])],
  ],
  [
    'follow',
    'goes the other way',
    [person('a', [0, 100, 400], [6, 460, 400]), person('b', [0, 660, 400], [6, 300, 400])],
  ],
  [
    'follow',
    'goes far behind',
    [person('a', [0, 20, 400], [6, 380, 400]), person('b', [0, 520, 400], [6, 880, 400])],
  ],
  [
    'pick_up',
    'stands while the thing moves by itself',
    [person('a', [0, 200, 400], [8, 200, 400]), thing('s', [0, 500, 390], [3, 500, 390], [7, 900, 390])],
  ],
  [
    'put_down',
    'never had it',
    [person('a', [0, 200, 400], [8, 960, 400]), thing('s', [0, 610, 390], [8, 610, 390])],
  ],
  [
    'fall',
    'bends down over three seconds',
    [person('a', [0, 500, 400], [3, 500, 400], [6, 500, 400, 60, 50], [8, 500, 400, 60, 50])],
  ],
  [
    'fall',
    'crouches and stays higher than wide',
    [falling('a', [3.6, 500, 400, 40, 60], [8, 500, 400, 40, 60])],
  ],
];

describe.each(NEAR_MISSES)('%s', (type, but, no) => {
  it(`is not emitted when the object ${but}`, () => {
    expect(emitted(type, no, 12, { places: PLACES })).toEqual([]);
  });
});

describe('events', () => {
  it('contain the boxes, roles and places of their moment, and the time of their emission', () => {
    const all = watch([person('a', [0, 300, 400], [4, 700, 400])], 6, { places: PLACES });
    const cross = all.find(({ event }) => event.type === 'line_cross')!;
    expect(cross.event).toMatchObject({ zone: 'gate', direction: 'b>a', t: 2.1 });
    expect(cross.event.participants[0]!.box[0]).toBeCloseTo(0.49, 2);
    expect(cross.observedAt).toBeCloseTo(2.32, 1);
    const [follow] = watch(CASES.find(({ type }) => type === 'follow')!.yes, 6).filter(
      ({ event }) => event.type === 'follow',
    );
    expect(follow!.event.participants.map(({ role }) => role)).toEqual(['follower', 'followed']);
  });

  it('are numbered in order of emission and have a higher confidence when they are clearer', () => {
    const all = watch(CASES.flatMap(({ yes }) => yes).slice(0, 8), 12, { places: PLACES });
    expect(all.map(({ event }) => event.id)).toEqual(all.map((_, i) => `e${i + 1}`));
    const sure = (y: number): number =>
      watch([person('a', [0, 100, 400], [5, 400, 400]), person('b', [0, 900, y], [5, 600, y])], 6).find(
        ({ event }) => event.type === 'approach',
      )!.event.confidence;
    expect(sure(400)).toBeGreaterThan(sure(350));
    expect(sure(350)).toBeGreaterThanOrEqual(0.6);
  });

  it('split at a gap of one second, not at a shorter one', () => {
    const seen = (gap: number): string[] =>
      emitted('appear', [{ ...still('a', 500, 9), unseen: [[3.02, 3 + gap]] }]);
    expect(seen(0.8)).toEqual(['a@0.0']);
    expect(seen(1.2)).toEqual(['a@0.0', 'a@4.2']);
  });
});

describe('events of estimated tracks', () => {
  const estimated = { tracks: 'estimated' } as const;

  it('bridge two seconds without detections in the middle of the view', () => {
    const hidden = (until: number): string[] =>
      emitted('disappear', [{ ...still('a'), unseen: [[3.02, until]] }], 11, estimated);
    expect(hidden(5)).toEqual([]);
    expect(hidden(7)).toEqual(['a@3.0']);
  });

  it('report an object that was on its way out as an exit', () => {
    const leaving = [person('a', [0, 300, 400], [5, 935, 400])];
    expect(emitted('exit', leaving, 12, estimated)).toEqual(['a@5.0']);
    expect(emitted('disappear', leaving)).toEqual(['a@5.0']);
  });

  it('contain no collision when one person passes in front of another with jittering boxes', () => {
    const shaky = (track: KnotTrack, w: number): KnotTrack => ({ ...track, wobble: [4, w, 3, w + 2] });
    const passing = [
      shaky(person('a', [0, 100, 400], [10, 900, 400]), 13),
      shaky(person('b', [0, 900, 380], [10, 100, 380]), 15),
    ];
    expect(emitted('collide', passing)).not.toEqual([]);
    expect(emitted('collide', passing, 12, estimated)).toEqual([]);
  });

  it('contain a stop of a standing person although the boxes jitter', () => {
    const track = person('a', [0, 100, 400], [4, 460, 400], [10, 460, 400]);
    const jittery = [{ ...track, wobble: [5, 7.5, 3, 8] as const }];
    expect(emitted('stop', jittery)).toEqual([]);
    expect(emitted('stop', jittery, 12, estimated)).toHaveLength(1);
  });
});
