import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PresageError, toPresageError } from '../../core/errors.js';
import {
  inspectionArgumentsSchema,
  inspectionRequestOf,
  type InspectionRequest,
} from '../../core/inspection.js';
import type { ReportedInspection } from '../../core/messages.js';
import { RateLimit } from '../access/rate-limit.js';
import { errorBody } from './reply.js';
import { unknownStream } from './routes.js';
import type { StatusProviders } from './status.js';

/** Looks at the recent video of a stream again. Rejects with a PresageError: `not_kept`, `overloaded`, … */
export type InspectStream = (
  streamId: string,
  request: InspectionRequest,
  signal: AbortSignal,
) => Promise<readonly ReportedInspection[]>;

export interface InspectionContext {
  readonly status: StatusProviders;
  readonly inspect: InspectStream | undefined;
}

/** Looks that may come at once, and after that a second, for all streams: each takes tenths of a second of the detector. */
const BURST = 8;
const PER_SECOND = 2;
/** When to try again, s. */
const RETRY_AFTER_S = 1;
/** Statuses of what can go wrong that is not this service's fault. */
const STATUSES: Partial<Record<PresageError['code'], number>> = {
  not_kept: 410,
  overloaded: 429,
  bad_request: 400,
};

/** `POST /v1/streams/{id}/inspect` */
export function registerInspection(app: FastifyInstance, { status, inspect: look }: InspectionContext): void {
  const limit = new RateLimit({ burst: BURST, perSecond: PER_SECOND });
  app.post(
    '/v1/streams/:id/inspect',
    { config: { access: 'read' } },
    async (request: FastifyRequest<{ Params: { id: string } }>, reply) => {
      const { id } = request.params;
      const known = status.streams().some((stream) => stream.id === id);
      if (!known || look === undefined) return unknownStream(reply, id);
      const body = inspectionArgumentsSchema.safeParse(request.body);
      if (!body.success) {
        const [issue] = body.error.issues;
        const where = issue?.path.map(String).join('.') ?? '';
        const message = `Post JSON such as {"t": 12.3, "region": [0, 0, 0.5, 1]}: ${where === '' ? '' : `${where}: `}${issue?.message ?? ''}`;
        return reply.code(400).send(errorBody('bad_request', message));
      }
      if (!limit.take())
        return refuse(
          reply,
          new PresageError('overloaded', 'Too many inspections: the limit is two per second'),
        );
      try {
        const looks = await look(id, inspectionRequestOf(body.data), signalOf(reply));
        return { source: `/streams/${id}`, data: { inspections: looks } };
      } catch (thrown) {
        return refuse(reply, toPresageError(thrown));
      }
    },
  );
}

function refuse(reply: FastifyReply, error: PresageError): FastifyReply {
  const status = STATUSES[error.code];
  if (status === undefined) throw error;
  if (error.code === 'overloaded') reply.header('retry-after', RETRY_AFTER_S);
  return reply.code(status).send(errorBody(error.code, error.message));
}

/** Aborts when the client goes away before the answer. */
function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort(new PresageError('interrupted', 'the client has gone'));
  });
  return gone.signal;
}
