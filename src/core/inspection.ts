import { z } from 'zod';
import type { Box } from './maths/box.js';
import type { Mask, Detection } from './percept.js';
import type { Span } from './records/records.js';

/** Maximum span of one inspection, s. */
export const MAX_INSPECTION_S = 60;
/** Minimum region, as a share of the frame's width and height: a smaller one has only a few px. */
const MIN_REGION = 0.01;

const fraction = z.number().min(0).max(1);
const seconds = z.number().min(0);
const regionSchema = z
  .tuple([fraction, fraction, z.number().min(MIN_REGION).max(1), z.number().min(MIN_REGION).max(1)])
  .refine(([x, y, w, h]) => x + w <= 1 + 1e-6 && y + h <= 1 + 1e-6, 'reaches beyond the frame')
  .describe('[x, y, width, height] in fractions of the frame, top left first; the whole frame when omitted');

/** Arguments of an inspection: one moment, or a span. Unknown fields are rejected, so that a mistyped name is noticed. */
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

/** The part of the recent video to inspect. */
export interface InspectionRequest extends Span {
  /** Fractions of the frame. Default: the whole frame. */
  readonly region?: Box | undefined;
}

export function inspectionRequestOf({ t, from, to, region }: InspectionArguments): InspectionRequest {
  return { from: t ?? from ?? 0, to: t ?? to ?? 0, region };
}

/** A detection of an inspection. */
export interface InspectionFinding {
  readonly label: string;
  readonly score: number;
  /** Fractions of the frame. */
  readonly box: Box;
  readonly origin: NonNullable<Detection['origin']>;
  /** A mask of the whole frame. */
  readonly mask?: Mask;
  /** Id of the object that memory has at this place and time; absent when there is none. */
  readonly object?: string;
}

/** The result of an inspection for one picture of the recent video, detected in full resolution. */
export interface Inspection {
  /** Media time of the picture, s. */
  readonly t: number;
  /** The inspected region, fractions of the frame. */
  readonly region: Box;
  /** In descending order of score, bounded. */
  readonly found: readonly InspectionFinding[];
  /** Number of findings beyond the bound. */
  readonly more: number;
  /** Name of the kept picture: `l12300` is `/v1/streams/{id}/evidence/l12300`. Absent where pictures are not kept. */
  readonly image?: string;
}

/** Inspection of the recent video of a stream. */
export interface VideoInspector {
  /** The span of video that is kept at present; undefined before the first picture. */
  readonly extent: Span | undefined;
  /**
   * Inspects pictures of the span, evenly chosen, oldest first; the same request has the same result while its pictures are
   * kept.
   * @throws {PresageError} not_kept — the span is too old, has not arrived yet, or there is no video
   * @throws {PresageError} overloaded — too many inspections wait (retryable)
   * @throws {PresageError} interrupted, inference_failed, worker_crashed
   */
  inspect(request: InspectionRequest, signal?: AbortSignal): Promise<readonly Inspection[]>;
}

/** A picture, or a region of one, that perception handles independently of the stream's frames. */
export interface Still {
  /** Media time, s. */
  readonly t: number;
  /** I420 (BT.601 limited range): Y, then U, then V. */
  readonly pixels: Uint8Array<SharedArrayBuffer>;
  readonly width: number;
  readonly height: number;
  /** True: objects are detected in the picture. False: it only updates the background, which separates moving from standing. */
  readonly detect: boolean;
  /** The region to find objects in, fractions of the picture; the rest is context. Default: the whole picture. */
  readonly focus?: Box;
}

/** Perception of the pictures of an inspection. */
export interface StillPerception {
  /** Minimum side of a picture for a reliable detector, px: smaller regions need context. */
  readonly minSidePx: number;
  /** Number of detector passes for a picture of this size, px. */
  passes(width: number, height: number): number;
  /**
   * Returns the detections of each picture with `detect`, in descending order of score, with masks, in fractions of the
   * picture.
   * @param stills pictures of one size and one place with increasing `t`; read one at a time
   * @throws {PresageError} inference_failed, worker_crashed (retryable), interrupted
   */
  inspect(stills: AsyncIterable<Still>, signal?: AbortSignal): Promise<readonly (readonly Detection[])[]>;
}
