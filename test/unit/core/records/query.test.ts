import { describe, expect, it } from 'vitest';
import type { EventObserved } from '../../../../src/core/messages.js';
import { RecordQueries } from '../../../../src/core/records/query.js';
import type { ObjectHistory, Records } from '../../../../src/core/records/records.js';

const FACE = Float32Array.of(1, 0);
const BACK = Float32Array.of(0.6, 0.8);
const OTHER = Float32Array.of(-0.8, 0.6);

function person(
  id: string,
  from: number,
  to: number,
  x: number,
  embedding: Float32Array,
  label = 'person',
): ObjectHistory {
  const box = [x, 0.2, 0.1, 0.4] as const;
  return {
    id,
    label,
    firstSeen: from,
    lastSeen: to,
    spans: [{ from, to }],
    path: [
      { t: from, box },
      { t: to, box },
    ],
    embedding,
    keyframes: [{ t: from, box, embedding }],
  };
}

function event(id: string, type: EventObserved['event']['type'], t: number, ...who: string[]): EventObserved {
  const participants = who.map((name) => {
    const label = name === 'o3' ? 'backpack' : 'person';
    return { id: name, label, box: [0.4, 0.2, 0.1, 0.4] as [number, number, number, number] };
  });
  return { event: { id, type, participants, t, confidence: 0.9 }, observedAt: t + 1 };
}

const RECORDS: Records = {
  objects: [
    person('o1', 0, 20, 0.1, FACE),
    person('o2', 5, 30, 0.7, OTHER),
    person('o3', 6, 12, 0.4, OTHER, 'backpack'),
    person('o4', 40, 50, 0.7, BACK),
  ],
  events: [
    event('e1', 'enter', 0, 'o1'),
    event('e2', 'meet', 8, 'o1', 'o2'),
    { event: { ...event('', 'zone_enter', 9, 'o1').event, id: 'e3', zone: 'door' }, observedAt: 9 },
    event('e4', 'pick_up', 10, 'o1', 'o3'),
    event('e5', 'separate', 15, 'o1', 'o2'),
    event('e6', 'enter', 40, 'o4'),
  ],
  relations: [
    { kind: 'near', a: 'o1', b: 'o2', from: 7, to: 15, open: false },
    { kind: 'carrying', a: 'o1', b: 'o3', from: 10, to: 12, open: false },
    { kind: 'following', a: 'o2', b: 'o1', from: 16, to: 19, open: false },
  ],
  episodes: [
    { from: 0, to: 31, text: 'person #1 met person #2', events: ['e1', 'e2'], objects: ['o1', 'o2'] },
    { from: 38, to: 55, text: 'person #4 entered', events: ['e6'], objects: ['o4'] },
  ],
  places: {
    zones: {
      door: [
        [0.6, 0],
        [1, 0],
        [1, 1],
        [0.6, 1],
      ],
    },
    lines: {},
  },
};

const queries = new RecordQueries(RECORDS);
const ids = (records: readonly { readonly id: string }[]): string[] => records.map(({ id }) => id);
const eventIds = (records: readonly EventObserved[]): string[] => ids(records.map((record) => record.event));

describe('RecordQueries', () => {
  it('finds objects by id, label, time and place', () => {
    expect(ids(queries.objects({ ids: ['o2', 'o9'] }))).toEqual(['o2']);
    expect(ids(queries.objects({ labels: ['backpack'] }))).toEqual(['o3']);
    expect(ids(queries.objects({ span: { from: 21, to: 35 } }))).toEqual(['o2']);
    expect(ids(queries.objects({ span: { from: 35 } }))).toEqual(['o4']);
    expect(ids(queries.objects({ place: { zone: 'door' } }))).toEqual(['o2', 'o4']);
    expect(ids(queries.objects({ place: { zone: 'door' }, span: { to: 30 } }))).toEqual(['o2']);
    expect(ids(queries.objects({ place: { box: [0, 0.5, 0.3, 0.2] } }))).toEqual(['o1']);
    expect(ids(queries.objects({ place: { zone: 'window' } }))).toEqual([]);
  });

  it('finds events by type, participants, order of roles, place and time', () => {
    expect(eventIds(queries.events({ types: ['meet', 'separate'], objects: ['o2', 'o1'] }))).toEqual([
      'e2',
      'e5',
    ]);
    expect(eventIds(queries.events({ types: ['pick_up'], objects: ['o1', 'o3'], ordered: true }))).toEqual([
      'e4',
    ]);
    expect(eventIds(queries.events({ types: ['pick_up'], objects: ['o3', 'o1'], ordered: true }))).toEqual(
      [],
    );
    expect(eventIds(queries.events({ place: { zone: 'door' } }))).toEqual(['e3']);
    expect(eventIds(queries.events({ labels: ['backpack'] }))).toEqual(['e4']);
    expect(eventIds(queries.events({ span: { from: 8, to: 9 } }))).toEqual(['e2', 'e3']);
  });

  it('keeps the newest or the oldest under a limit, in order of time', () => {
    expect(eventIds(queries.events({ limit: 2 }))).toEqual(['e1', 'e2']);
    expect(eventIds(queries.events({ limit: 2, keep: 'newest' }))).toEqual(['e5', 'e6']);
  });

  it('finds relations by their objects; near is symmetric, following is not', () => {
    expect(queries.relations({ a: 'o2', b: 'o1' }).map(({ kind }) => kind)).toEqual(['near', 'following']);
    expect(queries.relations({ a: 'o1', b: 'o2' }).map(({ kind }) => kind)).toEqual(['near']);
    expect(queries.relations({ object: 'o3' }).map(({ kind }) => kind)).toEqual(['carrying']);
    expect(queries.relations({ span: { from: 15.5 } }).map(({ kind }) => kind)).toEqual(['following']);
    expect(queries.relations({ kinds: ['near'], object: 'o1' })).toHaveLength(1);
  });

  it('finds episodes by time, objects and words', () => {
    expect(queries.episodes({ span: { from: 30, to: 37 } })).toHaveLength(1);
    expect(queries.episodes({ objects: ['o4'] })[0]?.from).toBe(38);
    expect(queries.episodes({ text: 'met' })[0]?.from).toBe(0);
  });

  it('finds objects of similar appearance', () => {
    const found = queries.similar({ like: 'o1' });
    expect(found.map(({ object }) => object.id)).toEqual(['o4']);
    expect(found[0]?.cosine).toBeCloseTo(0.6);
    expect(found[0]?.keyframe?.t).toBe(40);
    expect(queries.similar({ like: FACE }).map(({ object }) => object.id)).toEqual(['o1', 'o4']);
    expect(queries.similar({ like: 'o1', span: { to: 30 } })).toEqual([]);
    expect(queries.similar({ like: 'o9' })).toEqual([]);
  });

  it('finds words in labels, types, ids and texts, the best match first', () => {
    const first = queries.search('#1 picks up the backpack')[0];
    expect(first && 'event' in first && first.event.event.id).toBe('e4');
    expect(eventIds(queries.events({ text: 'Persons MEET' }))).toEqual(['e2']);
    expect(ids(queries.objects({ text: '#4' }))).toEqual(['o4']);
    expect(queries.search('zebra')).toEqual([]);
  });
});
