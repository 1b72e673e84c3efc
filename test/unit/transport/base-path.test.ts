import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BasePath, parseBasePath } from '../../../src/transport/http/base-path.js';

const request = (remoteAddress: string, headers: Record<string, string>): IncomingMessage =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

describe('a base path', () => {
  it.each([
    ['/presage', '/'],
    ['/presage/', '/'],
    ['/presage?x=1', '/?x=1'],
    ['/presage/v1/streams', '/v1/streams'],
    ['/presages', '/presages'],
    ['/v1/streams', '/v1/streams'],
  ])('is taken off %s', (url, expected) => {
    expect(new BasePath({ basePath: '/presage/' }).strip(url)).toBe(expected);
  });

  it.each([
    '//evil.example',
    '/a//b',
    '/a/../b',
    'a',
    '/a b',
    '/a"',
    '/a,/b',
    '/a\r\nx',
    `/${'a'.repeat(300)}`,
  ])('is not %j', (text) => {
    expect(parseBasePath(text)).toBeUndefined();
    expect(new BasePath({}).of(request('127.0.0.1', { 'x-forwarded-prefix': text }))).toBe('');
    expect(() => new BasePath({ basePath: text })).toThrow(expect.objectContaining({ code: 'bad_option' }));
  });

  it('leads to no other host, whatever a proxy sends', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('/', '.', '\\', 'a', '%', '@', ':') }), (text) => {
        const path = parseBasePath(text) ?? '';
        expect(new URL(`${path}/v1`, 'http://own').host).toBe('own');
        expect(new URL(`${path}/v1`, 'http://own').pathname).toBe(`${path}/v1`);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the prefix of a proxy', () => {
  const headers = { 'x-forwarded-prefix': '/far' };

  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])('is used from %s by default', (address) => {
    expect(new BasePath({}).of(request(address, headers))).toBe('/far');
  });

  it('is not used from an address that is not trusted', () => {
    expect(new BasePath({ basePath: '/own' }).of(request('192.0.2.1', headers))).toBe('/own');
  });

  it('is used from the addresses and subnets that are named, and from no other', () => {
    const basePath = new BasePath({ trustedProxies: ['172.30.32.2', '10.0.0.0/8', 'fd00::/8'] });
    const used = ['172.30.32.2', '10.200.1.1', '::ffff:10.0.0.1', 'fd00::5'];
    const refused = ['172.30.32.3', '127.0.0.1', '11.0.0.1', 'fe80::1%eth0'];
    expect(used.map((address) => basePath.of(request(address, headers)))).toEqual(used.map(() => '/far'));
    expect(refused.map((address) => basePath.of(request(address, headers)))).toEqual(refused.map(() => ''));
  });

  it('is also read from the header that the ingress of Home Assistant sends', () => {
    const path = '/api/hassio_ingress/8Zk-x_1';
    expect(new BasePath({}).of(request('127.0.0.1', { 'x-ingress-path': path }))).toBe(path);
  });

  it.each(['10.0.0.0/33', 'proxy.example', '', '10.0.0.0/8/8'])('cannot be trusted from %j', (proxy) => {
    expect(() => new BasePath({ trustedProxies: [proxy] })).toThrow(
      expect.objectContaining({ code: 'bad_option' }),
    );
  });
});
