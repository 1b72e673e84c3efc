import { expect, it } from 'vitest';
import { cutClip } from '../../../../src/service/clips/cut-clip.js';
import { EncodedRing } from '../../../../src/ingest/encoded/encoded-ring.js';
import { writeMatroska } from '../../../../src/ingest/encoded/matroska.js';
import type { EncodedSinkRun } from '../../../../src/core/video/encoded-video.js';

/** EBML head, segment of unknown size, one track of VP8. */
const HEADER = Buffer.concat([
  Buffer.from('1a45dfa380', 'hex'),
  Buffer.from('1853806701ffffffffffffff', 'hex'),
  Buffer.from('1654ae6b89ae878685', 'hex'),
  Buffer.from('V_VP8'),
]);

function frames(fromMs: number, count: number, { every = 5, bytes = 100 } = {}): Buffer {
  const list = Array.from({ length: count }, (_, index) => ({
    ms: fromMs + index * 100,
    key: index % every === 0,
    data: new Uint8Array(bytes).fill(index),
  }));
  return writeMatroska(new Uint8Array(0), list);
}

/** Frames and the pictures decoded from them; media time runs 100 s ahead of presentation time. */
function feed(run: EncodedSinkRun, fromMs: number, count: number, options = {}): void {
  run.push(frames(fromMs, count, options));
  for (let index = 0; index < count; index += 1) {
    const s = (fromMs + index * 100) / 1000;
    run.picture(s, 100 + s);
  }
}

it('reads the same frames however the bytes are cut', () => {
  const bytes = Buffer.concat([HEADER, frames(0, 20)]);
  const rings = [1, 7, 1000].map((size) => {
    const ring = new EncodedRing({ seconds: 60, maxBytes: 1e6 });
    const run = ring.begin();
    for (let at = 0; at < bytes.length; at += size) run.push(bytes.subarray(at, at + size));
    for (let index = 0; index < 20; index += 1) run.picture(index / 10, 100 + index / 10);
    return ring.between(0, 1e9).map(({ t, end, frames: list }) => ({ t, end, ms: list.map(({ ms }) => ms) }));
  });
  expect(rings[0]?.map(({ t }) => t)).toEqual([100, 100.5, 101, 101.5]);
  expect(rings[1]).toEqual(rings[0]);
  expect(rings[2]).toEqual(rings[0]);
});

it('forgets the oldest groups beyond its seconds and beyond its bytes, and counts them', () => {
  const aged = new EncodedRing({ seconds: 1, maxBytes: 1e6 });
  const run = aged.begin();
  run.push(HEADER);
  for (let ms = 0; ms < 4000; ms += 500) feed(run, ms, 5);
  expect(aged.between(0, 1e9)[0]?.t).toBeGreaterThanOrEqual(102);
  expect(aged.stats().evicted.age).toBeGreaterThan(3);

  const small = new EncodedRing({ seconds: 1e6, maxBytes: 1600 });
  const other = small.begin();
  other.push(HEADER);
  feed(other, 0, 40);
  expect(small.stats()).toMatchObject({ gops: 3, bytes: 1500, evicted: { age: 0, budget: 5 } });
});

it('keeps nothing of a group that alone is larger than the budget, and goes on with the next', () => {
  const ring = new EncodedRing({ seconds: 60, maxBytes: 1000 });
  const run = ring.begin();
  run.push(HEADER);
  feed(run, 0, 20, { every: 20 });
  expect(ring.stats()).toMatchObject({ gops: 0, bytes: 0, dropped: { gop_too_large: 20 } });
  feed(run, 2000, 5);
  expect(ring.between(0, 1e9).map(({ t }) => t)).toEqual([102]);
});

it('tells no group whose picture was not decoded yet', () => {
  const ring = new EncodedRing({ seconds: 60, maxBytes: 1e6 });
  const run = ring.begin();
  run.push(Buffer.concat([HEADER, frames(0, 5)]));
  expect(ring.between(0, 1e9)).toEqual([]);
  run.picture(0, 42);
  expect(ring.between(0, 1e9).map(({ t }) => t)).toEqual([42]);
});

it('ends a run on bytes that are not Matroska, and takes the next run', () => {
  const ring = new EncodedRing({ seconds: 60, maxBytes: 1e6 });
  ring.begin().push(Buffer.alloc(100));
  expect(ring.stats().dropped.unreadable).toBe(1);
  const run = ring.begin();
  run.push(HEADER);
  feed(run, 0, 5);
  expect(ring.stats().gops).toBe(1);
});

it('cuts from the key frame before to the last picture wanted, and never across runs', () => {
  const ring = new EncodedRing({ seconds: 60, maxBytes: 1e6 });
  const first = ring.begin();
  first.push(HEADER);
  feed(first, 0, 20);
  const second = ring.begin();
  second.push(HEADER);
  second.push(frames(0, 10));
  for (let index = 0; index < 10; index += 1) second.picture(index / 10, 103 + index / 10);
  const gops = ring.between(0, 1e9);
  expect(cutClip(gops, 101.2, 100.8, 101.3)).toMatchObject({ from: 100.5, to: 101.3 });
  expect(cutClip(gops, 101.8, 101, 103.5)).toMatchObject({ from: 101, to: 101.9 });
  expect(cutClip(gops, 103.2, 101, 103.4)).toMatchObject({ from: 103, to: 103.4 });
  expect(cutClip(gops, 90, 89, 91)).toBeUndefined();
});
