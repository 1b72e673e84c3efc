import { z } from 'zod';
import type { Box, Point } from '../../core/maths/box.js';

/*
 * Schemas shared by the components of the saved state. JSON keeps every finite number exactly (ECMA-262 writes the
 * shortest decimal that reads back as the same double), but no infinity and no typed array.
 */

export const savedPoint = z.tuple([z.number(), z.number()]).transform((p): Point => p);
export const savedBox = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .transform((box): Box => box);

/** A time that may be undefined (`-Infinity`), as a number or null. */
export const savedTime = z
  .number()
  .nullable()
  .transform((t) => t ?? -Infinity);

export function saveTime(t: number): number | null {
  return t === -Infinity ? null : t;
}

const FLOAT_BYTES = 4;

/** The bytes of an embedding, little-endian, as base64. */
export const savedEmbedding = z.base64().transform((text, context): Float32Array => {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % FLOAT_BYTES !== 0) {
    context.addIssue({ code: 'custom', message: 'not a whole number of floats' });
    return z.NEVER;
  }
  return Float32Array.from({ length: bytes.length / FLOAT_BYTES }, (_, k) =>
    bytes.readFloatLE(FLOAT_BYTES * k),
  );
});

export function saveEmbedding(embedding: Float32Array): string {
  const bytes = Buffer.alloc(FLOAT_BYTES * embedding.length);
  embedding.forEach((value, k) => bytes.writeFloatLE(value, FLOAT_BYTES * k));
  return bytes.toString('base64');
}
