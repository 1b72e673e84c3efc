/** No secret of an address appears in names, messages or log lines. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSecretKey, redact, redactAddress } from '../../../../src/core/text/redact.js';
import { sourceName } from '../../../../src/ingest/source-spec.js';

/** Passwords as users choose them: quotes, spaces, slashes and all other marks; the core is recognisable in any encoding. */
const CORE = 'Zq7Xw';
const around = fc.string({
  unit: fc.constantFrom(...Array.from('abc019\'" /:;@?&#=%+_-.!$*(),<>[]{}|\\^~`é')),
  maxLength: 6,
});
const secrets = fc.tuple(around, around).map(([before, after]) => `${before}${CORE}${after}`);
const keys = fc.constantFrom(
  'pw',
  'password',
  'loginpas',
  'access_token',
  'access_t%6Fken',
  'API_KEY',
  'sig',
  'pass',
  'psw',
);
const schemes = fc.constantFrom('rtsp', 'http', 'https', 'rtsps');

describe('the name of a source', () => {
  it('never contains the password of the address, whatever characters it has', () => {
    fc.assert(
      fc.property(schemes, secrets, fc.boolean(), (scheme, secret, encoded) => {
        const password = encoded ? encodeURIComponent(secret) : secret;
        expect(sourceName(`${scheme}://admin:${password}@10.0.0.2:554/live`)).not.toContain(CORE);
      }),
      { numRuns: 2000 },
    );
  });

  it('never contains the value of a secret parameter, encoded or not', () => {
    fc.assert(
      fc.property(schemes, keys, secrets, (scheme, key, secret) => {
        const value = encodeURIComponent(secret);
        expect(sourceName(`${scheme}://10.0.0.2/live?${key}=${value}`)).not.toContain(CORE);
        const raw = secret.replaceAll('&', '').replace(/_\w*=/g, '');
        expect(sourceName(`${scheme}://10.0.0.2/live?a=1&${key}=${raw}`)).not.toContain(CORE);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [
      'rtsp://10.0.0.2:554/user=admin_password=Zq7Xw_channel=1_stream=0.sdp',
      'rtsp://10.0.0.2:554/user=admin_password=***_channel=1_stream=0.sdp',
    ],
    ['http://10.0.0.2/cgi?loginuse=a&loginpas=Zq7Xw&x=1', 'http://10.0.0.2/cgi?loginuse=a&loginpas=***&x=1'],
    ['rtsp://u:Zq\'7" Xw@10.0.0.2/live', 'rtsp://***@10.0.0.2/live'],
    ['rtsp://u:12/Zq7Xw@10.0.0.2/live', 'rtsp://***'],
    ['rtsp-listen://:8554/door?pw=Zq7Xw', 'rtsp-listen://:8554/door?pw=***'],
    ['rtsp://10.0.0.2/live', 'rtsp://10.0.0.2/live'],
    ['videos/a@b.mp4', 'videos/a@b.mp4'],
  ])('of %s is %s', (source, name) => expect(sourceName(source)).toBe(name));
});

describe('a log line', () => {
  it('never contains a secret of an address as ffmpeg or a browser writes it', () => {
    fc.assert(
      fc.property(schemes, keys, secrets, (scheme, key, secret) => {
        const value = encodeURIComponent(secret);
        const url = `${scheme}://admin:${value}@10.0.0.2/live?x=1&${key}=${value}#${key}=${value}`;
        expect(redact(`cannot open ${url}: 404 Not Found`)).not.toContain(CORE);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps the text after a name that is already redacted', () => {
    for (const line of ['http://h/?pw=***: no answer', 'rtsp://***@h/a: no answer for 3 s']) {
      expect(redact(line)).toBe(line);
      expect(redactAddress(line)).toBe(line);
    }
  });
});

describe('a secret key', () => {
  it.each(['password', 'access_t%6Fken', 'access_t%256Fken', 'LoginPas', 'pw', 'X-Api-Key', 'Authorization'])(
    'is %s',
    (key) => expect(isSecretKey(key)).toBe(true),
  );
  it.each(['user', 'stream', 'id', 'url', 'x', 'channel'])('is not %s', (key) =>
    expect(isSecretKey(key)).toBe(false),
  );
});
