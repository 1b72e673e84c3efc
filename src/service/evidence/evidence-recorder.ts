import type { Box } from '../../core/maths/box.js';
import { systemClock } from '../../core/clock.js';
import { pxRegion, type PxRegion } from '../../core/image/crop-i420.js';
import { toPresageError, type PresageError } from '../../core/errors.js';
import type { Draft } from '../../core/messages.js';
import type { EvidenceStore } from '../../transport/archive/evidence-store.js';
import type { PictureThread } from '../recent-video/picture-thread.js';
import type { RecentVideo, VideoPicture } from '../recent-video/recent-video.js';
import type { DraftSink } from '../session/draft-sink.js';

/** Crops that wait for the encoder: a burst of events. Beyond it, pictures are dropped and counted. */
const MAX_WAITING = 32;
/** A picture farther than this from its event shows something else, s. */
const MAX_APART_S = 0.5;
/** Room around what is shown, as a part of its size. */
const MARGIN = 0.25;
/** Remembered names of stored inspection pictures, so that none is written twice. */
const MAX_NAMES = 256;

export interface EvidenceStats {
  readonly stored: number;
  readonly waiting: number;
  /** By reason. */
  readonly dropped: Readonly<Record<'queue_full' | 'no_picture' | 'failed', number>>;
}

export interface EvidenceRecorderOptions {
  readonly streamId: string;
  readonly store: EvidenceStore;
  readonly video: RecentVideo;
  readonly thread: Pick<PictureThread, 'crop'>;
  readonly onError: (error: PresageError) => void;
}

interface Job {
  readonly ref: string;
  readonly picture: VideoPicture;
  readonly region: PxRegion;
}

/**
 * Stores a picture of every event of a stream (the region around the participants, at its time) and the pictures of
 * inspections. They come from the recent video and are made one at a time.
 */
export class EvidenceRecorder implements DraftSink {
  readonly #options: EvidenceRecorderOptions;
  readonly #waiting: Job[] = [];
  /** Newest last. */
  readonly #inspections = new Set<string>();
  readonly #dropped = { queue_full: 0, no_picture: 0, failed: 0 };
  #kept = 0;
  #work: Promise<void> | undefined;

  constructor(options: EvidenceRecorderOptions) {
    this.#options = options;
  }

  add(draft: Draft): void {
    if (draft.kind !== 'event.observed') return;
    const { id, t, participants } = draft.data.event;
    const picture = this.#options.video.near(t, MAX_APART_S);
    if (picture === undefined) {
      this.#dropped.no_picture += 1;
    } else if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped.queue_full += 1;
    } else {
      const around = boxAround(participants.map(({ box }) => box));
      this.#waiting.push({ ref: id, picture, region: pxRegion(around, picture.layout) });
      this.#work ??= this.#drain();
    }
  }

  /** Stores the whole picture of an inspection. @returns its name; undefined when it could not be written */
  async keepInspection(t: number, jpeg: Uint8Array): Promise<string | undefined> {
    const ref = `l${Math.round(t * 1000)}`;
    if (this.#inspections.has(ref)) return ref;
    if (!(await this.#put(ref, t, jpeg))) return undefined;
    this.#inspections.add(ref);
    for (const oldest of this.#inspections) {
      if (this.#inspections.size <= MAX_NAMES) break;
      this.#inspections.delete(oldest);
    }
    return ref;
  }

  stats(): EvidenceStats {
    return { stored: this.#kept, waiting: this.#waiting.length, dropped: { ...this.#dropped } };
  }

  /** Resolves when nothing waits. */
  async settle(): Promise<void> {
    await this.#work;
  }

  async #drain(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift())
      await this.#keep(job);
    this.#work = undefined;
  }

  async #keep({ ref, picture, region }: Job): Promise<void> {
    const { thread, onError } = this.#options;
    const whole = await picture.jpeg;
    if (whole === undefined) {
      this.#dropped.no_picture += 1;
      return;
    }
    try {
      await this.#put(ref, picture.t, await thread.crop(whole, region));
    } catch (thrown) {
      this.#dropped.failed += 1;
      onError(toPresageError(thrown));
    }
  }

  async #put(ref: string, t: number, jpeg: Uint8Array): Promise<boolean> {
    const { store, streamId, onError } = this.#options;
    try {
      await store.put(streamId, ref, t, systemClock.wall().getTime(), jpeg);
      this.#kept += 1;
      return true;
    } catch (thrown) {
      this.#dropped.failed += 1;
      onError(toPresageError(thrown, 'storage_failed'));
      return false;
    }
  }
}

/** The region of all boxes with a margin, clamped to the frame. Fractions of the frame; at least one box. */
function boxAround(boxes: readonly Box[]): Box {
  const [left, right] = grown(
    Math.min(...boxes.map(([x]) => x)),
    Math.max(...boxes.map(([x, , w]) => x + w)),
  );
  const [top, bottom] = grown(
    Math.min(...boxes.map(([, y]) => y)),
    Math.max(...boxes.map(([, y, , h]) => y + h)),
  );
  return [left, top, right - left, bottom - top];
}

function grown(low: number, high: number): [number, number] {
  const room = MARGIN * (high - low);
  return [Math.max(low - room, 0), Math.min(high + room, 1)];
}
