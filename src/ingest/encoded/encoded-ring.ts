import { randomBytes } from 'node:crypto';
import type {
  EncodedFrame,
  EncodedGop,
  EncodedSink,
  EncodedSinkRun,
} from '../../core/video/encoded-video.js';
import { MatroskaReader, type MatroskaFrame } from './matroska.js';

export interface EncodedRingOptions {
  /** How far back frames are kept, media seconds. */
  readonly seconds: number;
  /** What they may take, bytes. */
  readonly maxBytes: number;
}

export interface EncodedRingStats {
  /** Groups of pictures kept at present. */
  readonly gops: number;
  readonly bytes: number;
  /** Groups that went because of their age or of the budget, so far. */
  readonly evicted: Readonly<Record<'age' | 'budget', number>>;
  /** Frames that were never kept: of a group larger than the budget, or not readable. */
  readonly dropped: Readonly<Record<'gop_too_large' | 'unreadable', number>>;
}

/** Times are written in whole milliseconds. */
const SAME_PICTURE_MS = 1;
/** Pictures whose media time is remembered: the copy and the decoder are never this far apart. */
const MAX_PICTURES = 1024;
/** Presentation times that jump by more begin a new run: the parts do not fit together, ms. */
const JUMP_MS = 10_000;

/**
 * The last seconds of a stream as its camera encoded them, in groups that begin with a key frame. Bounded in time and
 * bytes; the oldest group goes. Taking a chunk is a copy of its bytes, so the child that writes them never waits for
 * longer than this process is busy.
 */
export class EncodedRing implements EncodedSink {
  readonly #options: EncodedRingOptions;
  /** Oldest first; the last one grows. */
  readonly #gops: GrowingGop[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #evicted = { age: 0, budget: 0 };
  readonly #dropped = { gop_too_large: 0, unreadable: 0 };
  #bytes = 0;
  #run: RingRun | undefined;
  #codec: string | undefined;

  constructor(options: EncodedRingOptions) {
    this.#options = options;
  }

  /** Codec of the newest run, as Matroska names it; undefined before there is one that can be kept. */
  get codec(): string | undefined {
    return this.#codec;
  }

  /** Whether frames may still come to the newest run. */
  get running(): boolean {
    return this.#run !== undefined && !this.#run.ended;
  }

  /** Media time of the newest picture decoded; undefined before the first. */
  get now(): number | undefined {
    return this.#run?.now;
  }

  stats(): EncodedRingStats {
    return {
      gops: this.#gops.length,
      bytes: this.#bytes,
      evicted: { ...this.#evicted },
      dropped: { ...this.#dropped },
    };
  }

  /**
   * Groups with frames between two media times, oldest first.
   * @param whole leaves out the one that still grows
   */
  between(from: number, to: number, whole = false): EncodedGop[] {
    return this.#gops
      .filter((gop) => !whole || gop.closed)
      .map((gop) => gop.told())
      .filter((gop): gop is EncodedGop => gop !== undefined && gop.t <= to && gop.end >= from);
  }

  /** Calls back after whatever changed; returns what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  begin(): EncodedSinkRun {
    this.#run?.end();
    this.#codec = undefined;
    const run = new RingRun({
      onCodec: (codec) => (this.#codec = codec),
      onGop: (gop) => this.#gops.push(gop),
      onFrame: (gop, bytes) => this.#grown(gop, bytes),
      onDrop: (reason) => (this.#dropped[reason] += 1),
      onChange: () => this.#listeners.forEach((listener) => listener()),
    });
    this.#run = run;
    return run;
  }

  /** Forgets all groups, as when their stream has ended. */
  clear(): void {
    this.#run?.end();
    this.#gops.length = 0;
    this.#bytes = 0;
  }

  #grown(gop: GrowingGop, bytes: number): void {
    this.#bytes += bytes;
    const { seconds, maxBytes } = this.#options;
    while (this.#bytes > maxBytes && this.#gops.length > 1) this.#evict('budget');
    if (this.#bytes > maxBytes) {
      this.#dropped.gop_too_large += gop.frames.length;
      this.#bytes -= gop.bytes;
      this.#gops.pop();
      gop.drop();
    }
    const now = this.now ?? -Infinity;
    // The first may be needed up to the key frame of the second.
    while (this.#gops.length > 1 && (this.#gops[0]?.told()?.end ?? now) < now - seconds) this.#evict('age');
  }

  #evict(reason: 'age' | 'budget'): void {
    this.#bytes -= this.#gops.shift()?.bytes ?? 0;
    this.#evicted[reason] += 1;
  }
}

interface RunListener {
  readonly onCodec: (codec: string) => void;
  readonly onGop: (gop: GrowingGop) => void;
  readonly onFrame: (gop: GrowingGop, bytes: number) => void;
  readonly onDrop: (reason: 'gop_too_large' | 'unreadable') => void;
  readonly onChange: () => void;
}

class RingRun implements EncodedSinkRun {
  readonly #listener: RunListener;
  readonly #reader: MatroskaReader;
  readonly #pictures = new PictureTimes();
  #name = runName();
  #header: Buffer = Buffer.alloc(0);
  #codec = '';
  #gop: GrowingGop | undefined;
  #broken = false;
  ended = false;

  constructor(listener: RunListener) {
    this.#listener = listener;
    this.#reader = new MatroskaReader({
      onHeader: (header, codec) => {
        this.#header = header;
        this.#codec = codec;
        listener.onCodec(codec);
      },
      onFrame: (frame) => this.#take(frame),
    });
  }

  get now(): number | undefined {
    return this.#pictures.newest;
  }

  push(chunk: Uint8Array): void {
    if (this.#broken || this.ended) return;
    try {
      this.#reader.push(chunk);
    } catch {
      this.#broken = true;
      this.#listener.onDrop('unreadable');
    }
    this.#listener.onChange();
  }

  picture(pts: number, t: number): void {
    this.#pictures.add(Math.round(pts * 1000), t);
    this.#listener.onChange();
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.#gop) this.#gop.closed = true;
    this.#listener.onChange();
  }

  #take({ ms, key, data }: MatroskaFrame): void {
    const before = this.#gop;
    if (key) {
      if (before && Math.abs(ms - before.lastMs) > JUMP_MS) this.#name = runName();
      if (before) before.closed = true;
      this.#gop = new GrowingGop(this.#name, this.#codec, this.#header, this.#pictures);
      this.#listener.onGop(this.#gop);
    }
    const gop = this.#gop;
    if (gop === undefined || gop.dropped) {
      if (gop) this.#listener.onDrop('gop_too_large');
      return;
    }
    gop.add({ ms, data });
    this.#listener.onFrame(gop, data.length);
  }
}

class GrowingGop {
  readonly frames: EncodedFrame[] = [];
  bytes = 0;
  /** Latest presentation time, ms. */
  lastMs = -Infinity;
  closed = false;
  dropped = false;
  /** Media time of the key frame, once its picture was decoded, s. */
  #t: number | undefined;
  /** The same value as long as nothing changed, so that who keeps groups can know them again. */
  #told: EncodedGop | undefined;

  constructor(
    readonly run: string,
    readonly codec: string,
    readonly header: Buffer,
    private readonly pictures: PictureTimes,
  ) {}

  add(frame: EncodedFrame): void {
    this.frames.push(frame);
    this.bytes += frame.data.length;
    this.lastMs = Math.max(this.lastMs, frame.ms);
    // Taken at once: the picture's time is forgotten after a while.
    this.#t ??= this.pictures.at(this.frames[0]?.ms ?? 0);
  }

  drop(): void {
    this.dropped = true;
    this.frames.length = 0;
    this.bytes = 0;
  }

  /** Undefined before its media time is known. */
  told(): EncodedGop | undefined {
    const [first] = this.frames;
    if (first === undefined) return undefined;
    this.#t ??= this.pictures.at(first.ms);
    if (this.#t === undefined) return undefined;
    if (this.#told?.frames.length === this.frames.length) return this.#told;
    const { run, codec, header, bytes } = this;
    const end = this.#t + (this.lastMs - first.ms) / 1000;
    this.#told = { run, codec, header, bytes, t: this.#t, end, frames: [...this.frames] };
    return this.#told;
  }
}

/** Media times of the pictures of a run, by presentation time. */
class PictureTimes {
  readonly #times = new Map<number, number>();
  #newestMs = -Infinity;
  newest: number | undefined;

  add(ms: number, t: number): void {
    this.#times.delete(ms);
    this.#times.set(ms, t);
    this.newest = t;
    this.#newestMs = ms;
    for (const [oldest] of this.#times) {
      if (this.#times.size <= MAX_PICTURES) break;
      this.#times.delete(oldest);
    }
  }

  /** Undefined while the picture has not been decoded. */
  at(ms: number): number | undefined {
    for (const near of [ms, ms - SAME_PICTURE_MS, ms + SAME_PICTURE_MS]) {
      const t = this.#times.get(near);
      if (t !== undefined) return t;
    }
    // It was never shown: its time follows from those that were.
    const last = this.#times.get(this.#newestMs);
    if (last === undefined || this.#newestMs < ms) return undefined;
    return last - (this.#newestMs - ms) / 1000;
  }
}

function runName(): string {
  return randomBytes(6).toString('hex');
}
