import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { PresageError } from '../../core/errors.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Path under which the client reaches the root of this server: empty, or `/…` without a slash at its end. */
    basePath: string;
  }
}

export interface BasePathOptions {
  /** Path under which a reverse proxy offers this server, such as `/presage`; empty: the root. */
  readonly basePath?: string | undefined;
  /** Addresses and subnets (`10.0.0.0/8`) of the proxies whose prefix headers are used. Default: those of loopback. */
  readonly trustedProxies?: readonly string[] | undefined;
}

/** Reverse proxies on this machine. */
export const DEFAULT_TRUSTED_PROXIES: readonly string[] = ['127.0.0.0/8', '::1'];
/** Segments of unreserved characters (RFC 3986); not `.` and `..`, and no empty one, which would name another host. */
const BASE_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/;
/** Longer prefixes are ignored, characters. */
const MAX_PREFIX = 256;
/** The second one is sent by the ingress of Home Assistant. */
const PREFIX_HEADERS = ['x-forwarded-prefix', 'x-ingress-path'] as const;

/** A base path without a slash at its end; undefined where it is none. */
export function parseBasePath(text: string): string | undefined {
  const path = text.replace(/\/$/, '');
  return path === '' || (path.length <= MAX_PREFIX && BASE_PATH.test(path)) ? path : undefined;
}

/** Whether this is an address or a subnet such as `10.0.0.0/8`. */
export function isAddressOrSubnet(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** Where clients find this server: at the root, or below a path of a reverse proxy. */
export class BasePath {
  readonly #path: string;
  readonly #trusted = new BlockList();

  /** @throws PresageError `bad_option` */
  constructor({ basePath = '', trustedProxies = DEFAULT_TRUSTED_PROXIES }: BasePathOptions) {
    const path = parseBasePath(basePath);
    if (path === undefined) {
      throw new PresageError('bad_option', `base path: got ${basePath}, expected a path such as /presage`);
    }
    this.#path = path;
    for (const proxy of trustedProxies) {
      if (!isAddressOrSubnet(proxy)) {
        throw new PresageError('bad_option', `trusted proxies: got ${proxy}, expected an address or subnet`);
      }
      const [address = '', bits] = proxy.split('/');
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits), family);
    }
  }

  /** The path and query that routes match: without the base path, where the proxy passes it on. */
  strip(url: string): string {
    const rest = url.startsWith(this.#path) ? url.slice(this.#path.length) : url;
    if (rest === '' || rest.startsWith('?')) return `/${rest}`;
    return rest.startsWith('/') ? rest : url;
  }

  /** Base path of the links in the answer to a request: the prefix that a trusted proxy sent, or the configured one. */
  of({ headers, socket }: IncomingMessage): string {
    if (!this.#trusts(socket.remoteAddress)) return this.#path;
    for (const name of PREFIX_HEADERS) {
      const value = headers[name];
      const path = typeof value === 'string' ? parseBasePath(value) : undefined;
      if (path !== undefined) return path;
    }
    return this.#path;
  }

  /** Sets `request.basePath`. To be called before hooks that answer. */
  register(app: FastifyInstance): void {
    app.decorateRequest('basePath', '');
    app.addHook('onRequest', (request, _reply, done) => {
      request.basePath = this.of(request.raw);
      done();
    });
  }

  #trusts(address: string | undefined): boolean {
    if (address === undefined) return false;
    const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1];
    const [plain = ''] = (mapped ?? address).split('%', 1);
    return this.#trusted.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  }
}
