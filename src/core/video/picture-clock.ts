/** What a service tells on the data channel `mediatime` of a viewer, for each picture it sends. */
export interface PictureNote {
  /** Media time of the picture, s. */
  readonly mediatime: number;
  /** Capture time by the service's clock, ms; the RTP timestamp is 90 × this plus a constant that the viewer finds out. */
  readonly at?: number;
  /** RTP timestamp as the viewer receives it, where the service knows it. */
  readonly rtp?: number;
}

/** Of the metadata of `HTMLVideoElement.requestVideoFrameCallback`. */
export interface PictureMetadata {
  /** Browsers that lack it show the newest media time that was told. */
  readonly rtpTimestamp?: number | undefined;
}

const RTP_MODULUS = 2 ** 32;
const TICKS_PER_MS = 90;
/** Notes that are kept: some seconds of them. */
const MAX_NOTES = 256;
/** A note and its picture come within this of each other, ms. */
const NEAR_MS = 1000;
/** Pictures that vote on the constant. */
const VOTERS = 24;
/** Least pictures that must agree before the constant is believed. */
const MIN_VOTES = 4;
/** A clock's tick lies between the service's two readings of it, ms. */
const TOLERANCE_MS = 1.5;
/** Nearer than any other picture can be: what a busy service reads its clock late, ms. */
const SNAP_MS = 8;
/** Share of the pictures that must agree. */
const MIN_SHARE = 0.6;
/** A picture whose own note is missing takes the nearest one's, up to this far away, ms. */
const BRIDGE_MS = 2000;
/** After so many pictures without any note near them the constant is another one: the stream began anew. */
const MAX_MISSES = 10;

interface Note {
  readonly mediatime: number;
  readonly ticks: number;
  readonly receivedMs: number;
  /** The ticks are those of the pictures already. */
  readonly exact: boolean;
}

/**
 * Maps the pictures of a WebRTC video to media time, so that an overlay can be drawn in step with them. `at` and the RTP
 * timestamp differ by a constant of the sender; the right one is found by vote, as the one by which the irregular steps of
 * both fit each other. Feed it the channel's messages and the callback's metadata.
 */
export class PictureClock {
  #notes: Note[] = [];
  /** Ticks to add to those of a note, to have those of its picture. */
  #offset: number | undefined;
  #pictures: { ticks: number; receivedMs: number }[] = [];
  #misses = 0;

  /** Takes a message of the channel; what makes no sense is ignored. @param nowMs any steady clock, the same as in `mediatimeOf` */
  take(message: string, nowMs: number): void {
    const note = readNote(message);
    if (!note) return;
    const { mediatime, at, rtp } = note;
    if (rtp !== undefined) this.#notes.push({ mediatime, ticks: rtp, receivedMs: nowMs, exact: true });
    else if (at !== undefined) {
      this.#notes.push({
        mediatime,
        ticks: modulo(Math.round(at) * TICKS_PER_MS),
        receivedMs: nowMs,
        exact: false,
      });
    }
    if (this.#notes.length > MAX_NOTES) this.#notes.shift();
  }

  /** Media time of a picture, s; undefined before anything is known. Until the constant is found: of the newest note. */
  mediatimeOf({ rtpTimestamp }: PictureMetadata, nowMs: number): number | undefined {
    const newest = this.#notes.at(-1);
    if (!newest || rtpTimestamp === undefined) return newest?.mediatime;
    if (newest.exact) return this.#lookUp(rtpTimestamp, 0) ?? newest.mediatime;
    if (this.#offset === undefined) {
      this.#pictures.push({ ticks: rtpTimestamp, receivedMs: nowMs });
      if (this.#pictures.length > VOTERS) this.#pictures.shift();
      this.#offset = this.#vote();
      if (this.#offset === undefined) return newest.mediatime;
    }
    const found = this.#lookUp(rtpTimestamp, this.#offset);
    this.#misses = found === undefined ? this.#misses + 1 : 0;
    if (this.#misses > MAX_MISSES) {
      this.#offset = undefined;
      this.#pictures = [];
      this.#misses = 0;
    }
    return found ?? newest.mediatime;
  }

  /** Whether pictures are mapped each by its own note, not by the newest. */
  get settled(): boolean {
    return this.#offset !== undefined || this.#notes.at(-1)?.exact === true;
  }

  #lookUp(ticks: number, offset: number): number | undefined {
    let best: { mediatime: number; awayMs: number } | undefined;
    for (const note of this.#notes) {
      const awayMs = signed(ticks - note.ticks - offset) / TICKS_PER_MS;
      if (best === undefined || Math.abs(awayMs) < Math.abs(best.awayMs)) best = { ...note, awayMs };
    }
    if (best === undefined || Math.abs(best.awayMs) > BRIDGE_MS) return undefined;
    return Math.abs(best.awayMs) <= SNAP_MS ? best.mediatime : best.mediatime + best.awayMs / 1000;
  }

  #vote(): number | undefined {
    if (this.#pictures.length < MIN_VOTES) return undefined;
    const candidates = new Map<number, { offset: number; gapMs: number }>();
    const last = this.#pictures.at(-1);
    if (!last) return undefined;
    for (const note of this.#near(last.receivedMs)) {
      const offset = modulo(last.ticks - note.ticks);
      candidates.set(offset, { offset, gapMs: Math.abs(last.receivedMs - note.receivedMs) });
    }
    const ranked = [...candidates.values()]
      .map((candidate) => ({ ...candidate, score: this.#score(candidate.offset) }))
      .sort((a, b) => b.score - a.score || a.gapMs - b.gapMs);
    const [best, second] = ranked;
    const least = Math.max(MIN_VOTES - 1, this.#pictures.length * MIN_SHARE);
    if (!best || best.score < least) return undefined;
    // One that is not clearly better waits for more pictures; when all have voted, the one that came closest in time wins.
    const clear = second === undefined || best.score > second.score + 1;
    return clear || this.#pictures.length === VOTERS ? best.offset : undefined;
  }

  /** How many pictures have a note at this offset; a near miss counts half. */
  #score(offset: number): number {
    let score = 0;
    for (const picture of this.#pictures) {
      const away = this.#near(picture.receivedMs).map(
        (note) => Math.abs(signed(picture.ticks - note.ticks - offset)) / TICKS_PER_MS,
      );
      const least = Math.min(...away, Infinity);
      score += least < 0.5 ? 1 : least <= TOLERANCE_MS ? 0.5 : 0;
    }
    return score;
  }

  #near(receivedMs: number): Note[] {
    return this.#notes.filter((note) => Math.abs(note.receivedMs - receivedMs) < NEAR_MS);
  }
}

function readNote(message: string): PictureNote | undefined {
  try {
    const { mediatime, at, rtp } = JSON.parse(message) as Record<keyof PictureNote, unknown>;
    if (typeof mediatime !== 'number') return undefined;
    return {
      mediatime,
      ...(typeof at === 'number' && { at }),
      ...(typeof rtp === 'number' && { rtp }),
    };
  } catch {
    return undefined; // not of this channel's form
  }
}

function modulo(ticks: number): number {
  return ((ticks % RTP_MODULUS) + RTP_MODULUS) % RTP_MODULUS;
}

/** The shorter way around the circle of timestamps. */
function signed(ticks: number): number {
  const rest = modulo(ticks);
  return rest > RTP_MODULUS / 2 ? rest - RTP_MODULUS : rest;
}
