import { z } from 'zod';
import { SCOPE_FORMS, scopeSchema } from '../../transport/access/scopes.js';
import { option } from './option-spec.js';

const MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d{1,6})([mhd])$/;

/** A moment, or how long from now, as a function of now. */
const expirySchema = z
  .union([z.iso.date(), z.iso.datetime({ offset: true }), z.string().regex(DURATION)])
  .transform((given) => (now: Date): Date => {
    const [, count, unit] = DURATION.exec(given) ?? [];
    if (count === undefined) return new Date(given);
    return new Date(now.getTime() + Number(count) * MS[unit as keyof typeof MS]);
  });

/** Options of `presage token create`. */
export const TOKEN_OPTIONS = {
  scopes: option({
    flag: 'scopes',
    value: 'LIST',
    schema: z
      .string()
      .transform((list) => list.split(',').map((scope) => scope.trim()))
      .pipe(z.array(scopeSchema).min(1)),
    expected: `one or more of ${SCOPE_FORMS}, with commas between them`,
    fallback: ['read:*'],
    description: `what the token is for: ${SCOPE_FORMS}, with commas between them`,
    commands: ['token'],
  }),
  expires: option({
    flag: 'expires',
    value: 'WHEN',
    schema: expirySchema.optional(),
    expected: 'a duration such as 30d, 12h or 90m, or a date such as 2027-01-31',
    fallback: undefined,
    description: 'the token is of no use after this: 30d, 12h, 90m or a date (default: never)',
    commands: ['token'],
  }),
};
