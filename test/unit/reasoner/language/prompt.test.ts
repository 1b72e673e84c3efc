import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EVENT_TYPES } from '../../../../src/core/ontology.js';
import { Listing, MAX_OBJECTS } from '../../../../src/reasoner/language/prompt.js';
import { situationOf, type Situation } from '../../../../src/reasoner/language/situation.js';
import { eventById, pushedRow, snapshotOf } from '../../../support/reasoner/snapshots.js';

const exampleSchema = z.object({
  situation: z.object({
    at: z.number(),
    things: z.array(
      z.object({ id: z.string(), label: z.string(), speed: z.number().nullable(), inView: z.boolean() }),
    ),
    events: z.array(
      z.object({
        type: z.enum(EVENT_TYPES),
        participants: z.array(z.string()),
        t: z.number(),
        zone: z.number().optional(),
      }),
    ),
  }),
  task: z.enum(['next', 'why', 'chain']),
  focus: z.number().nullable(),
  items: z.array(
    z.object({ type: z.enum(EVENT_TYPES), participants: z.array(z.string()), zone: z.number().optional() }),
  ),
  slots: z.array(z.string()),
  prompt: z.string(),
  continuations: z.array(z.string()),
});
const fixture = new URL('../../../fixtures/fused/prompts.json', import.meta.url);
const examples = z.array(exampleSchema).parse(JSON.parse(readFileSync(fixture, 'utf8')));

describe('Listing', () => {
  it.each(examples.map((example, i) => [i, example] as const))(
    'writes example %i as training does',
    (_, example) => {
      const { at, things, events } = example.situation;
      const situation: Situation = {
        at,
        things: things.map((thing) => ({ ...thing, speed: thing.speed ?? undefined })),
        events: events.map((event, i) => ({ ...event, id: `e${i}` })),
      };
      const focus = example.focus === null ? undefined : situation.events[example.focus];
      const listing = new Listing(situation, focus);
      expect(listing.things.map(({ id }) => id)).toEqual(example.slots);
      const number = focus && listing.number(focus.id);
      expect(
        listing.text() + [example.task, ...(number === undefined ? [] : [number])].join(' ') + '\n',
      ).toBe(example.prompt);
      const texts = {
        next: () =>
          example.items.map(({ type, participants, zone }) => listing.item(type, participants, zone)),
        why: () => (focus ? listing.needs(focus).map(({ text }) => text) : []),
        chain: () => [],
      };
      expect(texts[example.task]()).toEqual(example.continuations);
    },
  );

  it('names nothing that is not listed', () => {
    const listing = new Listing(situationOf(pushedRow()));
    expect(listing.item('exit', ['o99'])).toBeUndefined();
    expect(listing.slot('o99')).toBeUndefined();
    expect(listing.number('e99')).toBeUndefined();
  });

  it('keeps to its budget with 200 objects', () => {
    const still = { knots: [[0, 100, 160] as const, [20, 100, 160] as const] };
    const events = Array.from({ length: 60 }, (_, i) => ({
      type: 'turn' as const,
      t: 5 + i / 20,
      of: [`o${i + 100}`],
    }));
    const snapshot = snapshotOf(Array<typeof still>(200).fill(still), events, 8.5);
    const focus = eventById(snapshot, 'e3');
    const situation = situationOf(snapshot, focus);
    const listing = new Listing(
      situation,
      situation.events.find(({ id }) => id === 'e3'),
    );
    expect(listing.things).toHaveLength(MAX_OBJECTS);
    expect(listing.events.length).toBeLessThanOrEqual(12);
    expect(listing.slot('o102')).toBe('#1');
    expect(listing.number('e3')).toBe(`e${listing.events.findIndex(({ id }) => id === 'e3') + 1}`);
  });
});

describe('situationOf', () => {
  it('is empty when memory is', () => {
    expect(new Listing(situationOf(snapshotOf([], [], 5))).text()).toBe('objects\nevents\n');
  });

  it('tells who is in view and who is gone, and how old events are', () => {
    const snapshot = snapshotOf(
      [
        {
          label: 'person',
          knots: [
            [0, 20, 160],
            [9, 300, 160],
          ],
        },
        {
          label: 'ball',
          knots: [
            [1, 100, 160],
            [4, 100, 160],
          ],
        },
      ],
      [{ type: 'stop', t: 3.15, of: ['o2'] }],
      9,
    );
    expect(new Listing(situationOf(snapshot)).text()).toBe(
      'objects\n#1 ball gone\n#2 person moving\nevents\ne1 stop #1 5.9\n',
    );
  });

  it('leaves out what is older than 10 s, but not the event in question', () => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [0, 20, 160],
            [2, 20, 160],
          ],
        },
        {
          knots: [
            [0, 200, 160],
            [20, 200, 160],
          ],
        },
      ],
      [
        { type: 'stop', t: 1, of: ['o1'] },
        { type: 'turn', t: 15, of: ['o2'] },
      ],
      20,
    );
    expect(new Listing(situationOf(snapshot)).text()).toBe(
      'objects\n#1 cube standing\nevents\ne1 turn #1 5.0\n',
    );
    const focused = situationOf(snapshot, eventById(snapshot, 'e1'));
    expect(new Listing(focused, focused.events[0]).text()).toContain(
      '#1 cube gone\n#2 cube standing\nevents\ne1 stop #1 19.0\ne2 turn #2 5.0\n',
    );
  });

  it('numbers zones and lines', () => {
    const snapshot = snapshotOf(
      [
        {
          knots: [
            [0, 20, 160],
            [9, 30, 160],
          ],
        },
      ],
      [{ type: 'line_cross', t: 8, of: ['o1'], zone: 'door' }],
      9,
    );
    const zoned = {
      ...snapshot,
      zones: {
        zones: { shop: [] },
        lines: {
          door: [
            [0, 0],
            [1, 1],
          ] as const,
        },
      },
    };
    expect(new Listing(situationOf(zoned)).text()).toContain('e1 line_cross #1 z2 1.0\n');
  });
});
