import { z } from 'zod';

export type CommandName = 'watch' | 'serve' | 'analyze' | 'ask' | 'doctor' | 'models' | 'token';

export interface OptionSpec<T = unknown> {
  /** Long flag without dashes. */
  readonly flag: string;
  /** Placeholder of the value in `--help`; absent for switches. */
  readonly value?: string;
  readonly env?: string;
  /** Dotted path in presage.yaml. */
  readonly yaml?: string;
  readonly schema: z.ZodType<T>;
  /** Completes "expected …" in error messages. */
  readonly expected: string;
  readonly fallback: T;
  readonly description: string;
  readonly commands: readonly CommandName[];
  /** Never shown in a message. */
  readonly secret?: boolean;
}

/** Keeps the type of an option's values. */
export function option<T>(spec: OptionSpec<T>): OptionSpec<T> {
  return spec;
}

export const text = z.string().min(1);
export const optionalText = text.optional();
/** A number, or its decimal digits: `z.coerce` would take an empty text, `null` and `false` for 0. */
export const numeric = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(?:\.\d+)?$/)
    .transform(Number),
]);
export const number = (min: number, max: number): z.ZodType<number> =>
  numeric.pipe(z.number().min(min).max(max));
export const integer = (min: number, max: number): z.ZodType<number> =>
  numeric.pipe(z.int().min(min).max(max));
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', 'yes', 'no'])])
  .transform((value) => value === true || ['true', '1', 'yes'].includes(String(value)));

export const STREAMING: readonly CommandName[] = ['watch', 'serve', 'analyze', 'ask'];
export const LIVE: readonly CommandName[] = ['watch', 'serve'];
