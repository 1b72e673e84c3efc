import { z } from 'zod';
import { lookArgumentsSchema } from '../../../core/look.js';
import { answerSchema, lookSchema } from '../../../core/messages.js';
import type { Operation } from '../operation.js';
import { listeningQuery } from './event-operations.js';

const sequence = z.string().nullable();
/** A stream as `GET /v1/streams` tells it. */
export const streamSchema = z.object({
  id: z.string(),
  source: z.string().describe('Without credentials'),
  state: z.enum(['connecting', 'live', 'degraded', 'reconnecting', 'ended', 'failed']),
  reason: z.string().optional(),
  format: z.object({ width: z.int(), height: z.int(), fps: z.number(), codec: z.string() }).optional(),
  processedFps: z.number().optional(),
  mediatime: z.number().optional(),
  stage: z.string().optional(),
  forecasts: z.object({ told: z.int(), degraded: z.int() }).optional(),
  drops: z.record(z.string(), z.int()).optional(),
  reconnects: z.int().optional(),
  firstSequence: sequence,
  lastSequence: sequence,
  events: z.string(),
  scorecard: z.string(),
});
const one = { schema: streamSchema, name: 'Stream' } as const;
const jpeg = { description: 'A JPEG', type: 'image/jpeg' } as const;

export const STREAM_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/streams',
    id: 'listStreams',
    tag: 'streams',
    summary: 'The streams that the token may read',
    access: 'read',
    answers: {
      200: {
        description: 'The streams',
        schema: z.object({ streams: z.array(streamSchema) }),
        name: 'Streams',
      },
    },
  },
  {
    method: 'get',
    path: '/v1/streams/{id}',
    id: 'getStream',
    tag: 'streams',
    summary: 'State, source, format and what is kept of a stream',
    access: 'read',
    answers: { 200: { description: 'The stream', ...one } },
    errors: [404],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/scorecard',
    id: 'getScorecard',
    tag: 'streams',
    summary: 'The latest scorecard.updated message',
    access: 'read',
    answers: {
      200: { description: 'The message', schema: z.looseObject({ type: z.string() }), name: 'AnyMessage' },
    },
    errors: [404],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/events',
    id: 'listenToStream',
    tag: 'events',
    summary: 'Messages of a stream, as Server-Sent Events (Accept: text/event-stream) or by WebSocket',
    access: 'read',
    query: listeningQuery,
    answers: {
      200: {
        description: 'Server-Sent Events: one message each, id {stream}:{sequence}',
        type: 'text/event-stream',
      },
    },
    errors: [400, 404, 426, 503],
  },
  {
    method: 'post',
    path: '/v1/streams/{id}/ask',
    id: 'ask',
    tag: 'memory',
    summary: 'Asks about what was seen',
    access: 'read',
    body: {
      description: 'A question',
      schema: z.object({ question: z.string().min(1).max(500) }),
      name: 'Question',
    },
    answers: {
      200: {
        description: 'The answer',
        schema: z.object({ type: z.string(), source: z.string(), data: answerSchema, by: z.string() }),
        name: 'Answer',
      },
    },
    errors: [400, 404, 422],
  },
  {
    method: 'post',
    path: '/v1/streams/{id}/look',
    id: 'look',
    tag: 'memory',
    summary: 'Looks at the recent video again, closely',
    access: 'read',
    body: { description: 'When and where', schema: lookArgumentsSchema, name: 'LookRequest' },
    answers: {
      200: {
        description: 'What was found',
        schema: z.object({ source: z.string(), data: z.object({ looks: z.array(lookSchema) }) }),
        name: 'Looks',
      },
    },
    errors: [400, 404, 410],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/evidence/{event}',
    id: 'getEvidence',
    tag: 'memory',
    summary: 'A picture of who took part in an event, at its time, or of a look',
    access: 'read',
    answers: { 200: jpeg },
    errors: [404],
  },
];
