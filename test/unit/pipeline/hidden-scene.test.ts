import { describe, expect, it } from 'vitest';
import type { SceneCondition } from '../../../src/core/percept.js';
import { ObjectMemory } from '../../../src/memory/object-memory.js';
import { Tracker } from '../../../src/memory/tracking/tracker.js';
import { pipelineWorld } from '../../support/pipeline-world.js';

const OVERLOADED = 'degraded: perception is slower than the stream: frames are skipped';

/** A camera whose picture shows what `look` was last told. */
function camera(costMs = 10, latencyBudgetMs?: number) {
  let scene: SceneCondition = 'clear';
  const interrupted: number[] = [];
  const memory = new ObjectMemory(new Tracker(), {});
  const interrupt = memory.interrupt.bind(memory);
  memory.interrupt = (t) => {
    interrupted.push(t);
    interrupt(t);
  };
  const world = pipelineWorld(
    { memory, latencyBudgetMs },
    () => costMs,
    () => scene,
  );
  return { ...world, interrupted, look: (at: SceneCondition) => (scene = at) };
}

describe('a stream whose picture does not show its scene', () => {
  it('is degraded while it is covered, told once, and live again afterwards', async () => {
    const { film, end, look, states, interrupted } = camera();
    await film(3);
    look('covered');
    await film(5);
    look('clear');
    await film(3);
    expect(states()).toEqual(['live', 'degraded: covered', 'live']);
    expect(interrupted).toEqual([0.2]);
    await end();
  });

  it('is degraded at each cut, and live with the first picture of the new scene', async () => {
    const { film, end, look, states, interrupted } = camera();
    await film(2);
    for (let cut = 0; cut < 2; cut += 1) {
      look('changed');
      await film(1);
    }
    look('clear');
    await film(3);
    expect(states()).toEqual(['live', 'degraded: scene-changed', 'degraded: scene-changed', 'live']);
    expect(interrupted).toEqual([0.1, 0.2]);
    await end();
  });

  it('is not told to be live by the load, and is overloaded still when the scene is back', async () => {
    const { film, end, look, states, loads } = camera();
    look('covered');
    await film(60, 4);
    expect(loads()).toHaveLength(1);
    look('clear');
    await film(1, 4);
    expect(states()).toEqual(['live', 'degraded: covered', 'degraded: covered', OVERLOADED]);
    await film(120);
    expect(states().slice(4)).toEqual(['live']);
    await end();
  });

  it('is not told to be live when the load ends while it is covered', async () => {
    const { film, end, look, states } = camera();
    await film(60, 4);
    look('covered');
    await film(120);
    expect(states()).toEqual(['live', OVERLOADED, 'degraded: covered', 'degraded: covered']);
    look('clear');
    await film(1);
    expect(states().at(-1)).toBe('live');
    await end();
  });

  it('stays degraded through every step of the effort', async () => {
    const { film, end, look, states, steps } = camera(150, 100);
    look('covered');
    await film(100);
    expect(steps.length).toBeGreaterThan(1);
    expect(states().slice(1)).toEqual([1, ...steps].map(() => 'degraded: covered'));
    await end();
  });

  it('is degraded still when the camera comes back to a covered scene', async () => {
    const { film, end, look, states, connect, disconnect } = camera();
    look('covered');
    await film(2);
    disconnect();
    connect();
    await film(2);
    look('clear');
    await film(2);
    expect(states()).toEqual([
      'live',
      'degraded: covered',
      'reconnecting: gone',
      'degraded: covered',
      'live',
    ]);
    await end();
  });

  it('is not live while the connection is lost, whatever the frames under way show', async () => {
    const { film, end, look, states, connect, disconnect } = camera();
    look('covered');
    await film(2);
    disconnect();
    look('clear');
    await film(2);
    expect(states()).toEqual(['live', 'degraded: covered', 'reconnecting: gone']);
    connect();
    expect(states().at(-1)).toBe('live');
    await end();
  });
});
