import { z } from 'zod';
import type { Operation } from '../operation.js';

const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  uptimeS: z.int().optional(),
  perception: z.looseObject({ model: z.string(), device: z.string() }).optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  storage: z.string().optional(),
  drops: z.int().optional(),
  clients: z.object({ connected: z.int(), sent: z.int(), dropped: z.int() }).optional(),
  streams: z.array(z.looseObject({ id: z.string() })).optional(),
});

const readinessSchema = z.object({
  ready: z.boolean(),
  reason: z.enum(['no_stream', 'storage_failed']).optional(),
});

export const SERVICE_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/healthz',
    id: 'getHealth',
    tag: 'service',
    summary: 'How the service is; without a token only status and version',
    access: 'public',
    answers: { 200: { description: 'The process is alive', schema: healthSchema, name: 'Health' } },
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'getReadiness',
    tag: 'service',
    summary: 'Whether a stream delivers, or has delivered all of its file, and messages can be stored',
    access: 'public',
    answers: {
      200: { description: 'Ready', schema: readinessSchema, name: 'Readiness' },
      503: { description: 'Not ready', schema: readinessSchema, name: 'Readiness' },
    },
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    tag: 'service',
    summary: 'Counters and gauges in the text format of Prometheus',
    access: 'read:*',
    answers: { 200: { description: 'Prometheus text', type: 'text/plain' } },
  },
  ...(['openapi', 'asyncapi'] as const).map((name): Operation => {
    const title = name === 'openapi' ? 'OpenAPI' : 'AsyncAPI';
    return {
      method: 'get',
      path: `/v1/${name}.json`,
      id: `get${title}`,
      tag: 'service',
      summary: `The ${title} document of this service`,
      access: 'public',
      answers: { 200: { description: `An ${title} document`, schema: z.looseObject({}), name: 'Document' } },
    };
  }),
];
