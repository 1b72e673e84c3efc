import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PresageError } from '../../../core/errors.js';
import type { ArchiveQueries } from '../../archive/archive-queries.js';
import { parseBody } from '../parse.js';
import { eventsQuerySchema, explanationsQuerySchema, predictionsQuerySchema } from './history-schemas.js';
import { objectsQuerySchema } from './object-schemas.js';
import type { StreamHistory } from './stream-history.js';
import { objectsOf } from './stream-objects.js';

/** What is kept of a stream, up to this moment. */
export interface StoredStream {
  readonly history: StreamHistory;
  readonly queries: ArchiveQueries;
}

export interface HistoryContext {
  /** @throws PresageError `not_found` */
  readonly keptOf: (streamId: string) => StoredStream;
}

const EVENT_ID = /^e\d{1,12}$/;

type StreamRequest = FastifyRequest<{ Params: { id: string } }>;

/** What happened, why, what was foretold, and who was there: lists with filters, newest first. */
export function registerHistory(app: FastifyInstance, { keptOf }: HistoryContext): void {
  const historyOf = ({ params }: StreamRequest): StreamHistory => keptOf(params.id).history;
  app.get('/v1/streams/:id/events', (request: StreamRequest) => {
    const history = historyOf(request);
    return history.events(parseBody(eventsQuerySchema, request.query));
  });
  app.get('/v1/streams/:id/predictions', (request: StreamRequest) => {
    const history = historyOf(request);
    return history.predictions(parseBody(predictionsQuerySchema, request.query));
  });
  app.get('/v1/streams/:id/explanations', (request: StreamRequest) => {
    const history = historyOf(request);
    return history.explanations(parseBody(explanationsQuerySchema, request.query));
  });
  app.get(
    '/v1/streams/:id/events/:event',
    ({ params: { id, event } }: FastifyRequest<{ Params: { id: string; event: string } }>) => {
      const { history } = keptOf(id);
      const found = EVENT_ID.test(event) ? history.event(event) : undefined;
      if (found === undefined) throw new PresageError('not_found', `No event "${event}" is kept`);
      return found;
    },
  );
  app.get('/v1/streams/:id/objects', ({ params: { id }, query }: StreamRequest) => {
    const { queries } = keptOf(id);
    return objectsOf(queries, parseBody(objectsQuerySchema, query));
  });
}
