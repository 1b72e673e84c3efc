/** The message that a service sends on a viewer's data channel `mediatime` for each picture. */
export interface PictureNote {
  /** Media time of the picture, s. */
  readonly mediatime: number;
  /** Capture time by the service's clock, ms; the RTP timestamp is 90 × this plus a constant that the viewer estimates. */
  readonly at?: number;
  /** RTP timestamp as the viewer receives it, where the service has it. */
  readonly rtp?: number;
}

/** Part of the metadata of `HTMLVideoElement.requestVideoFrameCallback`. */
export interface PictureMetadata {
  /** Browsers without it get the newest media time received. */
  readonly rtpTimestamp?: number | undefined;
}

const RTP_MODULUS = 2 ** 32;
const TICKS_PER_MS = 90;
/** Maximum number of stored notes: some seconds. */
const MAX_NOTES = 256;
/** Maximum difference between the arrivals of a note and its picture, ms. */
const NEAR_MS = 1000;
/** Number of pictures that vote on the constant. */
const VOTERS = 24;
/** Minimum number of pictures that must agree on the constant. */
const MIN_VOTES = 4;
/** Maximum error of an agreeing note: a clock tick can lie between the service's two readings of the clock, ms. */
const TOLERANCE_MS = 1.5;
/** Delay with which a busy service reads its clock; less than the distance of any two pictures, ms. */
const SNAP_MS = 8;
/** Minimum share of the pictures that must agree. */
const MIN_SHARE = 0.6;
/** A picture without its own note uses the nearest note up to this distance, ms. */
const BRIDGE_MS = 2000;
/** After this many pictures without a note near them the constant is estimated again: the stream has restarted. */
const MAX_MISSES = 10;

interface Note {
  readonly mediatime: number;
  readonly ticks: number;
  readonly receivedMs: number;
  /** True when `ticks` is the RTP timestamp itself, without the unknown constant. */
  readonly exact: boolean;
}

/**
 * Maps the pictures of a WebRTC video to media time, so that an overlay can be drawn in step with them. `at` and the RTP
 * timestamp differ by a constant of the sender; a vote finds the constant for which the irregular steps of both match. The
 * inputs are the channel's messages and the callback's metadata.
 */
export class PictureClock {
  #notes: Note[] = [];
  /** Ticks of a picture minus those of its note; undefined until the vote has settled. */
  #offset: number | undefined;
  #pictures: { ticks: number; receivedMs: number }[] = [];
  #misses = 0;

  /**
   * Stores a message of the channel; invalid messages are ignored.
   * @param nowMs any monotonic clock, the same as in `mediatimeOf`
   */
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

  /** Returns the media time of a picture, s: that of the newest note until the vote has settled; undefined before any note. */
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

  /** True when each picture is mapped by its own note and not by the newest. */
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
    const minScore = Math.max(MIN_VOTES - 1, this.#pictures.length * MIN_SHARE);
    if (!best || best.score < minScore) return undefined;
    // A candidate that is not clearly better waits for more pictures; when all have voted, the closest arrival wins.
    const clear = second === undefined || best.score > second.score + 1;
    return clear || this.#pictures.length === VOTERS ? best.offset : undefined;
  }

  /** Returns the number of pictures that have a note at this offset; a near miss counts half. */
  #score(offset: number): number {
    let score = 0;
    for (const picture of this.#pictures) {
      const away = this.#near(picture.receivedMs).map(
        (note) => Math.abs(signed(picture.ticks - note.ticks - offset)) / TICKS_PER_MS,
      );
      const minAway = Math.min(...away, Infinity);
      score += minAway < 0.5 ? 1 : minAway <= TOLERANCE_MS ? 0.5 : 0;
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
    return undefined; // invalid JSON
  }
}

function modulo(ticks: number): number {
  return ((ticks % RTP_MODULUS) + RTP_MODULUS) % RTP_MODULUS;
}

/** Returns the signed distance by the shorter way around the circle of timestamps. */
function signed(ticks: number): number {
  const rest = modulo(ticks);
  return rest > RTP_MODULUS / 2 ? rest - RTP_MODULUS : rest;
}
