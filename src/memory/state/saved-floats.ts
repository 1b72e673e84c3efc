import { z } from 'zod';

const BYTES = 8;

/** Doubles as base64 of their bytes, little-endian: exact (including negative zero and infinities) and fast. */
export const savedFloats = z.base64().transform((text, context): Float64Array => {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % BYTES !== 0) {
    context.addIssue({ code: 'custom', message: 'not a whole number of doubles' });
    return z.NEVER;
  }
  return Float64Array.from({ length: bytes.length / BYTES }, (_, k) => bytes.readDoubleLE(BYTES * k));
});

export function packFloats(values: ArrayLike<number>): string {
  const bytes = Buffer.allocUnsafe(BYTES * values.length);
  for (let k = 0; k < values.length; k++) bytes.writeDoubleLE(values[k] as number, BYTES * k);
  return bytes.toString('base64');
}
