import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Places } from '../../../src/core/memory.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { eventLine, expand, perceptsOf, TrueTracker, type TrackScript } from '../../support/tracks.js';

/** Made by test/support/vectors/make-event-vectors.py with the reference implementation of the event definitions. */
const lines = readFileSync(new URL('./event-vectors.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const [places, ...cases] = lines.map((line) => JSON.parse(line) as unknown) as [
  Places,
  ...(Omit<TrackScript, 'fps'> & { events: Record<string, string[]> })[],
];

/** Types that the reference implementation lacks. */
const OURS = new Set(['pick_up', 'put_down', 'fall']);

function find(script: TrackScript): string[] {
  const memory = new ObjectMemory(new TrueTracker(expand(script)), { places, tracks: 'exact' });
  return perceptsOf(script)
    .flatMap((percept) => memory.update(percept).events)
    .filter(({ event }) => !OURS.has(event.type))
    .map(eventLine);
}

/** Events that must agree exactly: all but turns, which are reported when they have hardly grown for 0.3 s. */
function exact(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.startsWith('turn ')).sort();
}

interface Turn {
  readonly who: string;
  readonly t: number;
}

function turns(lines: readonly string[]): Turn[] {
  return lines
    .map((line) => line.split(' '))
    .filter(([type]) => type === 'turn')
    .map(([, who = '', t]) => ({ who, t: Number(t) }));
}

/** Number of `some` that have one of `others` of the same object within a second. */
function matched(some: readonly Turn[], others: readonly Turn[]): number {
  return some.filter(({ who, t }) => others.some((o) => o.who === who && Math.abs(o.t - t) <= 1)).length;
}

describe('the online event rules against the reference implementation', () => {
  const runs = cases.flatMap((script, n) =>
    Object.entries(script.events).map(([fps, expected]) => ({
      n,
      script: { ...script, fps: Number(fps) },
      expected,
    })),
  );

  it.each(runs)('find the same events in recording $n at $script.fps fps', ({ script, expected }) => {
    expect(exact(find(script))).toEqual(exact(expected));
  });

  it('find the same turns, except those that the end of the recording cuts short', () => {
    let [agreed, all] = [0, 0];
    for (const { script, expected } of runs) {
      const decided = ({ t }: Turn): boolean => t <= script.end - 2;
      const [ours, theirs] = [turns(find(script)), turns(expected)];
      agreed += matched(ours.filter(decided), theirs) + matched(theirs.filter(decided), ours);
      all += ours.filter(decided).length + theirs.filter(decided).length;
    }
    expect(all).toBeGreaterThan(300);
    expect(agreed / all).toBeGreaterThan(0.97);
  });
});
