import { boxCentre, type Box } from '../../core/maths/box.js';
import { pxRegion, type PxRegion } from '../../core/image/crop-i420.js';
import { PresageError } from '../../core/errors.js';
import type { I420Layout } from '../../core/video/frame.js';
import type {
  InspectionFinding,
  Inspection,
  InspectionRequest,
  Still,
  StillPerception,
  VideoInspector,
} from '../../core/inspection.js';
import { placeMask } from '../../core/image/place-mask.js';
import type { Span } from '../../core/records/records.js';
import type { Detection } from '../../core/percept.js';
import type { InspectionQueue } from './inspection-queue.js';
import type { PictureThread } from './picture-thread.js';
import type { RecentVideo, VideoPicture } from './recent-video.js';

export interface RecentVideoInspectorOptions {
  readonly video: RecentVideo;
  readonly thread: Pick<PictureThread, 'cut'>;
  readonly stills: StillPerception;
  readonly queue: InspectionQueue;
  /** Stores a picture as evidence and returns its name; without it inspections have no image. */
  readonly keep?: ((t: number, jpeg: Uint8Array) => Promise<string | undefined>) | undefined;
}

/** A picture farther than this from the moment that was asked for shows something else, s. */
const APART_S = 0.5;
const MAX_PICTURES = 6;
/** Detector passes of one inspection: half a second on an idle core. */
const MAX_PASSES = 14;
/** Motion analysis starts this long before the first picture, s, and uses at most MAX_WATCHED pictures per inspection. */
const MOTION_LEAD_S = 2;
const MAX_WATCHED = 24;
const MAX_FOUND = 24;
/** Below this label score, a finding is reported as `object`. */
const SURE_LABEL = 0.5;
/** Masks of larger frames are coarser, as those of percepts are. */
const MAX_MASK_PX = 1024;

/** Inspects the recent video of one stream: detector and segmenter on regions of it in full resolution. */
export class RecentVideoInspector implements VideoInspector {
  readonly #options: RecentVideoInspectorOptions;

  constructor(options: RecentVideoInspectorOptions) {
    this.#options = options;
  }

  get extent(): Span | undefined {
    return this.#options.video.extent;
  }

  inspect(request: InspectionRequest, signal?: AbortSignal): Promise<readonly Inspection[]> {
    return this.#options.queue.run(() => this.#inspect(request, signal), signal);
  }

  async #inspect(
    request: InspectionRequest,
    signal: AbortSignal | undefined,
  ): Promise<readonly Inspection[]> {
    const { stills, video } = this.#options;
    const newest = this.#pictures(request).at(-1);
    if (newest === undefined) throw this.#notKept(request);
    const region = pxRegion(request.region ?? [0, 0, 1, 1], newest.layout);
    const area = grown(region, stills.minSidePx, newest.layout);
    const most = Math.floor(MAX_PASSES / stills.passes(area.width, area.height));
    const chosen = thin(
      this.#pictures(request).filter(({ layout }) => isSize(layout, newest.layout)),
      Math.min(Math.max(most, 1), MAX_PICTURES),
    );
    const first = chosen[0]?.t ?? newest.t;
    const lead = video
      .between({ from: first - MOTION_LEAD_S, to: newest.t })
      .filter((one) => isSize(one.layout, newest.layout) && !chosen.includes(one));
    const watched = [...chosen, ...thin(lead, Math.max(MAX_WATCHED - chosen.length, 0))];
    watched.sort((a, b) => a.t - b.t);
    const detected = await stills.inspect(
      this.#stills(watched, new Set(chosen), area, within(region, area)),
      signal,
    );
    const inspections: Inspection[] = [];
    for (const [at, picture] of chosen.entries()) {
      inspections.push(await this.#report(picture, region, area, detected[at] ?? []));
    }
    return inspections;
  }

  /** Of the span; of a moment, the nearest one. */
  #pictures({ from, to }: InspectionRequest): readonly VideoPicture[] {
    const { video } = this.#options;
    const within = video.between({ from, to });
    if (within.length > 0) return within;
    const near = video.near((from + to) / 2, APART_S + (to - from) / 2);
    return near === undefined ? [] : [near];
  }

  async *#stills(
    pictures: readonly VideoPicture[],
    wanted: ReadonlySet<VideoPicture>,
    area: PxRegion,
    focus: Box,
  ): AsyncGenerator<Still> {
    for (const picture of pictures) {
      const jpeg = await picture.jpeg;
      const { width, height } = area;
      // One that could not be made shows nothing; the answer keeps its place.
      const pixels = jpeg && (await this.#options.thread.cut(jpeg, area));
      if (pixels) yield { t: picture.t, pixels, width, height, detect: wanted.has(picture), focus };
      else if (wanted.has(picture))
        throw new PresageError('not_kept', `the picture at ${picture.t} s was lost`);
    }
  }

  async #report(
    picture: VideoPicture,
    region: PxRegion,
    area: PxRegion,
    detections: readonly Detection[],
  ): Promise<Inspection> {
    const { layout } = picture;
    const frame = { left: 0, top: 0, width: layout.width, height: layout.height };
    const [asked, seen] = [within(region, frame), within(area, frame)];
    const jpeg = await picture.jpeg;
    const image = jpeg && (await this.#options.keep?.(picture.t, jpeg));
    const found = detections
      .map((one) => ({ ...one, box: boxWithin(one.box, seen) }))
      .filter(({ box }) => holds(asked, box));
    return {
      t: picture.t,
      region: asked,
      found: found.slice(0, MAX_FOUND).map((one) => findingOf(one, seen, layout)),
      more: Math.max(found.length - MAX_FOUND, 0),
      ...(image !== undefined && { image }),
    };
  }

  #notKept({ from, to }: InspectionRequest): PresageError {
    const { extent } = this;
    const asked = from === to ? `${from.toFixed(1)} s` : `${from.toFixed(1)} to ${to.toFixed(1)} s`;
    if (extent === undefined) return new PresageError('not_kept', 'No video of this stream is kept yet');
    const kept = `kept is ${extent.from.toFixed(1)} to ${extent.to.toFixed(1)} s`;
    const why = from > extent.to ? 'has not been seen yet' : 'is not kept any more';
    return new PresageError('not_kept', `The video of ${asked} ${why}: ${kept}`, {
      hint: 'Keep more of it with --video-seconds and --video-mb.',
    });
  }
}

/** @param part of the frame that the mask covers */
function findingOf(
  { label, labelScore = 1, score, box, origin, mask }: Detection,
  part: Box,
  layout: I420Layout,
): InspectionFinding {
  const divisor = Math.ceil(Math.max(layout.width, layout.height) / MAX_MASK_PX);
  const size = [Math.round(layout.height / divisor), Math.round(layout.width / divisor)] as const;
  const whole = mask && (part[2] === 1 && part[3] === 1 ? mask : placeMask(mask, part, box, size));
  // That motion is sure of a thing does not make the guess surer what it is.
  const name = labelScore < SURE_LABEL ? 'object' : label;
  return { label: name, score, box, origin: origin ?? 'detector', ...(whole && { mask: whole }) };
}

/** A region with room around it, where it is smaller than what the detector needs; inside the frame, its upper left even. */
function grown(
  { left, top, width, height }: PxRegion,
  minPx: number,
  frame: { readonly width: number; readonly height: number },
): PxRegion {
  const [x, w] = [left + width / 2, Math.max(width, minPx)];
  const [y, h] = [top + height / 2, Math.max(height, minPx)];
  const box: Box = [
    Math.min(Math.max((x - w / 2) / frame.width, 0), Math.max(1 - w / frame.width, 0)),
    Math.min(Math.max((y - h / 2) / frame.height, 0), Math.max(1 - h / frame.height, 0)),
    Math.min(w / frame.width, 1),
    Math.min(h / frame.height, 1),
  ];
  return pxRegion(box, frame);
}

/** A part in fractions of what it lies in. */
function within(part: PxRegion, whole: PxRegion): Box {
  return [
    (part.left - whole.left) / whole.width,
    (part.top - whole.top) / whole.height,
    part.width / whole.width,
    part.height / whole.height,
  ];
}

/** A box in fractions of a part, in fractions of the whole. */
function boxWithin([x, y, w, h]: Box, part: Box): Box {
  return [part[0] + x * part[2], part[1] + y * part[3], w * part[2], h * part[3]];
}

/** True when the centre of the box is in the region. */
function holds([x, y, w, h]: Box, box: Box): boolean {
  const [cx, cy] = boxCentre(box);
  return cx >= x && cx <= x + w && cy >= y && cy <= y + h;
}

/** Evenly, the first and the last among them; the last alone when only one is wanted. */
function thin<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  if (most <= 1) return all.slice(all.length - most);
  return Array.from({ length: most }, (_, k) => all[Math.round((k * (all.length - 1)) / (most - 1))] as T);
}

function isSize(a: I420Layout, b: I420Layout): boolean {
  return a.width === b.width && a.height === b.height;
}
