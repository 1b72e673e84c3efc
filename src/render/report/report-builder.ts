import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PresageError } from '../../core/errors.js';
import type { Draft, ObservedEvent, Prediction } from '../../core/messages.js';
import type { EventType } from '../../core/ontology.js';
import { reportPage } from './page.js';
import { ReportData, type ReportInfo } from './report-data.js';
import { THUMBNAIL_BOUNDS, ThumbnailStore, type ThumbnailBounds } from './thumbnail-store.js';
import { makeThumbnail, type Thumbnail } from './thumbnails.js';
import type { MarkedObject } from '../overlay/draw-mark.js';

/** Stored pictures of a recording. */
interface PictureSource {
  /** The picture nearest to media time `t` (s), at most `withinS` from it; its JPEG is undefined if it failed. */
  near(t: number, withinS: number): StoredPicture | undefined;
}

interface StoredPicture {
  /** Media time, s. */
  readonly t: number;
  readonly jpeg: Promise<Uint8Array | undefined>;
}

export interface ReportBuilderOptions extends ReportInfo {
  /** Source of the pictures; without it the report has none. */
  readonly video?: PictureSource | undefined;
  readonly thumbnails?: ThumbnailBounds;
}

/** Event types whose pictures give way to others when there are too many. */
const LIGHT: ReadonlySet<EventType> = new Set<EventType>([
  'appear',
  'disappear',
  'approach',
  'start_moving',
  'stop',
  'turn',
]);
/** A picture farther than this from its event shows something else, s. */
const MAX_APART_S = 0.5;
const RANK = { light: 0, prediction: 1, event: 2 } as const;

/**
 * Makes the HTML report of a recording: one page that needs nothing else. `add` takes the messages of a frame once the
 * frame is in the recent video. The same input gives the same bytes.
 */
export class ReportBuilder {
  readonly #info: ReportInfo;
  readonly #data = new ReportData();
  readonly #video: ReportBuilderOptions['video'];
  readonly #thumbnails: ThumbnailStore;
  /** Made one after the other, so that the same thumbnails are discarded each time. */
  #pictures: Promise<void> = Promise.resolve();

  constructor(options: ReportBuilderOptions) {
    this.#info = options;
    this.#video = options.video;
    this.#thumbnails = new ThumbnailStore(options.thumbnails ?? THUMBNAIL_BOUNDS);
  }

  add(draft: Draft): void {
    this.#data.add(draft);
    if (draft.kind === 'event.observed') this.#picture(draft.data.event);
    else if (draft.kind === 'prediction.created') this.#pictureOfPrediction(draft.data.prediction);
  }

  /** Resolves when the pictures of what was added are made. Call it often: until then each holds a frame. */
  settle(): Promise<void> {
    return this.#pictures;
  }

  /** The page as it stands; call `settle` before. */
  html(): string {
    return reportPage(this.#info, this.#data, this.#thumbnails);
  }

  /** Writes the page; the file appears complete or not at all. Rejects with `output_failed`. */
  async write(file: string): Promise<void> {
    const partial = `${file}.${randomUUID().slice(0, 8)}.partial`;
    await this.settle();
    try {
      await writeFile(partial, this.html());
      await rename(partial, file);
    } catch (error) {
      await rm(partial, { force: true }).catch(() => undefined);
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new PresageError('output_failed', `cannot write the report ${file} (${reason})`, {
        cause: error,
        hint: reason === 'ENOENT' ? `mkdir -p ${dirname(file)}` : 'Check that the folder can be written to.',
      });
    }
  }

  #picture(event: ObservedEvent): void {
    if (!this.#data.events.has(event.id)) return;
    const rank = LIGHT.has(event.type) ? RANK.light : RANK.event;
    this.#take(`event ${event.id}`, rank, event.t, event.participants);
  }

  #pictureOfPrediction(prediction: Prediction): void {
    if (!this.#data.predictions.has(prediction.id)) return;
    const objects = prediction.event.participants
      .map((id) => this.#data.objectNow(id))
      .filter((object) => object !== undefined);
    if (objects.length > 0)
      this.#take(`prediction ${prediction.id}`, RANK.prediction, prediction.issuedAt, objects);
  }

  #take(key: string, rank: number, t: number, objects: readonly MarkedObject[]): void {
    const picture = this.#video?.near(t, MAX_APART_S);
    if (picture === undefined) return;
    const make = async (): Promise<Thumbnail | undefined> => {
      const jpeg = await picture.jpeg;
      return jpeg && makeThumbnail(jpeg, picture.t, objects);
    };
    this.#pictures = this.#pictures.then(() => this.#thumbnails.offer(key, rank, make));
  }
}
