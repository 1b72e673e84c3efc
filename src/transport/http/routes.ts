import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { PresageError } from '../../core/errors.js';
import { formatSequence } from '../../core/messages.js';
import type { Identity } from '../access/identity.js';
import type { LogEntry } from '../log/log-types.js';
import type { Hub } from '../events/hub.js';
import { errorBody } from './reply.js';
import { notReadyBecause, overall, type StatusProviders, type StreamStatus } from './status.js';
import type { LogReader } from '../events/log-window.js';

/** The part of the durable log that the HTTP API reads. */
export interface ServerLog extends LogReader {
  latest(streamId: string, kind: 'scorecard.updated'): LogEntry | undefined;
}

export interface RouteContext {
  readonly status: StatusProviders;
  readonly registry: Registry;
  readonly hub: Hub;
  readonly log: ServerLog;
  readonly startedAtMs: number;
}

type StreamRequest = FastifyRequest<{ Params: { id: string } }>;

/** The read-only part of the HTTP API. */
export function registerRoutes(app: FastifyInstance, context: RouteContext): void {
  registerHealth(app, context);
  registerStreams(app, context);
  app.get('/metrics', { config: { access: 'read:*' } }, async (_request, reply) => {
    reply.type(context.registry.contentType);
    return context.registry.metrics();
  });
}

/** Probes have no token: without one these two tell only whether, not what. */
const PROBE = { config: { access: 'public' } } as const;

function registerHealth(app: FastifyInstance, context: RouteContext): void {
  const { status, hub } = context;
  app.get('/healthz', PROBE, ({ identity }) => {
    const brief = { status: overall(status), version: status.service().version };
    if (identity === undefined) return brief;
    const streams = readable(status, identity);
    const { subscribers, sent, dropped } = hub.stats();
    return {
      ...brief,
      uptimeS: Math.round((performance.now() - context.startedAtMs) / 1000),
      ...status.service(),
      storage: status.storageFailure?.()?.message ?? 'ok',
      drops: streams.reduce((sum, stream) => sum + totalDrops(stream), 0),
      clients: { connected: subscribers, sent, dropped },
      streams,
    };
  });
  app.get('/readyz', PROBE, async (_request, reply) => {
    const reason = notReadyBecause(status);
    return reply.code(reason === undefined ? 200 : 503).send({ ready: reason === undefined, reason });
  });
}

function registerStreams(app: FastifyInstance, context: RouteContext): void {
  const { status, log } = context;
  const find = (id: string): StreamStatus | undefined => status.streams().find((stream) => stream.id === id);
  app.get('/v1/streams', ({ identity, basePath }) => ({
    streams: readable(status, identity).map((stream) => told(stream, log, basePath)),
  }));
  app.get('/v1/streams/:id', ({ params: { id }, basePath }: StreamRequest) =>
    describeStream(context, id, basePath),
  );
  app.get('/v1/streams/:id/scorecard', async (request: StreamRequest, reply) => {
    const { id } = request.params;
    if (find(id) === undefined) return unknownStream(reply, id);
    const entry = log.latest(id, 'scorecard.updated');
    if (entry === undefined) {
      return reply.code(404).send(errorBody('not_found', `Stream "${id}" has no scorecard yet`));
    }
    return reply.type('application/json; charset=utf-8').send(entry.json);
  });
}

/** A stream as the API tells it. @throws PresageError `not_found` */
export function describeStream(
  { status, log }: Pick<RouteContext, 'status' | 'log'>,
  id: string,
  basePath: string,
): object {
  const stream = status.streams().find((one) => one.id === id);
  if (stream === undefined) throw new PresageError('not_found', `There is no stream "${id}"`);
  return told(stream, log, basePath);
}

function told(stream: StreamStatus, log: ServerLog, basePath: string): object {
  const { first, last } = log.range(stream.id);
  const kept = last >= first;
  return {
    ...stream,
    firstSequence: kept ? formatSequence(first) : null,
    lastSequence: kept ? formatSequence(last) : null,
    events: `${basePath}/v1/streams/${stream.id}/events`,
    scorecard: `${basePath}/v1/streams/${stream.id}/scorecard`,
  };
}

/** The streams that whoever asks may read. */
function readable(status: StatusProviders, identity: Identity | undefined): readonly StreamStatus[] {
  return status.streams().filter(({ id }) => identity?.may('read', id) === true);
}

export function unknownStream(reply: FastifyReply, id: string): FastifyReply {
  return reply.code(404).send(errorBody('not_found', `There is no stream "${id}"`));
}

function totalDrops(stream: StreamStatus): number {
  return Object.values(stream.drops ?? {}).reduce((sum, count) => sum + count, 0);
}
