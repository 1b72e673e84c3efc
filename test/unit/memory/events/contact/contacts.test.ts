import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PresageError } from '../../../../../src/core/errors.js';
import type { EventObserved } from '../../../../../src/core/messages.js';
import {
  ContactClassifier,
  type ContactModel,
  type ContactMoment,
} from '../../../../../src/memory/events/contact/contact-classifier.js';
import {
  CONTACT_FEATURES,
  contactFeatures,
} from '../../../../../src/memory/events/contact/contact-features.js';
import { ObjectMemory } from '../../../../../src/memory/object-memory.js';
import { TrackSegment } from '../../../../../src/memory/track-segment.js';
import { expand, perceptsOf, TrueTracker, type KnotTrack } from '../../../../support/tracks.js';

const FRAME = { width: 640, height: 480, fps: 25 };
type Knot = readonly [t: number, x: number, y: number];

/** A thing of 40 × 40 px; x and y are its bottom centre. */
const thing = (id: string, ...knots: Knot[]): KnotTrack => ({
  id,
  label: 'object',
  knots: knots.map(([t, x, y]) => [t, x, y, 40, 40] as const),
});

/** One stops at the other, which moves on in its place, slowing down. */
const HIT = [
  thing('a', [0, 150, 300], [2, 280, 300], [5, 285, 300]),
  thing('b', [0, 320, 300], [2, 320, 300], [3, 370, 300], [4, 390, 300], [5, 390, 300]),
];
/** One passes behind the other; neither changes its motion. */
const PASS = [thing('a', [0, 150, 280], [5, 475, 280]), thing('b', [0, 320, 300], [5, 320, 300])];

function watch(tracks: readonly KnotTrack[], contacts?: ContactModel): EventObserved[] {
  const script = { ...FRAME, end: 5, tracks };
  const memory = new ObjectMemory(new TrueTracker(expand(script)), { contacts });
  return perceptsOf(script).flatMap((percept) => memory.update(percept).events);
}

const collisions = (events: readonly EventObserved[]): EventObserved[] =>
  events.filter(({ event }) => event.type === 'collide');

function segmentOf(track: KnotTrack): TrackSegment {
  const [first, ...rest] = expand({ ...FRAME, end: 5, tracks: [track] })[0]!.rows;
  const segment = new TrackSegment({ id: track.id, label: track.label }, first!, 1, false);
  for (const row of rest) segment.observe(row, 1);
  return segment;
}

function featuresOf(tracks: readonly KnotTrack[], k: number): Record<string, number> {
  const segments = tracks.map(segmentOf);
  const features = contactFeatures(segments[0]!, segments[1]!, k, { frame: FRAME, segments: () => segments });
  return Object.fromEntries(CONTACT_FEATURES.map((name, i) => [name, features![i]!]));
}

describe('contact features', () => {
  it('have one value per name, and do not depend on the order of the two', () => {
    const segments = HIT.map(segmentOf);
    const around = { frame: FRAME, segments: () => segments };
    const features = contactFeatures(segments[0]!, segments[1]!, 20, around)!;
    expect(features).toHaveLength(CONTACT_FEATURES.length);
    expect([...contactFeatures(segments[1]!, segments[0]!, 20, around)!]).toEqual([...features]);
  });

  it('show that a collision takes from one object what it gives to the other', () => {
    const { pBeforeU, pChangeU, qBeforeU, qChangeU, changesCosine, closingBefore, closingAfter } = featuresOf(
      HIT,
      20,
    );
    expect(pBeforeU).toBeCloseTo(65 / 40, 1);
    expect(pChangeU).toBeLessThan(-1);
    expect(qBeforeU).toBeCloseTo(0, 5);
    expect(qChangeU).toBeGreaterThan(1);
    expect(changesCosine).toBeLessThan(-0.9);
    expect(closingBefore).toBeGreaterThan(1);
    expect(closingAfter).toBeLessThan(0);
  });

  it('show that passing changes no motion', () => {
    const { pChangeU, qChangeU, gap, bottoms } = featuresOf(PASS, 25);
    expect(Math.abs(pChangeU!)).toBeLessThan(0.01);
    expect(Math.abs(qChangeU!)).toBeLessThan(0.01);
    expect(gap).toBeLessThan(0);
    expect(bottoms).toBeCloseTo(0.5, 5);
  });

  it('contain the gap to a third object, and its approach speed', () => {
    const third = thing('c', [0, 320, 100], [2, 320, 250], [5, 320, 250]);
    const { qOtherGap, qOtherSpeed, pOtherGap } = featuresOf([...HIT, third], 20);
    expect(qOtherGap).toBeCloseTo(0.25, 1);
    expect(qOtherSpeed).toBeGreaterThan(1);
    expect(pOtherGap).toBeLessThan(1);
    expect(featuresOf(HIT, 20)['qOtherGap']).toBe(3);
  });

  it('are unknown before the first observation, and absent without a sample', () => {
    expect(featuresOf([HIT[0]!, thing('b', [1.9, 320, 300], [5, 320, 300])], 20)['gap-4']).toBeNaN();
    const segments = HIT.map(segmentOf);
    const around = { frame: FRAME, segments: () => segments };
    expect(contactFeatures(segments[0]!, segments[1]!, 999, around)).toBeUndefined();
  });
});

/** Tests `gap`, then `pChangeU`, whose unknown values go to the left. */
const DOCUMENT = {
  kind: 'contact-classifier',
  version: 1,
  features: [...CONTACT_FEATURES],
  base: -1,
  threshold: 0.5,
  confidence: { slope: 2, offset: 1 },
  trees: [
    {
      feature: [0, CONTACT_FEATURES.indexOf('pChangeU'), -1, -1, -1],
      threshold: [0.1, -0.5, 0, 0, 0],
      left: [1, 3, 0, 0, 0],
      right: [2, 4, 0, 0, 0],
      unknownLeft: [0, 1, 0, 0, 0],
      value: [0, 0, -2, 3, 0.5],
    },
  ],
};

describe('the contact classifier', () => {
  const vector = (values: Record<string, number>): Float64Array =>
    Float64Array.from(CONTACT_FEATURES, (name) => values[name] ?? 0);

  it.each([
    [{ gap: 0.2 }, -3],
    [{ gap: 0.1, pChangeU: -0.6 }, 2],
    [{ gap: 0, pChangeU: 0 }, -0.5],
    [{ gap: 0, pChangeU: NaN }, 2],
    [{ gap: NaN }, -3],
  ])('follows its trees: %j has log odds %d', (values, odds) => {
    const p = ContactClassifier.parse(DOCUMENT).probability(vector(values));
    expect(Math.log(p / (1 - p))).toBeCloseTo(odds, 9);
  });

  it('states the confidence by which reported contacts were real', () => {
    expect(ContactClassifier.parse(DOCUMENT).confidence(0.5)).toBeCloseTo(1 / (1 + Math.exp(-1)), 9);
    expect(ContactClassifier.parse(DOCUMENT).confidence(0.9)).toBeCloseTo(
      1 / (1 + Math.exp(-2 * Math.log(9) - 1)),
      9,
    );
  });

  it.each([
    ['other features', { ...DOCUMENT, features: ['gap'] }],
    ['no trees', { ...DOCUMENT, trees: [] }],
    [
      'a tree that runs in circles',
      { ...DOCUMENT, trees: [{ ...DOCUMENT.trees[0]!, left: [0, 3, 0, 0, 0] }] },
    ],
    [
      'a tree with an index out of range',
      { ...DOCUMENT, trees: [{ ...DOCUMENT.trees[0]!, right: [9, 4, 0, 0, 0] }] },
    ],
    ['a tree with fields of other lengths', { ...DOCUMENT, trees: [{ ...DOCUMENT.trees[0]!, value: [0] }] }],
    ['a document of something else', { kind: 'detector' }],
  ])('refuses %s', (_, document) => {
    expect(() => ContactClassifier.parse(document)).toThrow(PresageError);
  });
});

/** Returns fixed probabilities for given samples, and 0 for all others. */
class FixedContactModel implements ContactModel {
  readonly threshold = 0.5;
  readonly evaluated: number[] = [];

  constructor(private readonly by: Readonly<Record<number, number>>) {}

  probability(_: Float64Array, { k }: ContactMoment): number {
    this.evaluated.push(k);
    return this.by[k] ?? 0;
  }

  confidence(p: number): number {
    return p / 2;
  }
}

describe('contacts of things on estimated tracks', () => {
  it('are emitted once, at the likeliest moment, with its confidence, within 0.7 s', () => {
    const emitted = collisions(watch(HIT, new FixedContactModel({ 19: 0.6, 20: 0.9, 21: 0.7, 22: 0.4 })));
    expect(emitted).toHaveLength(1);
    expect(emitted[0]!.event).toMatchObject({ t: 2, confidence: 0.45 });
    expect(emitted[0]!.observedAt - 2).toBeLessThanOrEqual(0.7);
    expect(emitted[0]!.event.participants.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('are emitted again only after half a second in which they were unlikely', () => {
    const lasting = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [20 + i, i === 0 ? 0.9 : 0.6]));
    const adjacent = [thing('a', [0, 280, 300], [5, 280, 300]), thing('b', [0, 325, 300], [5, 325, 300])];
    const count = (by: Record<number, number>): number =>
      collisions(watch(adjacent, new FixedContactModel(by))).length;
    expect(count(lasting)).toBe(1);
    expect(count({ 20: 0.9, 24: 0.9 })).toBe(1);
    expect(count({ 20: 0.9, 27: 0.9 })).toBe(2);
  });

  it('are not evaluated for pairs that are far apart or for people', () => {
    const model = new FixedContactModel({});
    watch([HIT[0]!, thing('b', [0, 600, 100], [5, 600, 100])], model);
    watch([HIT[0]!, { ...HIT[1]!, label: 'person' }], model);
    expect(model.evaluated).toEqual([]);
    watch(HIT, model);
    expect(new Set(model.evaluated).size).toBe(model.evaluated.length);
  });

  it('are found in a collision and not in passing, with the classifier of Presage', () => {
    const file = new URL('../../../../../models/contacts.json', import.meta.url);
    const classifier = ContactClassifier.parse(JSON.parse(readFileSync(file, 'utf8')));
    const emitted = collisions(watch(HIT, classifier));
    expect(emitted).toHaveLength(1);
    expect(Math.abs(emitted[0]!.event.t - 2)).toBeLessThanOrEqual(0.3);
    expect(collisions(watch(PASS, classifier))).toEqual([]);
  });
});
