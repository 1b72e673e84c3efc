import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.js';
import { PresageError } from '../../core/errors.js';
import { Holder, type Identity } from './identity.js';
import { addressKey, KeyedRateLimit } from './rate-limit.js';
import type { Action } from './scopes.js';
import { digestOf } from './token-folder.js';
import type { TokenWatch } from './token-watch.js';

/** Wrong tokens that an address may show at once, and after that a second. */
const WRONG_BURST = 10;
const WRONG_PER_SECOND = 0.2;

export interface AccessOptions {
  /** Address the server binds. */
  host: string;
  /** An admin's. Required unless `host` is a loopback address or there are tokens in the data folder. */
  token?: string | undefined;
  /** Those of the data folder. */
  tokens?: Pick<TokenWatch, 'any' | 'find' | 'check' | 'onFirst'> | undefined;
  /** Origins of web pages, besides the server's own, that may connect, e.g. `http://localhost:5173`. */
  allowedOrigins?: readonly string[] | undefined;
  clock?: Clock | undefined;
}

/** Why a request is refused, as it goes into the reply. */
export interface Refusal {
  readonly status: 401 | 403 | 429;
  readonly code: 'unauthorized' | 'forbidden' | 'overloaded';
  readonly message: string;
  /** `WWW-Authenticate`, `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Who may talk to the server. Where tokens are needed: whoever shows one, as far as its scopes go. Where none is (loopback
 * only, and no token was made): requests whose Host is a loopback name and whose Origin, if a browser sent one, is the
 * server's own, so that a web page elsewhere can reach it neither directly nor by DNS rebinding; they may do everything.
 */
export class AccessPolicy {
  readonly #digest: Buffer | undefined;
  readonly #tokens: AccessOptions['tokens'];
  readonly #loopback: boolean;
  readonly #allowedOrigins: ReadonlySet<string>;
  readonly #wrong: KeyedRateLimit;
  readonly #owner = new Holder('--token', ['admin']);
  readonly #anyone = new Holder('anyone on this machine', ['admin'], false);

  /** Throws `bad_option` when the host is not loopback and there is no token, or the token can't be sent. */
  constructor(options: AccessOptions) {
    const { host, token, tokens, clock } = options;
    if (token === undefined && tokens?.any !== true && !isLoopback(host)) {
      throw new PresageError('bad_option', `Binding ${host} lets other machines in and needs a token`, {
        hint: 'Make one (presage token create NAME --scopes admin), give one (--token or PRESAGE_TOKEN), or bind 127.0.0.1.',
      });
    }
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
      throw new PresageError(
        'bad_option',
        'The access token must be printable ASCII without spaces, not empty',
      );
    }
    this.#digest = token === undefined ? undefined : digestOf(token);
    this.#tokens = tokens;
    this.#loopback = isLoopback(host);
    this.#allowedOrigins = new Set(options.allowedOrigins);
    this.#wrong = new KeyedRateLimit({
      burst: WRONG_BURST,
      perSecond: WRONG_PER_SECOND,
      ...(clock && { clock }),
    });
    // Who was let in without one is to show it now.
    tokens?.onFirst(() => this.#anyone.end());
    if (this.needsToken) this.#anyone.end();
  }

  get needsToken(): boolean {
    return this.#digest !== undefined || this.#tokens?.any === true || !this.#loopback;
  }

  /** Whether pages of this origin, besides the server's own, may connect. */
  allowsOrigin(origin: string): boolean {
    return this.#allowedOrigins.has(origin);
  }

  /** Who sent a request, or why it is not answered. */
  identify(request: IncomingMessage): Identity | Refusal {
    if (!this.needsToken) this.#tokens?.check();
    const shown = tokenOf(request);
    const digest = shown === undefined ? undefined : digestOf(shown);
    // It has 256 bits: at no rate is it found by trying, so those who have one never wait for those who guess.
    const known = digest && this.#tokens?.find(digest);
    if (known) return known;
    if (!this.needsToken) return this.#refuseForeign(request) ?? this.#anyone;
    if (digest === undefined) return unauthorized('An access token is required');
    const address = addressKey(request.socket.remoteAddress);
    const waitS = this.#wrong.waitS(address);
    if (waitS > 0) return tooMany('Too many wrong tokens came from this address', waitS);
    if (this.#digest !== undefined && timingSafeEqual(digest, this.#digest)) return this.#owner;
    this.#wrong.take(address);
    return unauthorized('The access token is wrong, was revoked or has expired', 'invalid_token');
  }

  /** Undefined when the request may do that: without an action, when it may come in at all. */
  refusal(request: IncomingMessage, action?: Action, streamId?: string): Refusal | undefined {
    const identity = this.identify(request);
    if (isRefusal(identity)) return identity;
    return action === undefined || identity.may(action, streamId)
      ? undefined
      : outOfScope(identity, action, streamId);
  }

  #refuseForeign({ headers }: IncomingMessage): Refusal | undefined {
    const host = headers.host ?? '';
    if (!isLoopback(hostName(host))) {
      return forbidden('Without a token only requests to a loopback address are answered');
    }
    const { origin } = headers;
    const own = origin === `http://${host}` || origin === `https://${host}`;
    if (origin === undefined || own || this.#allowedOrigins.has(origin)) return undefined;
    return forbidden('Pages of another origin may not connect');
  }
}

export function isRefusal(found: Identity | Refusal): found is Refusal {
  return 'status' in found;
}

/** The token is right, but not for this. */
export function outOfScope(identity: Identity, action: Action, streamId?: string): Refusal {
  const scope = action === 'admin' ? action : `${action}:${streamId ?? '*'}`;
  const message = `The token "${identity.name}" does not cover this: it takes the scope ${scope}`;
  const headers = { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` };
  return { ...forbidden(message), headers: /^[\w:*-]+$/.test(scope) ? headers : {} };
}

export function tooMany(message: string, waitS: number): Refusal {
  return { status: 429, code: 'overloaded', message, headers: { 'retry-after': String(waitS) } };
}

function unauthorized(message: string, error?: string): Refusal {
  const challenge = error === undefined ? 'Bearer' : `Bearer error="${error}"`;
  return { status: 401, code: 'unauthorized', message, headers: { 'www-authenticate': challenge } };
}

function forbidden(message: string): Refusal {
  return { status: 403, code: 'forbidden', message, headers: {} };
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

/** The query of a request; empty when the URL makes no sense. */
export function queryOf(request: IncomingMessage): URLSearchParams {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
}
