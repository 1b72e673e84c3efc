import { copyFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { PresageError } from '../../../../src/core/errors.js';
import { daysLeft, readTls, tlsPaths, watchTls } from '../../../../src/service/server/tls-files.js';
import type { TlsMaterial } from '../../../../src/transport/http/listener.js';
import { tempFolder } from '../../../support/transport/temp-folder.js';

const at = (name: string): string => fileURLToPath(new URL(`../../../support/tls/${name}`, import.meta.url));
const A = { cert: at('a.crt'), key: at('a.key') };

it('takes a certificate with its key, and tells how long it is good for', () => {
  const tls = readTls(A);
  expect(tls.cert).toContain('BEGIN CERTIFICATE');
  expect(daysLeft(tls, new Date('2027-01-01'))).toBeGreaterThan(30_000);
  expect(daysLeft(tls, new Date('2300-01-01'))).toBeLessThan(0);
});

it('wants both files or none', () => {
  expect(tlsPaths({})).toBeUndefined();
  expect(tlsPaths({ tlsCert: 'a', tlsKey: 'b' })).toEqual({ cert: 'a', key: 'b' });
  expect(() => tlsPaths({ tlsCert: 'a' })).toThrow(/--tls-key: TLS needs a certificate and its key/);
  expect(() => tlsPaths({ tlsKey: 'a' })).toThrow(/--tls-cert/);
});

it.each([
  ['is missing', { ...A, cert: 'none.crt' }, /--tls-cert: none\.crt: there is no such file/],
  ['is no certificate', { ...A, cert: at('a.key') }, /--tls-cert: .*a\.key is not a certificate in PEM form/],
  ['is no key', { ...A, key: at('a.crt') }, /--tls-key: .*a\.crt is not a private key/],
  [
    'belongs to another one',
    { ...A, key: at('b.key') },
    /b\.key is not the key of the certificate in .*a\.crt/,
  ],
])('says which file %s', (_what, paths, message) => {
  expect(() => readTls(paths)).toThrow(message);
  expect(() => readTls(paths)).toThrow(expect.objectContaining({ code: 'bad_option' }));
});

it('tells of files that were renewed, and stays with the old ones while they do not fit', async () => {
  const folder = tempFolder();
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  copyFileSync(A.cert, paths.cert);
  copyFileSync(A.key, paths.key);
  const told: (TlsMaterial | PresageError)[] = [];
  let wake = (): void => undefined;
  const tell = (one: TlsMaterial | PresageError): void => {
    told.push(one);
    wake();
  };
  const watch = watchTls(paths, { renewed: tell, failed: tell }, 5);
  onTestFinished(() => watch[Symbol.dispose]());
  const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  const halfway = next();
  writeFileSync(paths.cert, 'half of a certificate');
  await halfway;
  expect(told[0]).toBeInstanceOf(PresageError);
  const whole = next();
  copyFileSync(at('b.key'), paths.key);
  copyFileSync(at('b.crt'), paths.cert);
  await whole;
  // The key may have been seen before the certificate was.
  while (told.at(-1) instanceof PresageError) await next();
  expect(told.at(-1)).toEqual(readTls({ cert: at('b.crt'), key: at('b.key') }));
});

it('reports files whose time cannot be read, and stays with the old ones', async () => {
  const folder = tempFolder();
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  copyFileSync(A.cert, paths.cert);
  copyFileSync(A.key, paths.key);
  const failed = new Promise<PresageError>((resolve) => {
    const watch = watchTls(paths, { renewed: () => undefined, failed: resolve }, 5);
    onTestFinished(() => watch[Symbol.dispose]());
  });
  rmSync(paths.cert);
  symlinkSync(paths.cert, paths.cert);
  expect(await failed).toMatchObject({ code: 'bad_option' });
});
