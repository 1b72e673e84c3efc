import { readFile } from 'node:fs/promises';
import { systemClock } from '../../core/clock.js';
import type { EncodedFrame, EncodedGop } from '../../core/video/encoded-video.js';
import { toPresageError, type PresageError } from '../../core/errors.js';
import type { Draft } from '../../core/messages.js';
import type { EncodedRing } from '../../ingest/encoded/encoded-ring.js';
import { MatroskaReader } from '../../ingest/encoded/matroska.js';
import type { ClipStore } from '../../transport/archive/clip-store.js';
import { matroskaOf } from './cut-clip.js';

/** Kept around an event, s. */
const AROUND_EVENT_S = 3;
/** Video that waits for the disk; beyond it, parts are dropped and counted, bytes. */
const MAX_WAITING = 64e6;
/** Parts shorter than this wait for more while an event is not over, so that there are fewer files, s. */
const PART_S = 4;
/** A part holds at most about this much, s. A part that begins earlier than this cannot reach a moment. */
const LONGEST_PART_S = 120;

export interface ClipStats {
  /** Parts written. */
  readonly stored: number;
  /** By reason. */
  readonly dropped: Readonly<Record<'queue_full' | 'failed', number>>;
}

export interface ClipRecorderOptions {
  readonly streamId: string;
  readonly ring: EncodedRing;
  readonly store: ClipStore;
  readonly onError: (error: PresageError) => void;
}

/**
 * Keeps the original video around every event of a stream in the data folder. Events that are near each other share what
 * is kept, so that a busy hour costs no more than its video.
 */
export class ClipRecorder {
  readonly #options: ClipRecorderOptions;
  readonly #waiting: EncodedGop[] = [];
  readonly #unlisten: () => void;
  readonly #dropped = { queue_full: 0, failed: 0 };
  #waitingBytes = 0;
  #kept = 0;
  /** Media time up to which video is wanted. */
  #until = -Infinity;
  /** Groups that end before it were judged. */
  #from = Infinity;
  /** Groups taken that the ring may still have. */
  readonly #taken = new Set<string>();
  #work: Promise<void> | undefined;

  constructor(options: ClipRecorderOptions) {
    this.#options = options;
    this.#unlisten = options.ring.listen(() => this.#collect(false));
  }

  add(draft: Draft): void {
    if (draft.kind !== 'event.observed') return;
    const { t, to = t } = draft.data.event;
    const from = t - AROUND_EVENT_S;
    // What lies between two events that do not touch is not wanted.
    this.#from = this.#until >= from ? Math.min(this.#from, from) : from;
    this.#until = Math.max(this.#until, to + AROUND_EVENT_S);
    this.#collect(false);
  }

  stats(): ClipStats {
    return { stored: this.#kept, dropped: { ...this.#dropped } };
  }

  /** Writes what waits, as at the end of the stream. */
  async settle(): Promise<void> {
    this.#collect(true);
    await this.#work;
  }

  /** The stream has ended: what is wanted is on the disk, the rest goes. */
  async close(): Promise<void> {
    this.#unlisten();
    await this.settle();
    this.#options.ring.clear();
  }

  /** Parts that are kept and may show something between two media times. */
  async between(from: number, to: number): Promise<EncodedGop[]> {
    const { store, streamId } = this.#options;
    const parts: EncodedGop[] = [];
    for (const { ref, t, path } of store.between(streamId, from - LONGEST_PART_S, to)) {
      // It may have been deleted since it was found.
      const bytes = await readFile(path).catch(ifMissing);
      if (bytes) parts.push(...gopsOf(bytes, ref, t).filter((gop) => gop.end >= from));
    }
    return parts;
  }

  #collect(all: boolean): void {
    if (this.#until === -Infinity) return;
    const { ring } = this.#options;
    for (const gop of ring.between(this.#from, this.#until, !all)) {
      const key = `${gop.run} ${gop.frames[0]?.ms ?? 0}`;
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      this.#take(gop);
    }
    const [first] = this.#waiting;
    const last = this.#waiting.at(-1);
    const over = all || (ring.now ?? -Infinity) > this.#until;
    if (first && last && (over || last.end - first.t >= PART_S)) this.#work ??= this.#drain();
  }

  #take(gop: EncodedGop): void {
    if (this.#waitingBytes + gop.bytes > MAX_WAITING) {
      this.#dropped.queue_full += 1;
      return;
    }
    this.#waiting.push(gop);
    this.#waitingBytes += gop.bytes;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting as [EncodedGop];
      const apart = this.#waiting.findIndex(
        (gop, index) => index > 0 && !continues(this.#waiting[index - 1] as EncodedGop, gop, first),
      );
      const part = this.#waiting.splice(0, apart < 0 ? this.#waiting.length : apart);
      this.#waitingBytes -= part.reduce((sum, { bytes }) => sum + bytes, 0);
      await this.#write(part);
    }
    this.#work = undefined;
    this.#forget();
  }

  async #write(part: readonly EncodedGop[]): Promise<void> {
    const { store, streamId, onError } = this.#options;
    const [{ run, t }] = part as readonly [EncodedGop];
    try {
      await store.put(streamId, run, t, systemClock.wall().getTime(), matroskaOf(part));
      this.#kept += 1;
    } catch (thrown) {
      this.#dropped.failed += 1;
      onError(toPresageError(thrown, 'storage_failed'));
    }
  }

  /** Groups that the ring no longer has cannot come twice. */
  #forget(): void {
    const still = new Set(
      this.#options.ring
        .between(-Infinity, Infinity)
        .map(({ run, frames }) => `${run} ${frames[0]?.ms ?? 0}`),
    );
    for (const key of this.#taken) if (!still.has(key)) this.#taken.delete(key);
  }
}

function continues(before: EncodedGop, after: EncodedGop, first: EncodedGop): boolean {
  return after.run === before.run && after.t - before.end < 1 && after.end - first.t < LONGEST_PART_S;
}

/** Groups of a part. @param t media time of its first picture */
function gopsOf(bytes: Buffer, run: string, t: number): EncodedGop[] {
  const gops: { t: number; end: number; bytes: number; frames: EncodedFrame[] }[] = [];
  let header: Buffer = Buffer.alloc(0);
  let codec = '';
  let firstMs: number | undefined;
  const reader = new MatroskaReader({
    onHeader: (found, name) => {
      header = found;
      codec = name;
    },
    onFrame: ({ ms, key, data }) => {
      firstMs ??= ms;
      const at = t + (ms - firstMs) / 1000;
      if (key) gops.push({ t: at, end: at, bytes: 0, frames: [] });
      const gop = gops.at(-1);
      if (gop === undefined) return;
      gop.frames.push({ ms, data });
      gop.end = Math.max(gop.end, at);
      gop.bytes += data.length;
    },
  });
  reader.push(bytes);
  return gops.map((gop) => ({ ...gop, run, codec, header }));
}

/** Stands in for a file that is not there; whatever else is wrong with it is an error of the server. */
function ifMissing(thrown: unknown): undefined {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
}
