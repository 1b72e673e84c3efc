import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOp } from '../../../../src/transport/events/control-handler.js';
import { parseQuery } from '../../../../src/transport/events/subscription.js';

const parse = (query: string): ReturnType<typeof parseQuery> =>
  parseQuery(new URLSearchParams(query), 'cam1');

describe('parseQuery', () => {
  it('starts with what comes next, all types, when nothing is asked', () => {
    expect(parse('')).toEqual({
      subscription: { id: 'query', streams: ['cam1'], fields: {}, from: 'latest' },
      heartbeatS: 0,
    });
  });

  it.each([
    ['from=oldest', 'oldest'],
    ['from=latest', 'latest'],
    ['from=0', { cam1: 0 }],
    ['from=412', { cam1: 412 }],
    ['from=0000000412', { cam1: 412 }],
    ['from=cam1:412', { cam1: 412 }],
  ])('understands %s', (query, from) => {
    expect(parse(query)).toMatchObject({ subscription: { from } });
  });

  it('takes types in full or short', () => {
    expect(parse('types=presage.event.observed.v1,%20prediction.created&types=stream.state')).toMatchObject({
      subscription: {
        fields: { types: ['presage.event.observed.v1', 'prediction.created', 'stream.state'] },
      },
    });
  });

  it.each(['from=-1', 'from=1.5', 'from=newest', 'from=1e3', `from=${'9'.repeat(16)}`])(
    'refuses %s',
    (query) => {
      expect(parse(query)).toEqual({ problem: 'from must be oldest, latest or a sequence number' });
    },
  );

  it.each(['types=event', 'types=event.observed,nonsense', 'types=presage.event.observed.v2'])(
    'refuses %s',
    (query) => {
      expect(parse(query)).toEqual({ problem: expect.stringMatching(/^types: unknown/) as string });
    },
  );

  it.each(['objects_rate=-1', 'objects_rate=fast', 'objects_rate=121'])('refuses %s', (query) => {
    expect(parse(query)).toEqual({ problem: expect.stringMatching(/^objects_rate/) as string });
  });

  it('says what is wrong in no more than a close frame can carry', () => {
    const answer = parse(`types=${encodeURIComponent('ü'.repeat(500))}`) as { problem: string };
    expect(Buffer.byteLength(answer.problem)).toBeLessThanOrEqual(123);
  });
});

const text = fc.oneof(
  fc.string(),
  fc.constantFrom('', 'oldest', '412', 'cam1:4', 'event.observed', '0.5', 'true', '1e9', '-1'),
);
const names = fc.constantFrom(
  'from',
  'types',
  'labels',
  'zones',
  'min_probability',
  'objects_rate',
  'forecasts',
  'heartbeat',
  'subscribe',
  'streams',
);

describe('any query', () => {
  it('is a subscription within bounds, or a problem that fits into a close frame', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.oneof({ weight: 5, arbitrary: names }, { weight: 1, arbitrary: fc.string() }), text),
          { maxLength: 8 },
        ),
        fc.boolean(),
        (pairs, one) => {
          const answer = parseQuery(new URLSearchParams(pairs), one ? 'cam1' : undefined);
          if ('problem' in answer) {
            expect(answer.problem).not.toBe('');
            expect(Buffer.byteLength(answer.problem)).toBeLessThanOrEqual(123);
            return;
          }
          expect(answer.heartbeatS).toBeLessThanOrEqual(3600);
          if (one) expect(answer.subscription?.streams).toEqual(['cam1']);
          const { objectsRate = 0, minProbability = 0 } = answer.subscription?.fields ?? {};
          expect(objectsRate).toBeLessThanOrEqual(120);
          expect(minProbability).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('any request of a client', () => {
  const decode = (data: Buffer): unknown => JSON.parse(data.toString());

  it('is understood, or answered with an error that is short and names what is wrong', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (sent) => {
        const answer = parseOp(Buffer.from(sent), decode);
        if (answer.op !== 'error') return;
        expect(answer.code).toBe('bad_request');
        expect(answer.message.length).toBeLessThanOrEqual(400);
      }),
      { numRuns: 300 },
    );
  });

  it('with a field that is not known names that field', () => {
    const known = new Set([
      'op',
      'id',
      'streams',
      'types',
      'labels',
      'zones',
      'minProbability',
      'objectsRate',
      'forecasts',
      'from',
    ]);
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-zA-Z]{1,20}$/).filter((name) => !known.has(name)),
        fc.jsonValue(),
        (name, value) => {
          const answer = parseOp(
            Buffer.from(JSON.stringify({ op: 'subscribe', id: 'a', [name]: value })),
            decode,
          );
          expect(answer).toMatchObject({
            op: 'error',
            id: 'a',
            message: expect.stringContaining(name) as string,
          });
        },
      ),
    );
  });

  it('that is a subscription comes out as it went in', () => {
    const rate = fc.integer({ min: 0, max: 120 });
    const types = fc.array(fc.constantFrom('event.observed', 'presage.stream.state.v1'), {
      minLength: 1,
      maxLength: 3,
    });
    const from = fc.oneof(
      fc.constantFrom('oldest', 'latest'),
      fc.dictionary(fc.constantFrom('cam1', 'cam2'), fc.nat()),
    );
    fc.assert(
      fc.property(fc.record({ types, objectsRate: rate, from }, { requiredKeys: [] }), (fields) => {
        const op = { op: 'subscribe', id: 'a', ...fields };
        expect(parseOp(Buffer.from(JSON.stringify(op)), decode)).toEqual(op);
      }),
    );
  });
});
