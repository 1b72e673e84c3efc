import { systemClock } from '../../core/clock.js';
import { toPresageError, type PresageError } from '../../core/errors.js';
import type { Frame } from '../../core/frame.js';
import type { Draft } from '../../core/messages.js';
import type { EvidenceStore } from '../../transport/archive/evidence-store.js';
import { EvidenceRing } from '../report/evidence-ring.js';
import { cropAround, encodeJpeg, type Crop } from './crop.js';

/** Crops that wait for the encoder: a burst of events. Beyond it, pictures are dropped and counted. */
const MOST_WAITING = 32;
/** A picture farther than this from its event shows something else, s. */
const MOST_APART_S = 0.5;

export interface EvidenceStats {
  readonly kept: number;
  readonly waiting: number;
  /** By reason. */
  readonly dropped: Readonly<Record<'queue_full' | 'no_picture' | 'failed', number>>;
}

interface Job {
  readonly ref: string;
  readonly t: number;
  readonly crop: Crop;
}

/**
 * Keeps a picture of every event of a stream: the part of the frame around who took part, at its time. On the way of a
 * frame only pixels are copied; colours and JPEG are made afterwards, one picture at a time.
 */
export class EvidenceKeeper {
  readonly #streamId: string;
  readonly #store: EvidenceStore;
  readonly #onError: (error: PresageError) => void;
  readonly #ring = new EvidenceRing();
  readonly #waiting: Job[] = [];
  readonly #dropped = { queue_full: 0, no_picture: 0, failed: 0 };
  #kept = 0;
  #work: Promise<void> | undefined;

  constructor(streamId: string, store: EvidenceStore, onError: (error: PresageError) => void) {
    this.#streamId = streamId;
    this.#store = store;
    this.#onError = onError;
  }

  /** Keeps a copy for events that are told later; the frame is not used after the call. */
  addFrame(frame: Frame): void {
    this.#ring.add(frame);
  }

  add(draft: Draft): void {
    if (draft.kind !== 'event.observed') return;
    const { id, t, participants } = draft.data.event;
    const picture = this.#ring.near(t);
    if (picture === undefined || Math.abs(picture.t - t) > MOST_APART_S) {
      this.#dropped.no_picture += 1;
    } else if (this.#waiting.length >= MOST_WAITING) {
      this.#dropped.queue_full += 1;
    } else {
      this.#waiting.push({
        ref: id,
        t: picture.t,
        crop: cropAround(
          picture,
          participants.map(({ box }) => box),
        ),
      });
      this.#work ??= this.#drain();
    }
  }

  stats(): EvidenceStats {
    return { kept: this.#kept, waiting: this.#waiting.length, dropped: { ...this.#dropped } };
  }

  /** Resolves when nothing waits. */
  async settle(): Promise<void> {
    await this.#work;
  }

  async #drain(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      try {
        const jpeg = await encodeJpeg(job.crop);
        await this.#store.put(this.#streamId, job.ref, job.t, systemClock.wall().getTime(), jpeg);
        this.#kept += 1;
      } catch (thrown) {
        this.#dropped.failed += 1;
        this.#onError(toPresageError(thrown, 'storage_failed'));
      }
    }
    this.#work = undefined;
  }
}
