import { z } from 'zod';
import {
  eventObservedSchema,
  explanationSchema,
  predictionSchema,
  resolvedPredictionSchema,
} from '../../../core/messages.js';
import { EVENT_TYPES } from '../../../core/ontology.js';

const seconds = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/, 'expected seconds of the stream, such as 12.5')
  .transform(Number);
const CURSOR = /^(-?\d+(?:\.\d+)?)_(\d{1,10})$/;
const cursor = z
  .string()
  .regex(CURSOR, 'expected the "next" of an earlier answer')
  .transform((text) => {
    const [, mediatime, sequence] = CURSOR.exec(text) ?? [];
    return { mediatime: Number(mediatime), sequence: Number(sequence) };
  });
const limitUpTo = (most: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, `expected a whole number from 1 to ${most}`)
    .transform(Number)
    .pipe(z.number().int().min(1).max(most))
    .default(usual);

/** Query of every list: newest first, `next` of an answer as `before` gives what is older. */
const pageQuery = {
  /** Media times within which it happened, s. */
  from: seconds.optional(),
  to: seconds.optional(),
  limit: limitUpTo(1000, 100),
  before: cursor.optional(),
  /** Instead of the header; looked at before the query is. */
  access_token: z.string().optional(),
};
const type = z.enum(EVENT_TYPES).optional();
/** Id of an object that takes part. */
const object = z
  .string()
  .regex(/^o\d{1,12}$/, 'expected an id such as o7')
  .optional();
const zone = z.string().min(1).max(64).optional();

export const eventsQuerySchema = z.strictObject({ ...pageQuery, type, object, zone });
export const predictionsQuerySchema = z.strictObject({
  ...pageQuery,
  type,
  object,
  zone,
  outcome: z.enum(['open', 'hit', 'miss', 'void']).optional(),
});
export const explanationsQuerySchema = z.strictObject({
  ...pageQuery,
  object,
  /** Id of the event that is explained. */
  of: z
    .string()
    .regex(/^e\d{1,12}$/, 'expected an id such as e7')
    .optional(),
});

/** Beside the data of each message. */
const kept = {
  sequence: z.string(),
  mediatime: z.number(),
  time: z.string().optional(),
};
const next = z.string().optional();

const eventItemSchema = eventObservedSchema.extend(kept);
export const eventListSchema = z.object({ items: z.array(eventItemSchema), next });
const explanationItemSchema = z.object({ explanation: explanationSchema, ...kept });
export const explanationListSchema = z.object({ items: z.array(explanationItemSchema), next });
/** As it was resolved, once it is. */
const predictionItemSchema = z.object({
  prediction: z.union([resolvedPredictionSchema, predictionSchema]),
  ...kept,
});
export const predictionListSchema = z.object({ items: z.array(predictionItemSchema), next });
/** An event with what explains it and what foretold it. */
export const eventDetailSchema = eventItemSchema.extend({
  explanation: explanationSchema.optional(),
  predictions: z.array(resolvedPredictionSchema),
});

export type EventItem = z.infer<typeof eventItemSchema>;
export type PredictionItem = z.infer<typeof predictionItemSchema>;
export type ExplanationItem = z.infer<typeof explanationItemSchema>;
export type EventDetail = z.infer<typeof eventDetailSchema>;
