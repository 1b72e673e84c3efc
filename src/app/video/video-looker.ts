import type { Box } from '../../core/box.js';
import type { PxRegion } from '../../core/crop-i420.js';
import { PresageError } from '../../core/errors.js';
import type { I420Layout } from '../../core/frame.js';
import type { Finding, Look, LookRequest, Still, StillPerception, VideoLooks } from '../../core/look.js';
import { placeMask } from '../../core/place-mask.js';
import type { Span } from '../../core/records.js';
import type { Detection } from '../../core/stages.js';
import type { LookDesk } from './look-desk.js';
import type { PictureThread } from './picture-thread.js';
import { pxRegion } from './px-region.js';
import type { RecentVideo, VideoPicture } from './recent-video.js';

export interface VideoLookerOptions {
  readonly video: RecentVideo;
  readonly thread: Pick<PictureThread, 'cut'>;
  readonly stills: StillPerception;
  readonly desk: LookDesk;
  /** Keeps a picture as evidence and names it; without it looks have no image. */
  readonly keep?: ((t: number, jpeg: Uint8Array) => Promise<string | undefined>) | undefined;
}

/** A picture farther than this from the moment that was asked for shows something else, s. */
const APART_S = 0.5;
const MOST_PICTURES = 6;
/** Passes of the detector for one look: half a second on an idle core. */
const MOST_PASSES = 14;
/** How long before the first picture motion watches the scene, s, and most pictures that it sees of one look. */
const MOTION_LEAD_S = 2;
const MOST_WATCHED = 24;
const MOST_FOUND = 24;
/** Masks of larger frames are coarser, as those of percepts are. */
const MOST_MASK_PX = 1024;

/** Looks at the recent video of one stream again: detector and segmenter on parts of it in full resolution. */
export class VideoLooker implements VideoLooks {
  readonly #options: VideoLookerOptions;

  constructor(options: VideoLookerOptions) {
    this.#options = options;
  }

  get extent(): Span | undefined {
    return this.#options.video.extent;
  }

  look(request: LookRequest, signal?: AbortSignal): Promise<readonly Look[]> {
    return this.#options.desk.run(() => this.#look(request, signal), signal);
  }

  async #look(request: LookRequest, signal: AbortSignal | undefined): Promise<readonly Look[]> {
    const { stills, video } = this.#options;
    const newest = this.#pictures(request).at(-1);
    if (newest === undefined) throw this.#notKept(request);
    const region = pxRegion(request.region ?? [0, 0, 1, 1], newest.layout);
    const most = Math.floor(MOST_PASSES / stills.passes(region.width, region.height));
    const chosen = thin(
      this.#pictures(request).filter(({ layout }) => isSize(layout, newest.layout)),
      Math.min(Math.max(most, 1), MOST_PICTURES),
    );
    const first = chosen[0]?.t ?? newest.t;
    const lead = video
      .between({ from: first - MOTION_LEAD_S, to: newest.t })
      .filter((one) => isSize(one.layout, newest.layout) && !chosen.includes(one));
    const watched = [...chosen, ...thin(lead, Math.max(MOST_WATCHED - chosen.length, 0))];
    watched.sort((a, b) => a.t - b.t);
    const looked = await stills.look(this.#stills(watched, new Set(chosen), region), signal);
    const looks: Look[] = [];
    for (const [at, picture] of chosen.entries()) {
      looks.push(await this.#tell(picture, region, looked[at] ?? []));
    }
    return looks;
  }

  /** Of the span; of a moment, the nearest one. */
  #pictures({ from, to }: LookRequest): readonly VideoPicture[] {
    const { video } = this.#options;
    const within = video.between({ from, to });
    if (within.length > 0) return within;
    const near = video.near((from + to) / 2, APART_S + (to - from) / 2);
    return near === undefined ? [] : [near];
  }

  async *#stills(
    pictures: readonly VideoPicture[],
    wanted: ReadonlySet<VideoPicture>,
    region: PxRegion,
  ): AsyncGenerator<Still> {
    for (const picture of pictures) {
      const jpeg = await picture.jpeg;
      const { width, height } = region;
      // One that could not be made shows nothing; the answer keeps its place.
      const pixels = jpeg && (await this.#options.thread.cut(jpeg, region));
      if (pixels) yield { t: picture.t, pixels, width, height, wanted: wanted.has(picture) };
      else if (wanted.has(picture))
        throw new PresageError('not_kept', `the picture at ${picture.t} s was lost`);
    }
  }

  async #tell(picture: VideoPicture, region: PxRegion, detections: readonly Detection[]): Promise<Look> {
    const { width, height } = picture.layout;
    const part: Box = [
      region.left / width,
      region.top / height,
      region.width / width,
      region.height / height,
    ];
    const jpeg = await picture.jpeg;
    const image = jpeg && (await this.#options.keep?.(picture.t, jpeg));
    return {
      t: picture.t,
      region: part,
      found: detections.slice(0, MOST_FOUND).map((one) => findingOf(one, part, picture.layout)),
      more: Math.max(detections.length - MOST_FOUND, 0),
      ...(image !== undefined && { image }),
    };
  }

  #notKept({ from, to }: LookRequest): PresageError {
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

function findingOf({ label, score, box, origin, mask }: Detection, part: Box, layout: I420Layout): Finding {
  const placed: Box = [
    part[0] + box[0] * part[2],
    part[1] + box[1] * part[3],
    box[2] * part[2],
    box[3] * part[3],
  ];
  const divisor = Math.ceil(Math.max(layout.width, layout.height) / MOST_MASK_PX);
  const size = [Math.round(layout.height / divisor), Math.round(layout.width / divisor)] as const;
  const whole = mask && (part[2] === 1 && part[3] === 1 ? mask : placeMask(mask, part, placed, size));
  return { label, score, box: placed, origin: origin ?? 'detector', ...(whole && { mask: whole }) };
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
