import { describe, expect, it } from 'vitest';
import { PictureClock } from '../../../../src/core/video/picture-clock.js';

const MODULUS = 2 ** 32;
/** A camera whose pictures arrive at the times of JavaScript's timers: irregular, without a period. */
const STEPS_MS = irregular(211);

function irregular(count: number): number[] {
  let state = 12_345;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return 30 + (Math.floor(state / 1_000_000) % 8);
  });
}

interface SentPicture {
  readonly at: number;
  readonly mediatime: number;
}

function pictures(count: number, steps: readonly number[], startMs = 1_795_308_933_054): SentPicture[] {
  const sent: SentPicture[] = [];
  for (let index = 0, at = startMs; index < count; index += 1) {
    sent.push({ at, mediatime: index / 10 });
    at += steps[index % steps.length]!;
  }
  return sent;
}

/** Plays notes and pictures, these `lagMs` later, and returns the media time that the clock gives each picture. */
function play(sent: readonly SentPicture[], { constant, lagMs }: { constant: number; lagMs: number }) {
  const clock = new PictureClock();
  const first = sent[0]!.at;
  const happenings = sent.flatMap(({ at, mediatime }) => [
    { ms: at - first + 2, run: () => clock.take(JSON.stringify({ mediatime, at }), at - first + 2) },
    { ms: at - first + lagMs, picture: { mediatime, rtp: ((at % MODULUS) * 90 + constant) % MODULUS } },
  ]);
  happenings.sort((a, b) => a.ms - b.ms);
  const shown: { expected: number; given: number | undefined; settled: boolean }[] = [];
  for (const { ms, run, picture } of happenings) {
    run?.();
    if (!picture) continue;
    const given = clock.mediatimeOf({ rtpTimestamp: picture.rtp }, ms);
    shown.push({ expected: picture.mediatime, given, settled: clock.settled });
  }
  return shown;
}

describe('PictureClock', () => {
  it.each([
    ['a few ms late', 12],
    ['later than the next two', 90],
    ['much later', 400],
  ])('gives each picture its own media time when pictures come %s', (_name, lagMs) => {
    const settled = play(pictures(120, STEPS_MS), { constant: 987_654_321, lagMs }).filter(
      (each) => each.settled,
    );
    expect(settled.length).toBeGreaterThan(90);
    for (const { expected, given } of settled) expect(given).toBe(expected);
  });

  it('is right where RTP timestamps wrap', () => {
    const sent = pictures(200, STEPS_MS);
    const constant = MODULUS - (((sent[100]!.at % MODULUS) * 90) % MODULUS);
    const settled = play(sent, { constant, lagMs: 30 }).filter((each) => each.settled);
    expect(settled.at(-1)).toMatchObject({ given: sent.at(-1)!.mediatime });
    for (const { expected, given } of settled) expect(given).toBe(expected);
  });

  it('bridges a lost note from the adjacent one', () => {
    const sent = pictures(60, [40, 33, 47]);
    const clock = new PictureClock();
    const first = sent[0]!.at;
    let given: number | undefined;
    for (const [index, { at, mediatime }] of sent.entries()) {
      if (index < 50) clock.take(JSON.stringify({ mediatime, at }), at - first);
      given = clock.mediatimeOf({ rtpTimestamp: ((at % MODULUS) * 90 + 5) % MODULUS }, at - first + 5);
    }
    expect(given).toBeCloseTo(sent[49]!.mediatime + (sent[59]!.at - sent[49]!.at) / 1000, 3);
  });

  it('finds the new constant after the stream has restarted', () => {
    const clock = new PictureClock();
    let matches = 0;
    for (const [index, { at, mediatime }] of pictures(200, STEPS_MS).entries()) {
      const constant = index < 80 ? 1_000_000 : 3_000_000_000;
      clock.take(JSON.stringify({ mediatime, at }), index * 33);
      const rtpTimestamp = ((at % MODULUS) * 90 + constant) % MODULUS;
      if (clock.mediatimeOf({ rtpTimestamp }, index * 33 + 8) === mediatime && index > 120) matches += 1;
    }
    expect(matches).toBe(79);
  });

  it('looks up pictures by RTP timestamp where the notes contain it', () => {
    const clock = new PictureClock();
    clock.take('{"mediatime":4,"rtp":4294967000}', 0);
    clock.take('{"mediatime":4.1,"rtp":8704}', 100);
    expect(clock.mediatimeOf({ rtpTimestamp: 4_294_967_000 }, 130)).toBe(4);
    expect(clock.mediatimeOf({ rtpTimestamp: 8704 }, 230)).toBe(4.1);
    expect(clock.settled).toBe(true);
  });

  it('uses the newest note until the vote has settled, and ignores invalid notes', () => {
    const clock = new PictureClock();
    expect(clock.mediatimeOf({ rtpTimestamp: 1 }, 0)).toBeUndefined();
    clock.take('nonsense', 0);
    clock.take('{"mediatime":"soon"}', 0);
    expect(clock.mediatimeOf({}, 0)).toBeUndefined();
    clock.take('{"mediatime":2.5,"at":1000}', 0);
    expect(clock.mediatimeOf({}, 10)).toBe(2.5);
    expect(clock.mediatimeOf({ rtpTimestamp: 77 }, 10)).toBe(2.5);
    expect(clock.settled).toBe(false);
  });
});
