import { z } from 'zod';
import { clientOps, serverOps } from '../../core/control.js';
import { MESSAGE_KINDS, messageData, messageType, type MessageKind } from '../../core/messages.js';

/** A JSON Schema, draft 2020-12, as far as we look into it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** As a reader needs it: fields that are not named may come as well. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const made: Record<string, unknown> = { ...z.toJSONSchema(schema, { io: 'input' }) };
  delete made['$schema'];
  return made;
}

/** The CloudEvents message around the data of a kind. */
export function messageSchema(kind: MessageKind): z.ZodObject {
  return z.object({
    specversion: z.literal('1.0'),
    id: z.string().describe('Unique; {stream}:{sequence} where there is a sequence'),
    source: z.string().describe('/streams/{stream}'),
    type: z.literal(messageType(kind)),
    subject: z.string().optional().describe('Id of the event, explanation or prediction'),
    time: z.string().meta({ format: 'date-time' }).optional(),
    datacontenttype: z.literal('application/json'),
    sequence: z
      .string()
      .regex(/^\d{10,}$/)
      .optional()
      .describe('Counts up by one for each durable message of the stream'),
    mediatime: z.number().describe("Seconds from the stream's first frame"),
    data: messageData[kind],
  });
}

/** A schema that clients rely on, and who sends what it describes. */
export interface PublishedSchema {
  readonly name: string;
  readonly sentBy: 'client' | 'server';
  readonly schema: JsonSchema;
}

/** Everything that goes over a connection of events, by name. */
export function publishedSchemas(): readonly PublishedSchema[] {
  return [
    ...MESSAGE_KINDS.map((kind) => ({
      name: messageType(kind),
      sentBy: 'server' as const,
      schema: jsonSchemaOf(messageSchema(kind)),
    })),
    ...Object.entries(clientOps).map(([op, schema]) => ({
      name: `client.${op}`,
      sentBy: 'client' as const,
      schema: jsonSchemaOf(schema),
    })),
    ...Object.entries(serverOps).map(([op, schema]) => ({
      name: `server.${op}`,
      sentBy: 'server' as const,
      schema: jsonSchemaOf(schema),
    })),
  ];
}
