import { z } from 'zod';
import { inspectionArgumentsSchema } from '../../../core/inspection.js';
import { answerSchema, inspectionSchema } from '../../../core/messages.js';
import { placesSchema } from '../../http/streams/place-schemas.js';
import {
  newStreamSchema,
  streamChangeSchema,
  streamListSchema,
  streamSchema,
} from '../../http/streams/stream-schemas.js';
import type { Operation } from '../operation.js';

const places = { schema: placesSchema, name: 'Places' } as const;
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
        schema: streamListSchema,
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
    method: 'post',
    path: '/v1/streams',
    id: 'createStream',
    tag: 'streams',
    summary: 'Makes a stream and begins it',
    access: 'admin',
    body: { description: 'The stream', schema: newStreamSchema, name: 'NewStream' },
    answers: { 201: { description: 'Made', ...one, headers: { Location: 'Of the stream' } } },
    errors: [400, 409, 503],
  },
  {
    method: 'patch',
    path: '/v1/streams/{id}',
    id: 'changeStream',
    tag: 'streams',
    summary: 'Changes source, zones or lines of a stream, or pauses it',
    access: 'admin',
    body: { description: 'What is to be another', schema: streamChangeSchema, name: 'StreamChange' },
    answers: { 200: { description: 'Changed', ...one } },
    errors: [400, 404],
  },
  {
    method: 'delete',
    path: '/v1/streams/{id}',
    id: 'deleteStream',
    tag: 'streams',
    summary: 'Ends a stream; its messages stay stored',
    access: 'admin',
    answers: { 204: { description: 'Ended' } },
    errors: [404, 409],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/places',
    id: 'getPlaces',
    tag: 'streams',
    summary: 'Zones and lines of a stream',
    access: 'read',
    answers: { 200: { description: 'Zones and lines', ...places } },
    errors: [404],
  },
  {
    method: 'put',
    path: '/v1/streams/{id}/places',
    id: 'setPlaces',
    tag: 'streams',
    summary: 'Sets zones and lines of a stream',
    access: 'admin',
    body: { description: 'All of them; what is left out is none', ...places },
    answers: { 200: { description: 'As they are now', ...places } },
    errors: [400, 404],
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
    path: '/v1/streams/{id}/inspect',
    id: 'inspect',
    tag: 'memory',
    summary: 'Looks at the recent video again, closely',
    access: 'read',
    body: { description: 'When and where', schema: inspectionArgumentsSchema, name: 'InspectionRequest' },
    answers: {
      200: {
        description: 'What was found',
        schema: z.object({ source: z.string(), data: z.object({ inspections: z.array(inspectionSchema) }) }),
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
    summary: 'A picture of the participants of an event, at its time, or of an inspection',
    access: 'read',
    answers: { 200: jpeg },
    errors: [404],
  },
];
