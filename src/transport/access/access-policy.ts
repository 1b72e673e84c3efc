import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PresageError } from '../../core/errors.js';

export interface AccessOptions {
  /** Address the server binds. */
  host: string;
  /** Required unless `host` is a loopback address. */
  token?: string | undefined;
  /** Origins of web pages, besides the server's own, that may connect, e.g. `http://localhost:5173`. */
  allowedOrigins?: readonly string[] | undefined;
}

/** Why a request is refused, as it goes into the reply. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
}

/**
 * Who may talk to the server. With a token: whoever shows it. Without one (loopback only): requests whose Host is a
 * loopback name and whose Origin, if a browser sent one, is the server's own, so that a web page elsewhere can
 * reach it neither directly nor by DNS rebinding.
 */
export class AccessPolicy {
  readonly #digest: Buffer | undefined;
  readonly #allowedOrigins: ReadonlySet<string>;

  /** Throws `bad_option` when the host is not loopback and there is no token, or the token can't be sent. */
  constructor(options: AccessOptions) {
    const { host, token } = options;
    if (token === undefined && !isLoopback(host)) {
      throw new PresageError('bad_option', `Binding ${host} lets other machines in and needs a token`, {
        hint: 'Give an access token (--token or PRESAGE_TOKEN), or bind 127.0.0.1.',
      });
    }
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
      throw new PresageError(
        'bad_option',
        'The access token must be printable ASCII without spaces, not empty',
      );
    }
    this.#digest = token === undefined ? undefined : digest(token);
    this.#allowedOrigins = new Set(options.allowedOrigins);
  }

  get needsToken(): boolean {
    return this.#digest !== undefined;
  }

  /** Undefined when the request may pass. */
  refusal(request: IncomingMessage): Refusal | undefined {
    if (this.#digest === undefined) return this.#refuseForeign(request);
    const shown = tokenOf(request);
    if (shown !== undefined && timingSafeEqual(digest(shown), this.#digest)) return undefined;
    const message = shown === undefined ? 'An access token is required' : 'The access token is wrong';
    return { status: 401, message };
  }

  #refuseForeign({ headers }: IncomingMessage): Refusal | undefined {
    const host = headers.host ?? '';
    if (!isLoopback(hostName(host))) {
      return { status: 403, message: 'Without a token only requests to a loopback address are answered' };
    }
    const { origin } = headers;
    if (origin === undefined || this.#allowedOrigins.has(origin) || origin === `http://${host}`)
      return undefined;
    return { status: 403, message: 'Pages of another origin may not connect' };
  }
}

/** True for `localhost`, 127.0.0.0/8 and ::1. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The name in a Host header: without port and brackets. */
function hostName(header: string): string {
  return (/^\[([^\]]+)\](?::\d+)?$/.exec(header)?.[1] ?? header.replace(/:\d+$/, '')).toLowerCase();
}

function tokenOf(request: IncomingMessage): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  return bearer ?? queryOf(request).get('access_token') ?? undefined;
}

/** Equal lengths whatever was sent, so that the comparison takes equal time. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The query of a request; empty when the URL makes no sense. */
export function queryOf(request: IncomingMessage): URLSearchParams {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
}
