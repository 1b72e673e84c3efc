import type { z } from 'zod';
import {
  eventDetailSchema,
  eventListSchema,
  eventsQuerySchema,
  explanationListSchema,
  explanationsQuerySchema,
  predictionListSchema,
  predictionsQuerySchema,
} from '../../http/history/history-schemas.js';
import { objectsQuerySchema, objectsSchema } from '../../http/history/object-schemas.js';
import type { Operation } from '../operation.js';
import { EVENT_STREAM, listeningQuery } from './event-operations.js';

/** The token can be told in every query; the document tells it once, as a way to authenticate. */
function withoutToken(query: z.ZodObject): z.ZodObject {
  return query.omit({ access_token: true });
}

/** One address, two ways to read it: what differs is told where it is. */
const bothWays = listeningQuery.extend(withoutToken(eventsQuerySchema).shape).extend({
  from: listeningQuery.shape.from.describe(
    'Of the list: media time in seconds. Of event streams: oldest, latest (default) or a sequence',
  ),
});

export const HISTORY_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/streams/{id}/events',
    id: 'listEvents',
    tag: 'events',
    summary:
      'Events that happened, newest first; or, with Accept: text/event-stream or by WebSocket, all messages as they come',
    access: 'read',
    query: bothWays,
    answers: {
      200: {
        description: `Events; or ${EVENT_STREAM.description}`,
        schema: eventListSchema,
        name: 'EventList',
        alsoType: EVENT_STREAM.type,
      },
    },
    errors: [400, 404, 503],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/events/{event}',
    id: 'getEvent',
    tag: 'memory',
    summary: 'An event with what explains it and what foretold it',
    access: 'read',
    answers: { 200: { description: 'The event', schema: eventDetailSchema, name: 'EventDetail' } },
    errors: [404],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/predictions',
    id: 'listPredictions',
    tag: 'memory',
    summary: 'Predictions, newest first',
    access: 'read',
    query: withoutToken(predictionsQuerySchema),
    answers: { 200: { description: 'Predictions', schema: predictionListSchema, name: 'PredictionList' } },
    errors: [400, 404],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/explanations',
    id: 'listExplanations',
    tag: 'memory',
    summary: 'Explanations, newest first',
    access: 'read',
    query: withoutToken(explanationsQuerySchema),
    answers: { 200: { description: 'Explanations', schema: explanationListSchema, name: 'ExplanationList' } },
    errors: [400, 404],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/objects',
    id: 'listObjects',
    tag: 'memory',
    summary: 'Who is here, who was, and what they have to do with each other',
    access: 'read',
    query: withoutToken(objectsQuerySchema),
    answers: { 200: { description: 'Objects and relations', schema: objectsSchema, name: 'Objects' } },
    errors: [400, 404],
  },
];
