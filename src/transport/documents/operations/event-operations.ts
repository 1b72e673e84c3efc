import { z } from 'zod';
import { MAX_OBJECTS_RATE } from '../../../core/control.js';
import type { Operation } from '../operation.js';

const list = (what: string): z.ZodType => z.string().optional().describe(`${what}, comma-separated`);

/** Parameters that choose what a connection gets: of the WebSockets as of Server-Sent Events. */
export const listeningQuery = z.object({
  from: z
    .string()
    .optional()
    .describe('oldest, latest (default), a sequence on the path of one stream, or cam1:412,cam2:7'),
  types: list('Types in short or in full'),
  labels: list('Labels of objects'),
  zones: list('Names of zones and lines'),
  min_probability: z.number().min(0).max(1).optional().describe('Least probability of predictions'),
  objects_rate: z
    .number()
    .min(0)
    .max(MAX_OBJECTS_RATE)
    .optional()
    .describe('Most objects.updated per second of media time; default 5'),
  forecasts: z.boolean().optional().describe('Whether forecast.updated comes'),
});
export const EVENT_STREAM = {
  description: 'Server-Sent Events: one message each, id {stream}:{sequence}',
  type: 'text/event-stream',
} as const;

export const EVENT_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/events',
    id: 'listenToAll',
    tag: 'events',
    summary: 'Messages of all streams that the token may read, as Server-Sent Events or by WebSocket',
    access: 'read',
    query: listeningQuery.extend({ streams: list('Ids of streams; without it all, present and future') }),
    answers: { 200: EVENT_STREAM },
    errors: [400, 426, 503],
  },
];
