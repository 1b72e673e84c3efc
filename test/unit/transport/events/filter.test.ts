import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FilterFields } from '../../../../src/core/control.js';
import { MESSAGE_KINDS, type Draft, type MessageKind } from '../../../../src/core/messages.js';
import { AttributeIndex } from '../../../../src/transport/events/message-attributes.js';
import { filterOf, passes } from '../../../../src/transport/events/filter.js';
import type { LogEntry } from '../../../../src/transport/log/log-types.js';
import type { OutgoingMessage } from '../../../../src/transport/messages/encode.js';
import { Publisher } from '../../../../src/transport/messages/publisher.js';
import { eventDraft, sampleDraft } from '../../../support/transport/drafts.js';

type PredictionKind = 'prediction.created' | 'prediction.updated' | 'prediction.resolved';

function messageOf(draft: Draft): OutgoingMessage {
  const sent: OutgoingMessage[] = [];
  new Publisher({ streamId: 'cam1', sinks: [{ deliver: (message) => void sent.push(message) }] }).publish(
    draft,
  );
  return sent[0]!;
}

/** A log whose oldest message about anything is one of these. */
function bookOf(drafts: Readonly<Record<string, Draft>>): AttributeIndex {
  return new AttributeIndex((ref): LogEntry | undefined => {
    const draft = drafts[ref];
    if (draft === undefined) return undefined;
    const { kind, json, mediatime } = messageOf(draft);
    return { sequence: 1, kind, mediatime, json };
  });
}

function lets(fields: FilterFields, draft: Draft, book: AttributeIndex = bookOf({})): boolean {
  const message = messageOf(draft);
  return passes(filterOf(fields), message.kind, () => book.attributesOf(message.value));
}

function predicted(kind: PredictionKind, probability: number): Draft {
  const draft = structuredClone(sampleDraft(kind)) as Extract<Draft, { kind: PredictionKind }>;
  draft.data.prediction.probability = probability;
  return draft;
}

describe('a filter', () => {
  it('by label looks at who takes part, in predictions through the events of the log', () => {
    expect(lets({ labels: ['person'] }, eventDraft(1, 1))).toBe(true);
    expect(lets({ labels: ['car'] }, eventDraft(1, 1))).toBe(false);
    const book = bookOf({ o7: eventDraft(1, 1) });
    expect(lets({ labels: ['person'] }, sampleDraft('prediction.created'), book)).toBe(true);
    expect(lets({ labels: ['car'] }, sampleDraft('prediction.created'), book)).toBe(false);
    expect(lets({ labels: ['person'] }, sampleDraft('prediction.created'))).toBe(false);
    expect(lets({ labels: ['person'] }, sampleDraft('forecast.updated'), book)).toBe(true);
  });

  it('by zone takes the zone of the event that an explanation is about', () => {
    expect(lets({ zones: ['door'] }, eventDraft(1, 1))).toBe(true);
    expect(lets({ zones: ['gate'] }, eventDraft(1, 1))).toBe(false);
    const book = bookOf({ e12: eventDraft(12, 1) });
    expect(lets({ zones: ['door'] }, sampleDraft('explanation.created'), book)).toBe(true);
    expect(lets({ zones: ['gate'] }, sampleDraft('explanation.created'), book)).toBe(false);
  });

  it('keeps a prediction that was once likely enough to its end', () => {
    const book = bookOf({});
    const fields = { minProbability: 0.5 };
    expect(lets(fields, predicted('prediction.created', 0.4), book)).toBe(false);
    expect(lets(fields, predicted('prediction.updated', 0.6), book)).toBe(true);
    expect(lets(fields, predicted('prediction.updated', 0.1), book)).toBe(true);
    expect(lets(fields, predicted('prediction.resolved', 0.05), book)).toBe(true);
    // After a restart the log knows.
    const kept = bookOf({ p31: predicted('prediction.created', 0.7) });
    expect(lets(fields, predicted('prediction.resolved', 0.1), kept)).toBe(true);
  });

  it('lets through what has neither label, zone nor probability', () => {
    const fields = { labels: ['car'], zones: ['gate'], minProbability: 0.9 };
    for (const kind of ['stream.state', 'scorecard.updated'] as const)
      expect(lets(fields, sampleDraft(kind))).toBe(true);
  });

  it('forecasts: false leaves out forecasts, true adds them to the types', () => {
    expect(lets({ forecasts: false }, sampleDraft('forecast.updated'))).toBe(false);
    expect(lets({ forecasts: false }, sampleDraft('stream.state'))).toBe(true);
    expect(lets({ types: ['stream.state'], forecasts: true }, sampleDraft('forecast.updated'))).toBe(true);
    expect(lets({ types: ['stream.state'] }, sampleDraft('forecast.updated'))).toBe(false);
  });
});

const kinds = fc.constantFrom<MessageKind>(...MESSAGE_KINDS);
const fieldsArbitrary: fc.Arbitrary<FilterFields> = fc.record(
  {
    types: fc.array(kinds, { minLength: 1, maxLength: 4 }),
    labels: fc.array(fc.constantFrom('person', 'car', 'dog'), { minLength: 1, maxLength: 3 }),
    zones: fc.array(fc.constantFrom('door', 'gate'), { minLength: 1, maxLength: 2 }),
    minProbability: fc.double({ min: 0, max: 1, noNaN: true }),
    objectsRate: fc.integer({ min: 0, max: 120 }),
    forecasts: fc.boolean(),
  },
  { requiredKeys: [] },
);
const sampled = kinds.filter((kind) => kind !== 'lagged').map((kind) => sampleDraft(kind));

describe('any filter', () => {
  it('has the key of every filter that says the same in another order or twice', () => {
    fc.assert(
      fc.property(fieldsArbitrary, (fields) => {
        const twice = (list: string[] | undefined): string[] | undefined =>
          list && [...list.toReversed(), ...list];
        const same = Object.fromEntries(
          Object.entries(fields)
            .toReversed()
            .map(([name, value]) => [name, Array.isArray(value) ? twice(value) : value]),
        ) as FilterFields;
        expect(filterOf(same).key).toBe(filterOf(fields).key);
      }),
    );
  });

  it('lets through no more than one that says less', () => {
    const book = bookOf({ o7: eventDraft(1, 1), e12: eventDraft(12, 1) });
    fc.assert(
      fc.property(
        fieldsArbitrary,
        sampled,
        fc.constantFrom('labels', 'zones', 'minProbability'),
        (fields, draft, name) => {
          const less = Object.fromEntries(
            Object.entries(fields).filter(([field]) => field !== name),
          ) as FilterFields;
          if (lets(fields, draft, book)) expect(lets(less, draft, book)).toBe(true);
        },
      ),
    );
  });
});
