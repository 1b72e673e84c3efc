import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { redact } from '../../core/text/redact.js';
import { isRefusal, outOfScope, tooMany, type AccessPolicy, type Refusal } from '../access/access-policy.js';
import type { Identity } from '../access/identity.js';
import { addressKey, KeyedRateLimit } from '../access/rate-limit.js';
import type { Action } from '../access/scopes.js';
import type { TransportLogger } from '../transport-logger.js';
import type { RouteAccess } from './feature.js';
import { errorBody } from './reply.js';

export interface GateOptions {
  readonly policy: AccessPolicy;
  /** Requests that a token, or without one an address, may send at once, and after that a second; 0: no bound. */
  readonly requestsPerSecond: number;
  readonly logger: TransportLogger;
}

/** At once, in seconds of what may come a second: a page that opens asks for many pictures. */
const BURST_S = 4;
/** What a page of another origin may send and see, where that origin is allowed. */
const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type, if-match, last-event-id',
  'access-control-max-age': '600',
};
const CORS_EXPOSED = 'etag, link, location, retry-after';
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Stands before every route: who asks, whether they may, and whether they ask too often. */
export function addGate(app: FastifyInstance, options: GateOptions): void {
  const { policy, requestsPerSecond, logger } = options;
  const limit =
    requestsPerSecond > 0
      ? new KeyedRateLimit({ burst: requestsPerSecond * BURST_S, perSecond: requestsPerSecond })
      : undefined;
  app.decorateRequest('identity', undefined);
  app.addHook('onRequest', async (request, reply) => {
    logger.debug({ method: request.method, url: redact(request.url) }, 'request');
    reply.headers(SECURITY_HEADERS);
    if (answerOrigin(request, reply, policy)) return;
    const found = policy.identify(request.raw);
    const waitS = limit?.take(limitKey(request, found)) ?? 0;
    if (waitS > 0) return refuse(reply, tooMany('Too many requests', waitS));
    const refusal = isRefusal(found) ? refusalOf(found, request) : scopeRefusal(found, request);
    if (refusal) return refuse(reply, refusal);
    if (isRefusal(found)) return;
    request.identity = found;
    endWithToken(found, reply);
  });
}

function refuse(reply: FastifyReply, { status, code, message, headers }: Refusal): FastifyReply {
  return reply.code(status).headers(headers).send(errorBody(code, message));
}

/** Headers for pages of other origins that are allowed. True when that is all: a browser asks before it sends. */
function answerOrigin(request: FastifyRequest, reply: FastifyReply, policy: AccessPolicy): boolean {
  const { origin } = request.headers;
  if (origin === undefined || !policy.allowsOrigin(origin)) return false;
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': CORS_EXPOSED,
    // Pages of that origin may show pictures of this one.
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'origin',
  });
  const asksBefore = request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
  if (asksBefore) reply.code(204).headers(CORS_HEADERS).send();
  return asksBefore;
}

function limitKey(request: FastifyRequest, found: Identity | Refusal): string {
  return !isRefusal(found) && found.named
    ? `token ${found.name}`
    : addressKey(request.raw.socket.remoteAddress);
}

function accessOf(request: FastifyRequest): RouteAccess {
  const given = request.routeOptions.config.access;
  return given ?? (request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'admin');
}

/** Public routes are for those without a token, too; not for pages that have no business here. */
function refusalOf(refusal: Refusal, request: FastifyRequest): Refusal | undefined {
  const open = !request.is404 && accessOf(request) === 'public' && refusal.status === 401;
  return open ? undefined : refusal;
}

function scopeRefusal(identity: Identity, request: FastifyRequest): Refusal | undefined {
  // That there is nothing is told to whoever has a token.
  if (request.is404) return undefined;
  const access = accessOf(request);
  if (access === 'public') return undefined;
  const [action, every] = access.split(':') as [Action, string | undefined];
  const streamId = every ?? (request.params as { id?: string } | undefined)?.id;
  return identity.may(action, streamId) ? undefined : outOfScope(identity, action, streamId);
}

/** What a revoked token has open, such as a stream of video or events, ends. */
function endWithToken({ signal }: Identity, { raw }: FastifyReply): void {
  const end = (): void => {
    raw.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  raw.once('close', () => signal.removeEventListener('abort', end));
}
