import { describe, expect, it } from 'vitest';
import { parseSubscription } from '../../../../src/transport/events/subscription.js';

const parse = (query: string): ReturnType<typeof parseSubscription> =>
  parseSubscription(new URLSearchParams(query));

describe('parseSubscription', () => {
  it('starts with what comes next, all types, when nothing is asked', () => {
    expect(parse('')).toEqual({ from: 'latest', kinds: undefined, objectsHz: 5 });
  });

  it.each([
    ['from=oldest', 'oldest'],
    ['from=latest', 'latest'],
    ['from=0', 0],
    ['from=412', 412],
    ['from=0000000412', 412],
  ])('understands %s', (query, from) => {
    expect(parse(query)).toMatchObject({ from });
  });

  it('takes types in full or short, and always adds lagged', () => {
    expect(parse('types=presage.event.observed.v1,%20prediction.created&types=stream.state')).toMatchObject({
      kinds: new Set(['event.observed', 'prediction.created', 'stream.state', 'lagged']),
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
