import { describe, expect, it } from 'vitest';
import type { Percept } from '../../../src/core/stages.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import type { MemoryTrack } from '../../../src/memory/object-tracker.js';
import { perceptAt } from '../../support/tracks.js';

const [WIDTH, HEIGHT, FPS, HOUR_S] = [960, 540, 10, 3600];
/** Objects come every two seconds and stay for 22 s; one stays for ever. */
const [COME_S, STAY_S] = [2, 22];

/** A street without end: 11 objects at a time that cross the view, jittering, and one that stands there. */
class Street {
  update({ t }: Percept): MemoryTrack[] {
    const newest = Math.floor(t / COME_S);
    const tracks = [this.#track(0, t, 480, 300)];
    for (let n = Math.max(1, newest - STAY_S / COME_S); n <= newest; n++) {
      const along = (t - n * COME_S) / STAY_S;
      if (along > 1) continue;
      const forth = n % 2 === 0 ? along : 1 - along;
      tracks.push(this.#track(n, t, 20 + 900 * forth, 200 + 37 * (n % 8)));
    }
    return tracks;
  }

  interrupt(): void {
    // Nothing is remembered.
  }

  #track(n: number, t: number, x: number, y: number): MemoryTrack {
    const jitter = Math.sin(t * 7.1 + n);
    const box = [x + jitter, y - 80 - jitter, 30, 80 + jitter] as const;
    return {
      id: `o${n + 1}`,
      label: 'person',
      score: 0.8,
      box,
      velocity: [0, 0],
      firstSeen: n * COME_S,
      lastSeen: t,
      seen: true,
    };
  }
}

describe('an hour of a street', () => {
  it('stays within the bounds of memory', { timeout: 180_000 }, () => {
    const memory = new ObjectMemory(new Street());
    let most: Record<string, number> = {};
    for (let i = 0; i <= HOUR_S * FPS; i++) {
      memory.update(perceptAt(i / FPS, WIDTH, HEIGHT, i));
      if (i % 500 === 0) {
        const dump = memory.dump();
        most = Object.fromEntries(Object.entries(dump).map(([key, n]) => [key, Math.max(n, most[key] ?? 0)]));
      }
    }
    expect(most['objects']).toBeLessThanOrEqual(13 + 2);
    expect(most['parts']).toBeLessThanOrEqual(18);
    expect(most['pairs']).toBeLessThanOrEqual((18 * 17) / 2);
    expect(most['samples']).toBeLessThanOrEqual(15 * 108);
    expect(most['trailPoints']).toBeLessThanOrEqual(960 + 14 * 240);
    expect(most['departed']).toBeLessThanOrEqual(100);
    expect(most['departedSamples']).toBeLessThanOrEqual(100 * 108);
    expect(most['events']).toBeLessThanOrEqual(500);
  });
});
