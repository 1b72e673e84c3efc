import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  AccessPolicy,
  isLoopback,
  type AccessOptions,
} from '../../../../src/transport/access/access-policy.js';

const TOKEN = 'a-token-of-some-length';
function status(options: AccessOptions, headers: Record<string, string>, url = '/'): number {
  const policy = new AccessPolicy(options);
  return policy.refusal({ headers, url, socket: {} } as unknown as IncomingMessage)?.status ?? 200;
}

describe('AccessPolicy on loopback without a token', () => {
  const options = { host: '127.0.0.1', allowedOrigins: ['http://localhost:5173'] };

  it.each(['127.0.0.1:8080', 'localhost:8080', 'localhost', '[::1]:8080', 'LOCALHOST:8080'])(
    'answers the host %s',
    (host) => {
      expect(status(options, { host })).toBe(200);
    },
  );

  it.each(['evil.example:8080', '192.168.1.2:8080', '127.0.0.1.evil.example', 'localhost.evil.example', ''])(
    'refuses the host "%s", which only DNS rebinding would send',
    (host) => {
      expect(status(options, { host })).toBe(403);
    },
  );

  it.each([
    ['http://localhost:8080', 200],
    ['http://localhost:5173', 200],
    ['http://localhost:9999', 403],
    ['https://evil.example', 403],
    ['null', 403],
  ])('meets the origin %s with %i', (origin, expected) => {
    expect(status(options, { host: 'localhost:8080', origin })).toBe(expected);
  });
});

describe('AccessPolicy with a token', () => {
  const options = { host: '0.0.0.0', token: TOKEN };

  it('takes it from the header or the query, from any origin', () => {
    const host = 'cams.example';
    expect(status(options, { host, authorization: `Bearer ${TOKEN}` })).toBe(200);
    expect(status(options, { host, authorization: `bearer  ${TOKEN}` })).toBe(200);
    expect(status(options, { host, origin: 'https://dash.example' }, `/x?a=1&access_token=${TOKEN}`)).toBe(
      200,
    );
  });

  it('refuses a missing or wrong one', () => {
    expect(status(options, {})).toBe(401);
    expect(status(options, { authorization: `Bearer ${TOKEN}x` })).toBe(401);
    expect(status(options, { authorization: `Basic ${TOKEN}` })).toBe(401);
    expect(status(options, {}, '/?access_token=')).toBe(401);
    expect(status({ host: '127.0.0.1', token: TOKEN }, { host: 'localhost' })).toBe(401);
  });
});

describe('AccessPolicy at construction', () => {
  it('wants a token before it lets other machines in', () => {
    expect(() => new AccessPolicy({ host: '0.0.0.0' })).toThrow(
      expect.objectContaining({ code: 'bad_option', hint: expect.stringContaining('token') as string }),
    );
  });
  it.each(['', 'two words', 'ümlaut'])('refuses the token "%s" without repeating it', (token) => {
    const make = (): AccessPolicy => new AccessPolicy({ host: '0.0.0.0', token });
    expect(make).toThrow(expect.objectContaining({ code: 'bad_option' }));
    if (token !== '') expect(make).not.toThrow(token);
  });
});

describe('isLoopback', () => {
  it.each(['localhost', '127.0.0.1', '127.8.8.8', '::1'])('knows %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.evil'])('does not take %s for it', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
