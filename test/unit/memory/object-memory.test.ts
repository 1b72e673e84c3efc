import { describe, expect, it } from 'vitest';
import type { MemoryUpdate } from '../../../src/core/memory.js';
import type { Percept } from '../../../src/core/percept.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import type { MemoryTrack } from '../../../src/memory/object-tracker.js';
import { expand, perceptAt, perceptsOf, TrueTracker, type KnotTrack } from '../../support/tracks.js';

const FRAME = { width: 1000, height: 600, fps: 10 };

function walker(id: string, from: number, until: number, speed = 60): KnotTrack {
  const [x, end] = [300, 300 + speed * (until - from)];
  return {
    id,
    label: 'person',
    knots: [
      [from, x, 400, 40, 100],
      [until, end, 400, 40, 100],
    ],
  };
}

function run(tracks: KnotTrack[], end: number): { memory: ObjectMemory; updates: MemoryUpdate[] } {
  const script = { ...FRAME, end, tracks };
  const memory = new ObjectMemory(new TrueTracker(expand(script)));
  return { memory, updates: perceptsOf(script).map((percept) => memory.update(percept)) };
}

describe('a snapshot', () => {
  it('contains the last ten seconds at 10 Hz up to now, and the time before as a trail', () => {
    const { updates } = run([walker('o1', 0, 30, 5)], 30);
    const { objects } = updates[300]!.snapshot;
    const { samples, trail, box, velocity } = objects[0]!;
    expect(samples.map(({ t }) => t)).toEqual(Array.from({ length: 101 }, (_, i) => 20 + i / 10));
    expect(trail.map(({ t }) => t)).toEqual(Array.from({ length: 40 }, (_, i) => i / 2));
    expect(samples[100]!.velocity![0]).toBeCloseTo(5, 0);
    expect(box[0]).toBeCloseTo(0.43, 3);
    expect(velocity).toEqual([0, 0]);
  });

  it('does not change when the memory goes on', () => {
    const { updates } = run([walker('o1', 0, 8), walker('o2', 2, 5)], 12);
    const again = run([walker('o1', 0, 8), walker('o2', 2, 5)], 4);
    expect(updates[40]!.snapshot.objects).toEqual(again.updates[40]!.snapshot.objects);
    expect(updates[40]!.snapshot.events).toEqual(again.updates[40]!.snapshot.events);
    expect(updates[40]!.snapshot.places.exposureS).toBe(again.updates[40]!.snapshot.places.exposureS);
  });

  it('shares unchanged parts', () => {
    const { updates } = run([walker('o1', 0, 8)], 12);
    expect(updates[100]!.snapshot.events).toBe(updates[101]!.snapshot.events);
    expect(updates[100]!.snapshot.departed).toBe(updates[101]!.snapshot.departed);
  });

  it('states which objects move and which stand', () => {
    const track = { ...walker('o1', 0, 4), unseen: [[3.05, 3.45]] as const };
    const stands = { ...walker('o2', 0, 4, 0) };
    const { updates } = run([track, stands], 4);
    const states = (i: number): string[] => updates[i]!.snapshot.objects.map(({ state }) => state);
    expect(states(20)).toEqual(['moving', 'standing']);
  });

  it('orders objects by number and keeps the departed for a while', () => {
    const tracks = ['o2', 'o10', 'o1'].map((id) => walker(id, 0, 3));
    const { updates } = run(tracks, 320);
    expect(updates[20]!.snapshot.objects.map(({ id }) => id)).toEqual(['o1', 'o2', 'o10']);
    expect(updates[45]!.snapshot.objects).toEqual([]);
    expect(updates[45]!.snapshot.departed.map(({ id, state }) => [id, state])).toContainEqual([
      'o2',
      'hidden',
    ]);
    expect(updates[3200]!.snapshot.departed).toEqual([]);
  });
});

describe('an object', () => {
  it('that the tracker confirms late has samples from its first observation on', () => {
    const track = (t: number, more: Partial<MemoryTrack>): MemoryTrack => ({
      id: 'o1',
      label: 'person',
      score: 0.8,
      box: [480, 300, 40, 100],
      velocity: [0, 0],
      firstSeen: 0.1,
      lastSeen: t,
      seen: true,
      ...more,
    });
    const given: MemoryTrack[][] = [
      [],
      [],
      [],
      [track(0.3, { backlog: [0.1, 0.2].map((t) => ({ t, box: [480, 300, 40, 100] as const })) })],
    ];
    const memory = new ObjectMemory({
      update: ({ index, t }: Percept) => given[index] ?? [track(t, {})],
      interrupt: () => undefined,
    });
    const updates = Array.from({ length: 10 }, (_, i) => memory.update(perceptAt(i / 10, 1000, 600, i)));
    expect(updates[3]!.snapshot.objects[0]!.samples.map(({ t }) => t)).toEqual([0.1, 0.2, 0.3]);
    expect(updates.flatMap(({ events }) => events)).toMatchObject([
      { event: { type: 'appear', t: 0.1, confidence: expect.closeTo(0.8) as number } },
    ]);
  });

  it('that comes back within the memory of the tracker keeps its history', () => {
    const away = { ...walker('o1', 0, 20, 0), unseen: [[6.05, 14.95]] as const };
    const { updates } = run([away], 20);
    const back = updates[200]!.snapshot;
    expect(back.departed).toEqual([]);
    expect(back.objects[0]!.firstSeen).toBe(0);
    expect(back.objects[0]!.trail[0]!.t).toBe(0);
    expect(back.objects[0]!.samples[0]!.t).toBe(15);
    expect(back.events.map(({ event }) => event.type)).toEqual(['appear', 'disappear', 'appear']);
  });
});

describe('an interruption', () => {
  it('removes objects in view without an event and keeps the memory', () => {
    const script = { ...FRAME, end: 20, tracks: [walker('o1', 0, 20, 0), walker('o2', 0, 4.5, 40)] };
    const memory = new ObjectMemory(new TrueTracker(expand(script)));
    const events: string[] = [];
    for (const percept of perceptsOf(script)) {
      if (percept.t > 5 && percept.t < 10) continue;
      if (percept.t === 10) memory.interrupt(10);
      const update = memory.update(percept);
      events.push(...update.events.map(({ event }) => `${event.type} ${event.participants[0]!.id}`));
      if (percept.t === 10) expect(update.snapshot.departed.map(({ id }) => id)).toEqual(['o2']);
      if (percept.t === 10) expect(update.snapshot.places.exposureS).toBeGreaterThan(9);
    }
    expect(events).not.toContain('disappear o1');
    expect(events).not.toContain('disappear o2');
    expect(events.filter((event) => event === 'appear o1')).toHaveLength(2);
  });
});

describe('options', () => {
  it('are checked', () => {
    expect(() => new ObjectMemory(new TrueTracker([]), { loiterS: 0 })).toThrow(/loiterS/);
    expect(
      () => new ObjectMemory(new TrueTracker([]), { places: { zones: { z: [[0, 0]] }, lines: {} } }),
    ).toThrow(/zones/);
  });
});
