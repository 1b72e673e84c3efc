import { describe, expect, it } from 'vitest';
import type { EventObserved } from '../../../../src/core/messages.js';
import type { EventType } from '../../../../src/core/ontology.js';
import { cosine } from '../../../../src/core/maths/cosine.js';
import { BoundedLog } from '../../../../src/memory/history/bounded-log.js';
import { SceneMemory } from '../../../../src/memory/history/scene-memory.js';
import { Episodes } from '../../../../src/memory/history/episodes.js';
import { KeyframeSet, MAX_KEYFRAMES } from '../../../../src/memory/history/keyframe-set.js';
import { PieceLedger } from '../../../../src/memory/state/state-pieces.js';
import { seededRandom } from '../../../support/reasoner/crowd.js';

function event(n: number, type: EventType, t: number, ...who: string[]): EventObserved {
  const participants = who.map((id) => {
    return { id, label: 'person', box: [0, 0, 0.1, 0.1] as [number, number, number, number] };
  });
  return { event: { id: `e${n}`, type, participants, t, confidence: 1 }, observedAt: t + 0.5 };
}

describe('episodes', () => {
  it('end at a pause, summarise their events, and are returned once', () => {
    const episodes = new Episodes(1e6);
    const script = new Map([
      [10, event(1, 'enter', 9.5, 'o1')],
      [12, event(2, 'enter', 11.5, 'o2')],
      [15, event(3, 'meet', 14, 'o1', 'o2')],
      [22, event(4, 'exit', 21, 'o1')],
      [60, event(5, 'enter', 59.5, 'o3')],
    ]);
    const returned = Array.from({ length: 100 }, (_, t) => {
      const now = script.get(t);
      return episodes.step(now ? [now] : [], t).map((episode) => ({ at: t, ...episode }));
    }).flat();
    expect(returned).toEqual([
      {
        at: 41,
        from: 9.5,
        to: 21,
        text: '2 people came into view, 1 person left; person #1 met person #2.',
        events: ['e1', 'e2', 'e3', 'e4'],
        objects: ['o1', 'o2'],
      },
      { at: 80, from: 59.5, to: 59.5, text: '1 person came into view.', events: ['e5'], objects: ['o3'] },
    ]);
    expect(episodes.finish(100)).toEqual([]);
  });

  it('are cut after five minutes without a pause, and do not overlap', () => {
    const episodes = new Episodes(1e6);
    const returned = Array.from({ length: 1000 }, (_, t) =>
      episodes.step(t % 5 === 0 ? [event(t, 'turn', Math.max(0, t - 2), 'o1')] : [], t),
    ).flat();
    expect(returned).toHaveLength(3);
    returned.forEach(({ from, to }, i) => {
      expect(to - from).toBeLessThanOrEqual(305);
      expect(from).toBeGreaterThanOrEqual(returned[i - 1]?.to ?? 0);
    });
    expect(episodes.finish(1000)).toHaveLength(1);
  });

  it('are merged when their memory is used up', () => {
    const episodes = new Episodes(6000);
    for (let n = 0; n < 40; n++) {
      episodes.step([event(n, 'meet', 100 * n, 'o1', 'o2')], 100 * n);
      episodes.step([], 100 * n + 50);
    }
    const all = episodes.log.all();
    expect(episodes.log.bytes).toBeLessThanOrEqual(6000);
    expect(episodes.log.merged + episodes.log.dropped).toBeGreaterThan(0);
    expect(all[0]?.to).toBeGreaterThan(all[0]?.from ?? Infinity);
  });
});

describe('keyframes', () => {
  it('cover the appearances of an object nearly as well as keyframes chosen in hindsight', () => {
    const random = seededRandom(5);
    for (let run = 0; run < 10; run++) {
      const appearances = wander(300, 8, random);
      const set = new KeyframeSet();
      appearances.forEach((embedding, t) => set.offer({ t, box: [0, 0, 1, 1], embedding }));
      const keyframes = set.frames.map(({ embedding }) => embedding);
      expect(keyframes).toHaveLength(MAX_KEYFRAMES);
      const radius = coveringRadius(appearances, keyframes);
      expect(radius).toBeLessThanOrEqual(
        2.5 * coveringRadius(appearances, farthestFirst(appearances, MAX_KEYFRAMES)),
      );
      expect(radius).toBeLessThan(coveringRadius(appearances, appearances.slice(0, MAX_KEYFRAMES)));
    }
  });

  it('do not include appearances without new information', () => {
    const set = new KeyframeSet();
    for (let t = 0; t < 100; t++)
      set.offer({ t, box: [0, 0, 1, 1], embedding: Float32Array.of(1, 0.001 * (t % 9)) });
    expect(set.frames).toHaveLength(1);
  });
});

describe('scene embeddings', () => {
  it('are dense for 12 s and sparse for 2 min before, never more than 24', () => {
    const scenes = new SceneMemory();
    for (let t = 0; t < 600; t++) scenes.add({ t, embedding: Float32Array.of(1) });
    const times = scenes.view().map(({ t }) => t);
    expect(times.length).toBeLessThanOrEqual(24);
    expect(times.slice(-12)).toEqual(Array.from({ length: 12 }, (_, i) => 588 + i));
    const sparse = times.slice(0, -12);
    expect(sparse.every((t, i) => i === 0 || t - (sparse[i - 1] ?? 0) >= 10)).toBe(true);
    expect(times[0]).toBeGreaterThan(599 - 140);
  });
});

describe('a bounded log', () => {
  it('drops and counts the oldest, and saves only changed pieces', () => {
    const log = new BoundedLog<{ n: number }>(() => 10, 2000);
    const ledger = new PieceLedger();
    const store = new Map<string, unknown>();
    for (let n = 0; n < 1000; n++) {
      log.add({ n });
      if (n % 7 !== 0) continue;
      log.savePieces('log', ledger);
      const { put, removed } = ledger.take();
      expect(Object.keys(put).length).toBeLessThanOrEqual(3);
      for (const [name, piece] of Object.entries(put)) store.set(name, structuredClone(piece));
      for (const name of removed) store.delete(name);
    }
    expect(log.length).toBe(200);
    expect(log.dropped).toBe(800);
    log.savePieces('log', ledger);
    for (const [name, piece] of Object.entries(ledger.take().put)) store.set(name, piece);
    const head = store.get('log') as { start: number; dropped: number; merged: number };
    const blocks = [...store].filter(([name]) => name !== 'log').map(([, piece]) => piece);
    const copy = new BoundedLog<{ n: number }>(() => 10, 2000);
    copy.restore(head, blocks as { from: number; records: { n: number }[] }[]);
    expect(copy.all()).toEqual(log.all());
    expect(copy.dropped).toBe(800);
  });
});

/** Unit vectors of a random walk. */
function wander(n: number, size: number, random: () => number): Float32Array[] {
  let at = Float32Array.from({ length: size }, () => random() - 0.5);
  return Array.from({ length: n }, () => {
    at = at.map((value) => value + 0.25 * (random() - 0.5));
    const norm = Math.hypot(...at);
    return at.map((value) => value / norm);
  });
}

function coveringRadius(appearances: readonly Float32Array[], centres: readonly Float32Array[]): number {
  return Math.max(
    ...appearances.map((appearance) => Math.min(...centres.map((centre) => 1 - cosine(appearance, centre)))),
  );
}

/** Gonzalez 1985: within twice the best radius (of a metric). */
function farthestFirst(appearances: readonly Float32Array[], k: number): Float32Array[] {
  const centres = appearances.slice(0, 1);
  while (centres.length < k) {
    const far = appearances.map((appearance) =>
      Math.min(...centres.map((centre) => 1 - cosine(appearance, centre))),
    );
    centres.push(appearances[far.indexOf(Math.max(...far))] as Float32Array);
  }
  return centres;
}
