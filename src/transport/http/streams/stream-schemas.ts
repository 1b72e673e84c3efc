import { z } from 'zod';
import { streamStateSchema } from '../../../core/messages.js';
import { linesSchema, zonesSchema } from './place-schemas.js';

export const streamIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'expected letters, digits, - and _ (64 at most)');
const sourceSchema = z.string().min(1).max(2048);
const rtspTransportSchema = z.enum(['tcp', 'udp']);

/** Body of `POST /v1/streams`. `source`: `rtsp://…`, `http(s)://…`, `webrtc:`, or a file where the service allows files. */
export const newStreamSchema = z.strictObject({
  id: streamIdSchema,
  source: sourceSchema,
  rtspTransport: rtspTransportSchema.optional(),
  zones: zonesSchema.default({}),
  lines: linesSchema.default({}),
  /** Plays a file again and again. */
  loop: z.boolean().default(false),
  /** Made, but not begun. */
  paused: z.boolean().default(false),
});
export type NewStream = z.infer<typeof newStreamSchema>;

/** Body of `PATCH /v1/streams/{id}`: what is to be another than before. */
export const streamChangeSchema = z
  .strictObject({
    source: sourceSchema.optional(),
    rtspTransport: rtspTransportSchema.optional(),
    zones: zonesSchema.optional(),
    lines: linesSchema.optional(),
    loop: z.boolean().optional(),
    paused: z.boolean().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'expected at least one field to change');
export type StreamChange = z.infer<typeof streamChangeSchema>;

/** A stream as the API tells it. */
export const streamSchema = z.object({
  id: streamIdSchema,
  /** Without credentials. */
  source: z.string(),
  state: streamStateSchema.shape.state,
  reason: z.string().optional(),
  /** Where it was made: in presage.yaml, by this API, or by the command that was started. */
  origin: z.enum(['config', 'api', 'command']).optional(),
  paused: z.boolean().optional(),
  format: z
    .object({
      width: z.number().int(),
      height: z.number().int(),
      fps: z.number(),
      codec: z.string(),
    })
    .optional(),
  processedFps: z.number().optional(),
  /** Media time of the newest frame that was processed, s. */
  mediatime: z.number().optional(),
  stage: z.string().optional(),
  forecasts: z.object({ told: z.number().int(), degraded: z.number().int() }).optional(),
  /** Frames dropped, by reason. */
  drops: z.record(z.string(), z.number().int()).optional(),
  reconnects: z.number().int().optional(),
  firstSequence: z.string().nullable(),
  lastSequence: z.string().nullable(),
  events: z.string(),
  scorecard: z.string(),
});
export const streamListSchema = z.object({ streams: z.array(streamSchema) });
