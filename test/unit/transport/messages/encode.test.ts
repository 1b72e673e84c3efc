import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, OutgoingMessage } from '../../../../src/transport/messages/encode.js';
import { eventDraft, objectsDraft, sampleDraft } from '../../../support/transport/drafts.js';

const envelope = { streamId: 'cam1', id: 'cam1:412', time: '2026-11-21T09:14:03.480Z', sequence: 412 };

describe('encodeMessage', () => {
  it('writes the envelope in the order of the specification', () => {
    const message = JSON.parse(encodeMessage(eventDraft(12, 12.48), envelope, 'wall')) as object;
    expect(Object.entries(message).slice(0, 9)).toEqual([
      ['specversion', '1.0'],
      ['id', 'cam1:412'],
      ['source', '/streams/cam1'],
      ['type', 'presage.event.observed.v1'],
      ['subject', 'e12'],
      ['time', '2026-11-21T09:14:03.480Z'],
      ['datacontenttype', 'application/json'],
      ['sequence', '0000000412'],
      ['mediatime', 12.48],
    ]);
    expect(Object.keys(message).at(-1)).toBe('data');
  });

  it('leaves out what a message does not have', () => {
    const json = encodeMessage(
      objectsDraft(1),
      { ...envelope, time: undefined, sequence: undefined },
      'none',
    );
    expect(Object.keys(JSON.parse(json) as object)).toEqual([
      'specversion',
      'id',
      'source',
      'type',
      'datacontenttype',
      'mediatime',
      'data',
    ]);
  });

  it('rounds boxes, scores, probabilities and seconds, and never writes minus zero', () => {
    const { data } = JSON.parse(encodeMessage(eventDraft(1, 0.3 - 0.1), envelope, 'wall')) as {
      data: { observedAt: number; event: { participants: { box: number[] }[]; confidence: number } };
    };
    expect(data.observedAt).toBe(0.2);
    expect(data.event.participants[0]?.box).toEqual([0.1, 0.2, 0.12346, 0.4]);
    expect(data.event.confidence).toBe(0.9877);
    expect(encodeMessage(sampleDraft('prediction.created'), envelope, 'wall')).toContain(
      '"probability":0.123457',
    );
    expect(encodeMessage(objectsDraft(1), envelope, 'wall')).toContain('"velocity":[0.01,0]');
  });

  it('drops measured durations with stamp none and keeps them otherwise', () => {
    const draft = sampleDraft('explanation.created');
    expect(encodeMessage(draft, envelope, 'wall')).toContain('"ms":1.3');
    expect(encodeMessage(draft, envelope, 'none')).not.toContain('"ms"');
  });

  it('refuses numbers that JSON cannot say, naming the field', () => {
    expect(() => encodeMessage(objectsDraft(NaN), envelope, 'wall')).toThrow(/"mediatime" is NaN/);
  });

  it('rounds within half a unit and rounding again changes nothing', () => {
    const seconds = fc.double({ min: 0, max: 1e6, noNaN: true });
    const encoded = (t: number): number =>
      (JSON.parse(encodeMessage(objectsDraft(t), envelope, 'wall')) as { mediatime: number }).mediatime;
    fc.assert(
      fc.property(seconds, (t) => {
        expect(Math.abs(encoded(t) - t)).toBeLessThanOrEqual(0.5001e-6);
        expect(encoded(encoded(t))).toBe(encoded(t));
      }),
    );
  });
});

describe('OutgoingMessage', () => {
  it('makes its bytes once, however often they are asked for', () => {
    const message = new OutgoingMessage('cam1', 'event.observed', 1, 0, '{"label":"Gerät"}');
    expect(message.bytes).toBe(message.bytes);
    expect(message.bytes.toString()).toBe('{"label":"Gerät"}');
  });
});
