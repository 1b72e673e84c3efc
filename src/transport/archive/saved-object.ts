import { z } from 'zod';
import type { ObjectHistory } from '../../core/records/records.js';

const seconds = z.number();
const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
/** Little-endian floats in base64: a quarter of what they take as JSON numbers. */
const embedding = z.base64().transform((text) => {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.byteLength & ~3)));
});
const passage = z.object({
  event: z.string(),
  t: seconds,
  type: z.enum(['enter', 'appear', 'exit', 'disappear']),
});
const savedObject = z.object({
  id: z.string(),
  label: z.string(),
  firstSeen: seconds,
  lastSeen: seconds,
  spans: z.array(z.object({ from: seconds, to: seconds })),
  entered: passage.optional(),
  left: passage.optional(),
  path: z.array(z.object({ t: seconds, box })),
  embedding: embedding.optional(),
  keyframes: z.array(z.object({ t: seconds, box, embedding })),
});

/** Points of a path that are kept for good: the ends and what lies evenly between. */
const MAX_POINTS = 240;
/** 1e-5 of a frame, and a millisecond. */
const DECIMALS = 5;

/** An object's record as JSON. */
export function encodeObject(object: ObjectHistory): string {
  const { embedding: look, keyframes, path, ...rest } = object;
  const step = Math.max((path.length - 1) / (MAX_POINTS - 1), 1);
  const thinned = path.filter(
    (_, i) => i === path.length - 1 || Math.floor(i / step) !== Math.floor((i - 1) / step),
  );
  return JSON.stringify({
    ...rest,
    path: thinned.map((point) => ({ t: round(point.t), box: point.box.map(round) })),
    ...(look ? { embedding: base64(look) } : {}),
    keyframes: keyframes.map((frame) => ({ ...frame, embedding: base64(frame.embedding) })),
  });
}

/** Throws when the JSON is not of that form. */
export function decodeObject(json: string): ObjectHistory {
  return savedObject.parse(JSON.parse(json)) as ObjectHistory;
}

function base64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

function round(value: number): number {
  return Math.round(value * 10 ** DECIMALS) / 10 ** DECIMALS;
}
