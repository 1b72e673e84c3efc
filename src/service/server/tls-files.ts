import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { PresageError, toPresageError } from '../../core/errors.js';
import type { TlsMaterial } from '../../transport/http/listener.js';

/** Interval of the checks of the files, ms: a renewed certificate is used without a restart. */
const CHECK_INTERVAL_MS = 10_000;

export interface TlsFilePaths {
  readonly cert: string;
  readonly key: string;
}

/** The files of the settings; undefined where TLS is not wanted. @throws PresageError `bad_option` when only one is named */
export function tlsPaths(settings: {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
}): TlsFilePaths | undefined {
  const { tlsCert: cert, tlsKey: key } = settings;
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return undefined;
  const missing = cert === undefined ? '--tls-cert' : '--tls-key';
  throw new PresageError('bad_option', `option ${missing}: TLS needs a certificate and its key`, {
    hint: 'Name both: --tls-cert FILE --tls-key FILE',
  });
}

/** Reads and checks both files. @throws PresageError `bad_option` saying which file, and what is wrong with it */
export function readTls(paths: TlsFilePaths): TlsMaterial {
  const cert = readPem('--tls-cert', paths.cert);
  const key = readPem('--tls-key', paths.key);
  const certificate = parsed('--tls-cert', paths.cert, 'a certificate', () => new X509Certificate(cert));
  const privateKey = parsed('--tls-key', paths.key, 'a private key without passphrase', () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new PresageError('bad_option', `${paths.key} is not the key of the certificate in ${paths.cert}`, {
      hint: 'Name the two files that were made together.',
    });
  }
  parsed('--tls-cert', paths.cert, 'a chain of certificates', () => createSecureContext({ cert, key }));
  return { cert, key };
}

/** Days until the certificate expires; below 0 when it has. */
export function daysLeft({ cert }: TlsMaterial, now = new Date()): number {
  return (Date.parse(new X509Certificate(cert).validTo) - now.getTime()) / 86_400_000;
}

/** Gives a server its certificate anew whenever the files change. */
export function renewTls(
  paths: TlsFilePaths,
  server: { renewTls(tls: TlsMaterial): void },
  onError: (error: PresageError) => void,
): Disposable {
  return watchTls(paths, { renewed: (tls) => server.renewTls(tls), failed: onError });
}

/** Reports changed files once they are complete. An error is reported once, and the old certificate stays in use. */
export function watchTls(
  paths: TlsFilePaths,
  observer: { renewed: (tls: TlsMaterial) => void; failed: (error: PresageError) => void },
  everyMs = CHECK_INTERVAL_MS,
): Disposable {
  let seen = stamp(paths);
  const timer = setInterval(() => {
    const now = stamp(paths);
    if (now === seen) return;
    seen = now;
    try {
      observer.renewed(readTls(paths));
    } catch (thrown) {
      observer.failed(toPresageError(thrown));
    }
  }, everyMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function stamp(paths: TlsFilePaths): string {
  return [paths.cert, paths.key].map(stampOf).join();
}

/** Never throws: a folder that is locked, or a link to itself, is a change that `readTls` explains. */
function stampOf(path: string): string {
  try {
    const info = statSync(path, { throwIfNoEntry: false });
    return info === undefined ? 'none' : `${info.ino} ${info.mtimeMs} ${info.size}`;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? String(thrown);
  }
}

function readPem(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? String(cause)})`;
    throw new PresageError('bad_option', `option ${option}: ${file}: ${what}`, { cause });
  }
}

function parsed<T>(option: string, file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new PresageError('bad_option', `option ${option}: ${file} is not ${what} in PEM form`, { cause });
  }
}
