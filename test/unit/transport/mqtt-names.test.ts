import fc from 'fast-check';
import { expect, it } from 'vitest';
import { announcementsOf, idOf } from '../../../src/transport/mqtt/discovery.js';
import { level, Topics } from '../../../src/transport/mqtt/topics.js';

/** Short names over the characters that could be confused, so that equal results would be found. */
const name = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'l', '_', '-', '/', '%', '+', '#', 'x', '2', 'F', '\0', '-x2f-') }),
  fc.constantFrom(
    'all',
    'next_event',
    'zone',
    'occupancy',
    '%61ll',
    'presage',
    'a/b',
    'a_b',
    '',
    '\ud800',
    '\ufffd',
  ),
  fc.string({ unit: 'binary' }),
);
const RUNS = { numRuns: 5000 };

it('writes different names as different levels of a topic, without special characters and reserved words', () => {
  fc.assert(
    fc.property(name, name, (one, other) => {
      expect(level(one) === level(other)).toBe(one === other);
      expect(level(one)).not.toMatch(/[+#/\p{Cc}\p{Cs}]/u);
      expect(['all', 'next_event']).not.toContain(level(one));
    }),
    RUNS,
  );
});

it('gives different topics for different streams, zones and labels', () => {
  const topics = new Topics('presage');
  const part = fc.option(name, { nil: undefined });
  const place = fc.tuple(name, part, part);
  const topicsOf = ([stream, zone, label]: [string, string | undefined, string | undefined]): string[] => [
    topics.count(stream, zone, label),
    topics.nextEvent(stream, zone),
  ];
  fc.assert(
    fc.property(place, place, ([a, b, c], [d, e, f]) => {
      const [count, next] = topicsOf([a, b, c]);
      const [otherCount, otherNext] = topicsOf([d, e, f]);
      expect(count === otherCount).toBe(a === d && b === e && c === f);
      expect(next === otherNext).toBe(a === d && b === e);
      expect(next).not.toBe(otherCount);
      const own = [topics.streamAvailable(a), topics.events(a), topics.predictions(a), topics.available];
      expect(own).not.toContain(otherCount);
      expect(own).not.toContain(otherNext);
    }),
    RUNS,
  );
});

it('makes different ids of different lists of names, of characters that Home Assistant accepts', () => {
  const names = fc.array(name, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(names, names, (one, other) => {
      expect(idOf(one) === idOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      expect(idOf(one)).toMatch(/^[A-Za-z0-9_-]*$/);
    }),
    RUNS,
  );
});

it('announces different entities for different services, streams and zones', () => {
  const base = fc.oneof(fc.constant('presage'), name);
  const zone = fc.option(name, { nil: undefined });
  const place = fc.tuple(base, name, zone);
  const topicsOf = (prefix: string, stream: string, zone: string | undefined): string[] =>
    announcementsOf(stream, zone === undefined ? [] : [zone], {
      ...{ topics: new Topics(prefix), prefix: 'homeassistant', version: '1' },
    })
      .slice(-2)
      .map(({ topic }) => topic);
  fc.assert(
    fc.property(place, place, (one, other) => {
      const same = one.every((part, index) => part === other[index]);
      expect(topicsOf(...one)).toHaveLength(2);
      topicsOf(...one).forEach((topic, index) => expect(topic === topicsOf(...other)[index]).toBe(same));
    }),
    RUNS,
  );
});
