import { z } from 'zod';
import type { Box } from './maths/box.js';
import type { Mask, Detection } from './percept.js';
import type { Span } from './records/records.js';

/** Longest span that is looked at again at once, s. */
export const MAX_INSPECTION_S = 60;
/** Smallest region, as a share of the frame's width and height: below are a few px. */
const MIN_REGION = 0.01;

const fraction = z.number().min(0).max(1);
const seconds = z.number().min(0);
const regionSchema = z
  .tuple([fraction, fraction, z.number().min(MIN_REGION).max(1), z.number().min(MIN_REGION).max(1)])
  .refine(([x, y, w, h]) => x + w <= 1 + 1e-6 && y + h <= 1 + 1e-6, 'reaches beyond the frame')
  .describe('[x, y, width, height] in fractions of the frame, top left first; all of it when left out');

/** Arguments of a look: one moment, or a span. What is not known is refused, so that a mistyped name is noticed. */
export const inspectionArgumentsSchema = z
  .strictObject({
    t: seconds.optional().describe('media time of one moment, s'),
    from: seconds.optional().describe('start of a span, s'),
    to: seconds.optional().describe('end of the span, s'),
    region: regionSchema.optional(),
  })
  .refine(
    ({ t, from, to }) =>
      t === undefined ? from !== undefined && to !== undefined : from === undefined && to === undefined,
    'give either t, or from and to',
  )
  .refine(({ from = 0, to = 0 }) => to >= from, 'to is before from')
  .refine(({ from = 0, to = 0 }) => to - from <= MAX_INSPECTION_S, `a span is at most ${MAX_INSPECTION_S} s`);
export type InspectionArguments = z.infer<typeof inspectionArgumentsSchema>;

/** A part of the recent video that is to be looked at again. */
export interface InspectionRequest extends Span {
  /** Fractions of the frame. Default: all of it. */
  readonly region?: Box;
}

export function inspectionRequestOf({ t, from, to, region }: InspectionArguments): InspectionRequest {
  return { from: t ?? from ?? 0, to: t ?? to ?? 0, ...(region && { region }) };
}

/** One thing that a look found. */
export interface InspectionFinding {
  readonly label: string;
  readonly score: number;
  /** Fractions of the frame. */
  readonly box: Box;
  readonly origin: NonNullable<Detection['origin']>;
  /** Of the whole frame. */
  readonly mask?: Mask;
  /** The object of memory that was there then; absent where memory knows of none. */
  readonly object?: string;
}

/** What one picture of the recent video shows, looked at in full resolution. */
export interface Inspection {
  /** Media time of the picture, s. */
  readonly t: number;
  /** What was looked at, fractions of the frame. */
  readonly region: Box;
  /** The surest first, bounded. */
  readonly found: readonly InspectionFinding[];
  /** Findings beyond the bound. */
  readonly more: number;
  /** Name of the kept picture: `l12300` is `/v1/streams/{id}/evidence/l12300`. Absent where pictures are not kept. */
  readonly image?: string;
}

/** The recent video of a stream, to be looked at again. */
export interface VideoInspector {
  /** What is kept at present; undefined before the first picture. */
  readonly extent: Span | undefined;
  /**
   * Pictures of the span, evenly chosen, oldest first; the same request gives the same answer while its pictures are kept.
   * @throws PresageError `not_kept` (too long ago, not yet, no video), `overloaded` (retryable), `interrupted`,
   *   `inference_failed`, `worker_crashed`
   */
  inspect(request: InspectionRequest, signal?: AbortSignal): Promise<readonly Inspection[]>;
}

/** A picture, or a part of one, apart from any stream's own way through perception. */
export interface Still {
  /** Media time, s. */
  readonly t: number;
  /** I420 (BT.601 limited range): Y, then U, then V. */
  readonly pixels: Uint8Array<SharedArrayBuffer>;
  readonly width: number;
  readonly height: number;
  /** False: it only shows what moves and what stands; nothing is looked for in it. */
  readonly wanted: boolean;
  /** The part that matters, fractions of the picture; what is around it is context. Default: all of it. */
  readonly focus?: Box;
}

/** Perception of pictures that are looked at again. */
export interface StillPerception {
  /** Least side of a picture with which the detector works well, px: smaller regions need context. */
  readonly minSidePx: number;
  /** Passes of the detector that a wanted picture of this size takes. */
  passes(width: number, height: number): number;
  /**
   * Detections of each wanted picture, best first, with masks, in fractions of the picture.
   * @param stills of one size and place, with increasing `t`; read one at a time
   * @throws PresageError `inference_failed`, `worker_crashed` (retryable), `interrupted`
   */
  inspect(stills: AsyncIterable<Still>, signal?: AbortSignal): Promise<readonly (readonly Detection[])[]>;
}
