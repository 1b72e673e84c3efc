import type { z } from 'zod';
import { PresageError } from '../../core/errors.js';

/**
 * What a client sent, checked.
 * @throws PresageError `bad_request` naming the field
 */
export function parseBody<T extends z.ZodType>(schema: T, sent: unknown): z.output<T> {
  const parsed = schema.safeParse(sent);
  if (parsed.success) return parsed.data;
  throw new PresageError('bad_request', problemOf(parsed.error, sent));
}

function problemOf(error: z.ZodError, sent: unknown): string {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return 'Send a JSON object';
  const [issue] = error.issues;
  if (issue === undefined) return 'The request makes no sense';
  const where = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return `There is no field "${[...where, issue.keys[0]].join('.')}"`;
  }
  return where.length === 0 ? issue.message : `${where.join('.')}: ${issue.message}`;
}
