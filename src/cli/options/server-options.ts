import { z } from 'zod';
import { DEFAULT_TRUSTED_PROXIES, isAddressOrSubnet, parseBasePath } from '../../transport/http/base-path.js';
import { LIVE, number, option, optionalText } from './option-spec.js';

const proxy = z.string().refine(isAddressOrSubnet);
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
  basePath: option({
    flag: 'base-path',
    value: 'PATH',
    env: 'PRESAGE_BASE_PATH',
    yaml: 'server.basePath',
    schema: z.string().refine((path) => parseBasePath(path) !== undefined),
    expected: 'a path such as /presage',
    fallback: '',
    description: 'path below which a reverse proxy offers the service (default: the root)',
    commands: LIVE,
  }),
  trustedProxies: option({
    flag: 'trusted-proxies',
    value: 'LIST',
    env: 'PRESAGE_TRUSTED_PROXIES',
    yaml: 'server.trustedProxies',
    schema: z.union([
      z.array(proxy),
      z
        .string()
        .transform((list) => list.split(','))
        .pipe(z.array(proxy)),
    ]),
    expected: 'addresses or subnets such as 172.30.32.2 or 10.0.0.0/8, with commas between them',
    fallback: [...DEFAULT_TRUSTED_PROXIES],
    description: 'reverse proxies whose X-Forwarded-Prefix or X-Ingress-Path is used',
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
