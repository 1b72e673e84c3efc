import { describe, expect, it } from 'vitest';
import { entryPath } from '../../../../src/core/entry-path.js';
import { formatSequence, kindOfType } from '../../../../src/core/messages.js';
import { eventClause, objectPhrase } from '../../../../src/core/text/object-names.js';
import { redact } from '../../../../src/core/text/redact.js';

describe('redact', () => {
  it.each([
    ['rtsp://admin:p%40ss@10.0.0.2/live', 'rtsp://***@10.0.0.2/live'],
    ['rtsp://admin:p@ss@10.0.0.2/live', 'rtsp://***@10.0.0.2/live'],
    ['open "http://u:p@h/x?a=1" failed', 'open "http://***@h/x?a=1" failed'],
    ['https://h/v.m3u8?token=abc&x=1', 'https://h/v.m3u8?token=***&x=1'],
    ['https://h/v?API_KEY=abc#f', 'https://h/v?API_KEY=***#f'],
    ['no secret at all: a@b', 'no secret at all: a@b'],
  ])('turns %s into %s', (given, expected) => expect(redact(given)).toBe(expected));
});

describe('entryPath', () => {
  it('leads from a TypeScript source to the build and from a build to a file of the same folder', () => {
    expect(entryPath('file:///a/src/b/src/model/x.ts', './w')).toBe('/a/src/b/dist/model/w.js');
    expect(entryPath('file:///a/dist/model/x.js', './w')).toBe('/a/dist/model/w.js');
  });
});

describe('messages', () => {
  it('reads a kind from a full or a short type', () => {
    expect(kindOfType('presage.event.observed.v1')).toBe('event.observed');
    expect(kindOfType('event.observed')).toBe('event.observed');
    expect(kindOfType('presage.nothing.v1')).toBeUndefined();
  });

  it('writes sequences with ten digits', () => expect(formatSequence(412)).toBe('0000000412'));
});

describe('phrases', () => {
  it('describe events in words', () => {
    const who = objectPhrase({ id: 'o4', label: 'person' });
    expect(eventClause('meet', [who, 'person #7'], undefined, 'past')).toBe('person #4 met person #7');
    expect(eventClause('zone_enter', [who], 'door', 'future')).toBe('person #4 enter “door”');
  });
});
