import { z } from 'zod';
import { summarySchema } from '../../../core/messages.js';
import { RELATION_KINDS } from '../../../core/records/records.js';

const seconds = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/, 'expected seconds of the stream, such as 12.5')
  .transform(Number);

/** Query of `GET /v1/streams/{id}/objects`: who was in view between `from` and `to`. */
export const objectsQuerySchema = z.strictObject({
  from: seconds.optional(),
  to: seconds.optional(),
  label: z.string().min(1).max(64).optional(),
  object: z
    .string()
    .regex(/^o\d{1,12}$/, 'expected an id such as o7')
    .optional(),
  /** Of each list, the newest. */
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'expected a whole number from 1 to 1000')
    .transform(Number)
    .pipe(z.number().int().min(1).max(1000))
    .default(100),
  /** Instead of the header; looked at before the query is. */
  access_token: z.string().optional(),
});

const span = { from: z.number(), to: z.number() };
const passage = z.object({
  event: z.string(),
  t: z.number(),
  type: z.enum(['enter', 'appear', 'exit', 'disappear']),
});
const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);

export const objectItemSchema = z.object({
  id: z.string(),
  label: z.string(),
  firstSeen: z.number(),
  lastSeen: z.number(),
  /** When it was in view. */
  spans: z.array(z.object(span)),
  entered: passage.optional(),
  left: passage.optional(),
  /** Where it was last. */
  box: box.optional(),
});
export const objectsSchema = z.object({
  /** Media time of the newest message, s. */
  now: z.number(),
  /** In view now. */
  here: z.array(objectItemSchema),
  /** In view before, the newest last. */
  was: z.array(objectItemSchema),
  relations: z.array(
    z.object({ kind: z.enum(RELATION_KINDS), a: z.string(), b: z.string(), ...span, open: z.boolean() }),
  ),
  /** What parts of the stream held. */
  summaries: z.array(summarySchema),
});
export type ObjectsAnswer = z.infer<typeof objectsSchema>;
