import { z } from 'zod';

/** Zones, and lines, of a stream at most: each is judged for each object. */
const MAX_PLACES = 64;
const MAX_CORNERS = 256;
/** Polygons that enclose less of the frame than this are drawn by mistake: nothing can stand in them. */
const MIN_AREA = 1e-6;

const fraction = z.number().min(0).max(1);
/** Fractions of the frame from its upper left corner. */
const pointSchema = z.tuple([fraction, fraction]);
const nameSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{C}]+$/u, 'expected a name without control characters');

const polygonSchema = z
  .array(pointSchema)
  .min(3, 'a zone has at least 3 corners')
  .max(MAX_CORNERS)
  .refine((corners) => areaOf(corners) > MIN_AREA, 'its corners enclose nothing');
const lineSchema = z
  .tuple([pointSchema, pointSchema])
  .refine(([a, b]) => a[0] !== b[0] || a[1] !== b[1], 'its two ends are one point');

export const zonesSchema = z.record(nameSchema, polygonSchema).refine(fewEnough, `at most ${MAX_PLACES}`);
export const linesSchema = z.record(nameSchema, lineSchema).refine(fewEnough, `at most ${MAX_PLACES}`);

/** Body of `PUT /v1/streams/{id}/places`, and what it and `GET` answer. What is left out is none. */
export const placesSchema = z.strictObject({
  zones: zonesSchema.default({}),
  lines: linesSchema.default({}),
});

function fewEnough(places: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(places).length <= MAX_PLACES;
}

/** By Gauss's formula; of corners in a row it is 0. */
function areaOf(corners: readonly (readonly [number, number])[]): number {
  let twice = 0;
  corners.forEach(([x, y], i) => {
    const [nextX, nextY] = corners[(i + 1) % corners.length] ?? [x, y];
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}
