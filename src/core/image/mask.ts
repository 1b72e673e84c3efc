import { PresageError } from '../errors.js';
import type { Mask } from '../percept.js';

/** Region of a frame that contains a mask; everything outside it is background. All in px of the mask's own frame. */
export interface MaskRegion {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** [height, width], row by row; non-zero is inside. Length `width * height`. */
  readonly inside: Uint8Array;
}

/** Bits of a count that one character carries, its sign bit, and the bit that is set when more characters follow. */
const CHUNK_BITS = 5;
const CHUNK_SIGN = 0x10;
const CHUNK_MORE = 0x20;
/** Code of the first character, `0`; each character is this plus six bits. */
const CHARACTER_BASE = 48;
/** From the fourth on, a count is written as its difference from the second last (same colour). */
const FIRST_DIFFERENCE = 3;
/** Characters of one count: 32 bits, five at a time. */
const MAX_CHUNKS = 7;

/**
 * Encodes run lengths as COCO does: columns from left to right, each from top to bottom, runs of background and inside in
 * turn, beginning with background (0 where the first px is inside), compressed to a string.
 *
 * @param size of the frame that the mask covers, px
 * @param region lies inside the frame
 * @throws {RangeError} the region reaches beyond the frame, or `inside` has another length
 */
export function encodeMask(size: readonly [height: number, width: number], region: MaskRegion): Mask {
  const [height, width] = size;
  const { left, top, inside } = region;
  if (
    left < 0 ||
    top < 0 ||
    left + region.width > width ||
    top + region.height > height ||
    inside.length !== region.width * region.height
  )
    throw new RangeError('the region of a mask must lie inside its frame');
  const runs: number[] = [];
  let colour = 0;
  let from = 0;
  for (let x = 0; x < region.width; x++) {
    const start = (left + x) * height + top;
    for (let y = 0; y < region.height; y++) {
      const now = inside[y * region.width + x] === 0 ? 0 : 1;
      if (now === colour) continue;
      runs.push(start + y - from);
      from = start + y;
      colour = now;
    }
    // Below the region is background, and so is the next column's top unless the region fills the height.
    const end = start + region.height;
    if (colour === 1 && (region.height < height || x === region.width - 1)) {
      runs.push(end - from);
      from = end;
      colour = 0;
    }
  }
  const rest = height * width - from;
  if (rest > 0 || runs.length === 0) runs.push(rest);
  return { size: [height, width], counts: encodeCounts(runs) };
}

/**
 * Returns the px of a mask, [height, width] row by row, 1 inside and 0 outside.
 * @throws {PresageError} bad_request — the counts are malformed or do not fill the frame
 */
export function decodeMask({ size: [height, width], counts }: Mask): Uint8Array {
  const pixels = new Uint8Array(height * width);
  let at = 0;
  decodeCounts(counts).forEach((run, index) => {
    if (run < 0 || at + run > pixels.length) throw badMask('its runs do not fit its size');
    if (index % 2 === 1)
      for (let i = at; i < at + run; i++) pixels[(i % height) * width + Math.floor(i / height)] = 1;
    at += run;
  });
  if (at !== pixels.length) throw badMask('its runs do not fill its size');
  return pixels;
}

/** The bounding box of a mask in its frame, px; `pixels` [height, width] as of `decodeMask`. */
interface MaskBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/**
 * Decodes only the bounding box of a mask, so that the cost depends on the size of the mask and not of the frame.
 * @throws {PresageError} bad_request — the counts are malformed or do not fill the frame
 */
export function decodeMaskBox({ size: [height, width], counts }: Mask): MaskBox {
  const runs = decodeCounts(counts);
  const total = runs.reduce((sum, run) => sum + run, 0);
  if (runs.some((run) => run < 0) || total !== height * width) throw badMask('its runs do not fill its size');
  const inside: { column: number; from: number; to: number }[] = [];
  let at = 0;
  for (const [index, run] of runs.entries()) {
    for (let rest = index % 2 === 1 ? run : 0, start = at; rest > 0;) {
      const from = start % height;
      const length = Math.min(rest, height - from);
      inside.push({ column: Math.floor(start / height), from, to: from + length });
      start += length;
      rest -= length;
    }
    at += run;
  }
  if (inside.length === 0) return { left: 0, top: 0, width: 0, height: 0, pixels: new Uint8Array(0) };
  const left = inside[0]?.column ?? 0;
  const top = inside.reduce((min, { from }) => Math.min(min, from), height);
  const wide = (inside.at(-1)?.column ?? 0) + 1 - left;
  const high = inside.reduce((max, { to }) => Math.max(max, to), 0) - top;
  const pixels = new Uint8Array(wide * high);
  for (const { column, from, to } of inside)
    for (let y = from; y < to; y++) pixels[(y - top) * wide + column - left] = 1;
  return { left, top, width: wide, height: high, pixels };
}

/**
 * Returns the number of px inside.
 * @throws {PresageError} bad_request — the counts are malformed
 */
export function maskArea(mask: Mask): number {
  return decodeCounts(mask.counts).reduce((area, run, index) => (index % 2 === 1 ? area + run : area), 0);
}

/** @param runs lengths ≥ 0 */
export function encodeCounts(runs: readonly number[]): string {
  let text = '';
  runs.forEach((run, index) => {
    let rest = index < FIRST_DIFFERENCE ? run : run - (runs[index - 2] ?? 0);
    for (let more = true; more;) {
      const chunk = rest & (CHUNK_MORE - 1);
      rest >>= CHUNK_BITS;
      more = chunk & CHUNK_SIGN ? rest !== -1 : rest !== 0;
      text += String.fromCharCode((more ? chunk | CHUNK_MORE : chunk) + CHARACTER_BASE);
    }
  });
  return text;
}

/** @throws {PresageError} bad_request — the counts are malformed */
export function decodeCounts(counts: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < counts.length;) {
    let value = 0;
    for (let chunks = 0; ; chunks++) {
      const bits = counts.charCodeAt(at++) - CHARACTER_BASE;
      if (!(bits >= 0 && bits < 2 * CHUNK_MORE) || chunks === MAX_CHUNKS)
        throw badMask('its counts are malformed');
      value |= (bits & (CHUNK_MORE - 1)) << (CHUNK_BITS * chunks);
      if (bits & CHUNK_MORE) continue;
      if (bits & CHUNK_SIGN && chunks < MAX_CHUNKS - 1) value |= -1 << (CHUNK_BITS * (chunks + 1));
      break;
    }
    runs.push(runs.length < FIRST_DIFFERENCE ? value : value + (runs[runs.length - 2] ?? 0));
  }
  return runs;
}

function badMask(why: string): PresageError {
  return new PresageError('bad_request', `a mask cannot be decoded: ${why}`);
}
