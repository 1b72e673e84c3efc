/** Names that every object inherits, such as `constructor`: code treats them like any other name from outside. */
import { describe, expect, it } from 'vitest';
import { parseQuestion } from '../../../src/ask/parser/parse.js';
import { labelWords } from '../../../src/ask/parser/lexicon.js';
import { ownValue } from '../../../src/core/own-value.js';
import { RecordQueries } from '../../../src/core/records/query.js';
import type { ObjectHistory } from '../../../src/core/records/records.js';
import { StreamManager } from '../../../src/service/streams/stream-manager.js';
import type { StreamPlan } from '../../../src/service/streams/stream-plan.js';
import { Hub } from '../../../src/transport/events/hub.js';
import { encodeMessage } from '../../../src/transport/messages/encode.js';
import { FakeOutlet } from '../../support/transport/fake-outlet.js';
import { MemoryLog } from '../../support/transport/memory-log.js';

const NAMES = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', 'isPrototypeOf'];

describe.each(NAMES)('the name %s', (name) => {
  it('is an unknown word in a question', () => {
    const vocabulary = { labels: ['person'], places: ['gate'] };
    const ask = (text: string, word: string): string =>
      JSON.stringify(parseQuestion(text.replaceAll('WORD', word), vocabulary, 100)).replaceAll(word, 'WORD');
    const questions = [
      'what happened in the last WORD minutes',
      'what happened WORD minutes ago',
      'what happened in the last 5 WORD',
      'was person WORD in the gate',
      'who was in the WORD half',
      'who was in the left WORD',
      'how many WORD people entered the gate',
      'what happened WORD 20 s',
    ];
    const asked = name.toLowerCase();
    for (const text of questions) expect(ask(text, asked)).toBe(ask(text, 'zzqqx'));
  });

  it('is displayed unchanged as a label', () => {
    expect(labelWords([name]).get(name)).toEqual([name]);
  });

  it('has no value in an empty record', () => {
    expect(ownValue({}, name)).toBeUndefined();
  });

  it('is an empty zone where no zone of that name is configured', () => {
    const object = { id: 'o1', label: 'person', path: [{ t: 1, box: [0.1, 0.1, 0.2, 0.2] }] };
    const objects = [object as unknown as ObjectHistory];
    const places = { zones: {}, lines: {} };
    const queries = new RecordQueries({ objects, events: [], relations: [], episodes: [], places });
    expect(queries.objects({ place: { zone: name } })).toEqual([]);
  });

  it('is the id of a stream that starts at the position in the subscription', () => {
    const log = new MemoryLog();
    log.add();
    const hub = new Hub({ log, streams: () => [name] });
    const connection = hub.connect(new FakeOutlet());
    let next: Record<string, number> | undefined;
    connection.subscribe(
      { id: 'a', streams: [name], fields: {}, from: { other: 1 } },
      (given) => (next = given),
    );
    expect(next).toEqual(Object.fromEntries([[name, 2]]));
  });

  it('is the id of a stream that has the places of its configuration', () => {
    const added: StreamPlan[] = [];
    const streams = { add: (plan: StreamPlan) => added.push(plan) };
    const manager = new StreamManager({ streams: streams as never, check: () => Promise.resolve() });
    const places = { zones: {}, lines: {} };
    manager.addAll([{ id: name, source: 'a.mp4', places, origin: 'config' }], () => undefined);
    expect(added[0]?.places).toBe(places);
  });

  it('is rounded like any other field', () => {
    const data = Object.fromEntries([[name, 0.123456789]]);
    const stamp = { streamId: 'cam1', id: 'cam1:1', time: undefined, sequence: 1 };
    const json = encodeMessage({ kind: 'event.observed', mediatime: 1, data } as never, stamp, 'none');
    const fields = encodeMessage(
      { kind: 'event.observed', mediatime: 1, data: { other: 0.123456789 } } as never,
      stamp,
      'none',
    );
    expect(json).toBe(fields.replace('"other"', JSON.stringify(name)));
  });
});
