import { ownValue } from '../../core/own-value.js';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PresageError, type ErrorCode } from '../../core/errors.js';
import { redact } from '../../core/text/redact.js';
import type { TransportLogger } from '../transport-logger.js';
import { errorBody } from './reply.js';

/** Statuses of what is not this service's fault, or passes; everything else is 500. */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  bad_request: 400,
  bad_option: 400,
  source_not_found: 400,
  source_invalid: 400,
  source_refused: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  not_kept: 410,
  codec_unsupported: 422,
  overloaded: 503,
  interrupted: 503,
};
const RETRY_AFTER_S = 5;

/** What fastify itself refuses, in words for whoever sent it. */
const FRAMEWORK: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is too large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'This path takes another Content-Type; most take application/json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The length of the body differs from Content-Length',
  FST_ERR_BAD_URL: 'The path is not a valid one',
};

/** Answers whatever went wrong with `{error: {code, message}}`. What went wrong inside is logged and not told. */
export function answerFailure(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: TransportLogger,
): void {
  if (thrown instanceof PresageError && STATUSES[thrown.code] !== undefined) {
    const status = STATUSES[thrown.code] ?? 500;
    if (status === 503) reply.header('retry-after', RETRY_AFTER_S);
    const text = thrown.hint === undefined ? thrown.message : `${thrown.message}. ${thrown.hint}`;
    reply.code(status).send(errorBody(thrown.code, redact(text)));
    return;
  }
  const { statusCode, code: name } = (thrown ?? {}) as { statusCode?: unknown; code?: unknown };
  const status = typeof statusCode === 'number' && statusCode >= 400 ? statusCode : 500;
  if (status < 500) {
    const text = ownValue(FRAMEWORK, String(name)) ?? 'The request makes no sense';
    reply.code(status).send(errorBody('bad_request', text));
    return;
  }
  const error = redact(thrown instanceof Error ? thrown.message : String(thrown));
  logger.error({ url: redact(request.url), error }, 'request failed');
  const code = thrown instanceof PresageError ? thrown.code : 'internal';
  reply.code(status).send(errorBody(code, 'The request failed in the service; its log has the reason'));
}

/** 404 for paths that are nothing, 405 with `Allow` for those that are, but not by this method. Call before any route is added. */
export function answerUnknown(app: FastifyInstance): void {
  const routes: { pattern: RegExp; methods: Set<string> }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.split('/').map(segment).join('/')}/?$`);
    routes.push({ pattern, methods: new Set([method].flat()) });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = new Set(
      routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => [...route.methods]),
    );
    if (methods.size === 0 || methods.has(request.method)) {
      return reply.code(404).send(errorBody('not_found', 'There is nothing at this path'));
    }
    const allowed = [...methods].join(', ');
    return reply
      .code(405)
      .header('allow', allowed)
      .send(errorBody('bad_request', `This path takes ${allowed}, not ${request.method}`));
  });
}

/** A part of a route's path as a pattern: `:id` is any part, `*` anything. */
function segment(part: string): string {
  if (part === '*') return '.*';
  const pieces = part.split(/(:[a-zA-Z]+)/);
  return pieces
    .map((piece) => (piece.startsWith(':') ? '[^/]+' : piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('');
}

/** Answers what is no HTTP, or came too slowly, and hangs up. */
export function answerInvalid(error: Error & { code?: string }, socket: Socket): void {
  // Before the handshake is done nothing can be said: what was written would wait for it, and so would the end.
  if (
    error.code === 'ECONNRESET' ||
    /^(?:ERR_TLS|ERR_SSL|EPROTO)/.test(error.code ?? '') ||
    !socket.writable
  ) {
    socket.destroy();
    return;
  }
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const large = error.code === 'HPE_HEADER_OVERFLOW';
  const status = slow ? 408 : large ? 431 : 400;
  const text = slow ? 'The request came too slowly' : large ? 'The headers are too large' : 'This is no HTTP';
  const body = JSON.stringify(errorBody('bad_request', text));
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8`;
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => socket.destroy());
}
