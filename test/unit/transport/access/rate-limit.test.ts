import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../src/core/clock.js';
import { addressKey, KeyedRateLimit } from '../../../../src/transport/access/rate-limit.js';

describe('KeyedRateLimit', () => {
  it('gives each key its own burst, and says how long to wait after it', () => {
    const clock = new VirtualClock();
    const limit = new KeyedRateLimit({ burst: 2, perSecond: 0.2, clock });
    expect([limit.take('a'), limit.take('a')]).toEqual([0, 0]);
    expect(limit.take('a')).toBe(5);
    expect(limit.take('b')).toBe(0);
    clock.advance(2500);
    expect(limit.waitS('a')).toBe(3);
    clock.advance(2500);
    expect(limit.waitS('a')).toBe(0);
    expect(limit.take('a')).toBe(0);
    expect(limit.take('a')).toBe(5);
  });

  it('forgets the key that was used longest ago, not the busiest', () => {
    const limit = new KeyedRateLimit({ burst: 1, perSecond: 0.001, clock: new VirtualClock() });
    limit.take('old');
    limit.take('busy');
    for (let i = 0; i < 9_999; i += 1) limit.take(`other ${i}`);
    expect(limit.take('busy')).toBeGreaterThan(0);
    expect(limit.take('old')).toBe(0);
  });
});

describe('an address as a key', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('of %s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it('is there even when the socket has gone', () => {
    expect(addressKey(undefined)).toBe('unknown');
  });
});
