import { z } from 'zod';
import { MESSAGE_KINDS, messageType } from './messages.js';

/**
 * Control operations that client and server exchange on a connection in addition to messages: each has an `op` and no
 * `specversion`. These schemas are the single source; the AsyncAPI document and the types are generated from them.
 */
const subscriptionId = z.string().min(1).max(64);
const names = z.array(z.string().min(1).max(128)).min(1).max(100);
const typeNames = [...MESSAGE_KINDS, ...MESSAGE_KINDS.map(messageType)] as [string, ...string[]];
/** Maximum of `objects.updated` per second of media time. */
export const MAX_OBJECTS_RATE = 120;

/** A sequence as a number, or as the ten digits of a message. */
const sequence = z.union([z.int().min(0), z.string().regex(/^\d{1,15}$/)]);
const fromWord = z.enum(['latest', 'oldest']);
export const fromSchema = z.union([fromWord, z.record(z.string(), z.union([fromWord, sequence]))]);

const filterFields = {
  /** Ids of streams. Default: all that the token may read, present and future. */
  streams: z.array(z.string().min(1).max(64)).min(1).max(64).optional(),
  types: z.array(z.enum(typeNames)).min(1).max(100).optional(),
  labels: names.optional(),
  zones: names.optional(),
  minProbability: z.number().min(0).max(1).optional(),
  objectsRate: z.number().min(0).max(MAX_OBJECTS_RATE).optional(),
  forecasts: z.boolean().optional(),
};

export const subscribeSchema = z.strictObject({
  op: z.literal('subscribe'),
  id: subscriptionId,
  ...filterFields,
  from: fromSchema.optional(),
});
const updateSchema = z.strictObject({ op: z.literal('update'), id: subscriptionId, ...filterFields });
const unsubscribeSchema = z.strictObject({ op: z.literal('unsubscribe'), id: subscriptionId });
const pingSchema = z.strictObject({ op: z.literal('ping') });
const heartbeatSchema = z.strictObject({
  op: z.literal('heartbeat'),
  /** Seconds between heartbeats; 0 stops them. */
  seconds: z.int().min(0).max(3600),
});

/** Operations that a client may send, by `op`. */
export const clientOps = {
  subscribe: subscribeSchema,
  update: updateSchema,
  unsubscribe: unsubscribeSchema,
  ping: pingSchema,
  heartbeat: heartbeatSchema,
} as const;

const at = z.string().meta({ format: 'date-time' });
/** Operations that the server sends, by `op`. */
export const serverOps = {
  subscribed: z.object({
    op: z.literal('subscribed'),
    id: z.string(),
    /** The streams that exist now. */
    streams: z.array(z.string()),
    /** First sequence that is sent of each stream. */
    next: z.record(z.string(), z.int()),
  }),
  updated: z.object({ op: z.literal('updated'), id: z.string() }),
  unsubscribed: z.object({ op: z.literal('unsubscribed'), id: z.string() }),
  pong: z.object({ op: z.literal('pong'), at }),
  heartbeat: z.object({ op: z.literal('heartbeat'), at }),
  error: z.object({
    op: z.literal('error'),
    /** `bad_request`, `not_found`, `forbidden`, `conflict` or `overloaded`; later versions may add codes. */
    code: z.string(),
    message: z.string(),
    /** Id of the subscription, where the request contained one. */
    id: z.string().optional(),
  }),
} as const;

export type SubscribeOp = z.infer<typeof subscribeSchema>;

export type ClientOp = {
  [K in keyof typeof clientOps]: z.infer<(typeof clientOps)[K]>;
}[keyof typeof clientOps];
export type ServerOp = {
  [K in keyof typeof serverOps]: z.infer<(typeof serverOps)[K]>;
}[keyof typeof serverOps];

export const JSON_PROTOCOL = 'presage.v1+json';
export const CBOR_PROTOCOL = 'presage.v1+cbor';

/** Fields of a subscription that filter its messages. */
export type FilterFields = Omit<SubscribeOp, 'op' | 'id' | 'from' | 'streams'>;
