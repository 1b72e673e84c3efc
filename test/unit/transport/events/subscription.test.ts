import { describe, expect, it } from 'vitest';
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
