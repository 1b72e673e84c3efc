import { z } from 'zod';
import { LIVE, number, option, optionalText } from '../option-spec.js';

const origin = z.string().regex(/^https?:\/\/[^/\s?#]+$/);

/** Options of the HTTP server beyond its address. */
export const SERVER_OPTIONS = {
  allowedOrigins: option({
    flag: 'allowed-origins',
    value: 'LIST',
    env: 'PRESAGE_ALLOWED_ORIGINS',
    yaml: 'server.allowedOrigins',
    schema: z.union([
      z.array(origin),
      z
        .string()
        .transform((list) => list.split(','))
        .pipe(z.array(origin)),
    ]),
    expected: 'origins such as http://localhost:5173, with commas between them',
    fallback: [] as string[],
    description: 'pages of these origins may connect, besides those of the service itself',
    commands: LIVE,
  }),
  apiFiles: option({
    flag: 'api-files',
    value: 'DIR',
    env: 'PRESAGE_API_FILES',
    yaml: 'server.apiFiles',
    schema: optionalText,
    expected: 'a folder',
    fallback: undefined,
    description: 'streams made by the API may be files in this folder (default: no files)',
    commands: LIVE,
  }),
  tlsCert: option({
    flag: 'tls-cert',
    value: 'FILE',
    env: 'PRESAGE_TLS_CERT',
    yaml: 'server.tlsCert',
    schema: optionalText,
    expected: 'a file',
    fallback: undefined,
    description: 'serve https:// and wss:// with this certificate (PEM, with its chain)',
    commands: [...LIVE, 'doctor'],
  }),
  tlsKey: option({
    flag: 'tls-key',
    value: 'FILE',
    env: 'PRESAGE_TLS_KEY',
    yaml: 'server.tlsKey',
    schema: optionalText,
    expected: 'a file',
    fallback: undefined,
    description: 'private key of that certificate (PEM, without passphrase)',
    commands: [...LIVE, 'doctor'],
  }),
  requestRate: option({
    flag: 'request-rate',
    value: 'N',
    env: 'PRESAGE_REQUEST_RATE',
    yaml: 'server.requestRate',
    schema: number(0, 100_000),
    expected: 'requests a second from 0 (no bound) to 100000',
    fallback: 100,
    description: 'HTTP requests that a token, or without one an address, may send a second',
    commands: LIVE,
  }),
};
