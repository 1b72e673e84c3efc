import type { EncodedGop } from '../../core/video/encoded-video.js';
import { writeMatroska } from '../../ingest/encoded/matroska.js';

/** Groups of one run that are farther apart are not shown as one clip, s. */
const MAX_GAP_S = 2;

/** A part of the original video. */
export interface Cut {
  readonly codec: string;
  /** Media times of the first and the last picture, s. */
  readonly from: number;
  readonly to: number;
  readonly matroska: Buffer;
}

/**
 * Cuts the video around a moment: from the key frame at or before `from` to the last picture at or before `to`, as far as
 * what is there hangs together. Undefined where the moment itself is not there.
 * @param gops in any order, doubles allowed
 */
export function cutClip(gops: readonly EncodedGop[], at: number, from: number, to: number): Cut | undefined {
  const sorted = [...gops].sort((a, b) => a.t - b.t || b.frames.length - a.frames.length);
  const single = sorted.filter((gop, index) => !isSame(gop, sorted[index - 1]));
  const middle = single.findLastIndex((gop) => gop.t <= at);
  const found = single[middle];
  if (found === undefined || at > found.end + MAX_GAP_S) return undefined;
  let first = middle;
  while ((single[first] as EncodedGop).t > from && follows(single[first - 1], single[first])) first -= 1;
  const chosen: EncodedGop[] = [single[first] as EncodedGop];
  for (let next = first + 1; follows(single[next - 1], single[next]); next += 1) {
    const gop = single[next] as EncodedGop;
    if (gop.t > to) break;
    chosen.push(gop);
  }
  return write(chosen, to);
}

function write(gops: readonly EncodedGop[], to: number): Cut {
  const [first] = gops as readonly [EncodedGop];
  const last = gops.at(-1) as EncodedGop;
  const lastMs = Math.round((to - last.t) * 1000) + (last.frames[0]?.ms ?? 0);
  // In decoding order: what is shown by then may need frames that are shown later.
  const kept = last.frames.slice(0, Math.max(1, last.frames.findLastIndex(({ ms }) => ms <= lastMs) + 1));
  const shownMs = kept.reduce((latest, { ms }) => Math.max(latest, ms), -Infinity);
  return {
    codec: first.codec,
    from: first.t,
    to: last.t + (shownMs - (kept[0]?.ms ?? 0)) / 1000,
    matroska: matroskaOf([...gops.slice(0, -1), { ...last, frames: kept }]),
  };
}

/** Groups of one run as a file. */
export function matroskaOf(gops: readonly EncodedGop[]): Buffer {
  const frames = gops.flatMap((gop) => gop.frames.map((frame, index) => ({ ...frame, key: index === 0 })));
  return writeMatroska((gops[0] as EncodedGop).header, frames);
}

function isSame(gop: EncodedGop, other: EncodedGop | undefined): boolean {
  return gop.run === other?.run && gop.frames[0]?.ms === other.frames[0]?.ms;
}

function follows(before: EncodedGop | undefined, after: EncodedGop | undefined): boolean {
  return before !== undefined && before.run === after?.run && after.t - before.end < MAX_GAP_S;
}
