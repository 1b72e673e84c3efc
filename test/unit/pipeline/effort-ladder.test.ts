import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.js';
import { EffortLadder, type LadderStep } from '../../../src/pipeline/effort-ladder.js';

const BUDGET_MS = 200;
const FPS = 10;

let clock: VirtualClock;
let ladder: EffortLadder;
beforeEach(() => {
  clock = new VirtualClock();
  ladder = new EffortLadder({ clock, budgetMs: BUDGET_MS });
});

/** Seconds of a stream whose frames take so long, of which some are skipped each second. */
function run(seconds: number, latencyMs: number, skippedPerSecond = 0): LadderStep[] {
  const steps: LadderStep[] = [];
  for (let frame = 1; frame <= seconds * FPS; frame += 1) {
    clock.advance(1000 / FPS);
    if ((frame - 1) % FPS < skippedPerSecond) ladder.skipped();
    ladder.processed(latencyMs);
    const step = ladder.assess();
    if (step) steps.push(step);
  }
  return steps;
}

const stages = (steps: readonly LadderStep[]): string[] => steps.map(({ rung }) => rung.stage);

describe('under load', () => {
  it('sheds frames first, then masks, then embeddings, one rung at a time', () => {
    const steps = run(60, BUDGET_MS * 2);
    expect(stages(steps)).toEqual([
      'detect-every-2',
      'detect-every-3',
      'detect-every-4',
      'no-masks',
      'no-embeddings',
    ]);
    expect(steps.map(({ rung }) => rung.effort)).toEqual([
      { detectEvery: 2, masks: true, embeddings: true },
      { detectEvery: 3, masks: true, embeddings: true },
      { detectEvery: 4, masks: true, embeddings: true },
      { detectEvery: 4, masks: false, embeddings: true },
      { detectEvery: 4, masks: false, embeddings: false },
    ]);
    expect(steps.map(({ level, direction }) => [level, direction])).toEqual(
      [1, 2, 3, 4, 5].map((level) => [level, 'down']),
    );
  });

  it('tells with each step what was measured', () => {
    const [step] = run(2, 300, 3);
    expect(step?.window).toEqual({ processed: 10, skipped: 3, p95Ms: 300, processedFps: 10 });
  });

  it('takes skipped frames for load, though those that were processed were quick', () => {
    expect(stages(run(2, 10, 1))).toEqual(['detect-every-2']);
  });

  it('forgives one bad second', () => {
    expect(run(1, BUDGET_MS * 5)).toEqual([]);
    expect(run(1, 10)).toEqual([]);
    expect(run(1, BUDGET_MS * 5)).toEqual([]);
  });

  it('begins at the cadence that was asked for', () => {
    ladder = new EffortLadder({ clock, budgetMs: BUDGET_MS, detectEvery: 3 });
    expect(ladder.rung).toEqual({ stage: 'full', effort: { detectEvery: 3, masks: true, embeddings: true } });
    expect(stages(run(2, 500))).toEqual(['detect-every-4']);
  });
});

describe('when the load has gone', () => {
  it('climbs back to full effort, one rung after each five calm seconds', () => {
    run(60, BUDGET_MS * 2);
    const steps = run(25, 20);
    expect(stages(steps)).toEqual(['no-masks', 'detect-every-4', 'detect-every-3', 'detect-every-2', 'full']);
    expect(steps.every(({ direction }) => direction === 'up')).toBe(true);
    expect(run(60, 20)).toEqual([]);
  });

  it('stays where it is when there is neither load nor room', () => {
    run(4, BUDGET_MS * 2);
    expect(ladder.level).toBe(2);
    expect(run(120, BUDGET_MS * 0.8)).toEqual([]);
  });

  it('waits twice as long after each rise that proved too much', () => {
    /** Frames are late whenever the detector looks at more than every second one. */
    const times: number[] = [];
    run(2, BUDGET_MS * 2);
    for (let second = 1; second <= 120; second += 1) {
      const [step] = run(1, ladder.level === 0 ? BUDGET_MS * 2 : 20);
      if (step?.direction === 'up') times.push(second);
    }
    const waits = times.map((time, n) => time - (times[n - 1] ?? 0));
    // Five calm seconds, then two late ones and ten calm ones, and so on.
    expect(waits).toEqual([5, 12, 22, 42]);
  });

  it('trusts a rise that has held, and needs only the first calm for the next', () => {
    run(4, BUDGET_MS * 2);
    run(5, 20);
    run(2, BUDGET_MS * 2);
    expect(run(9, 20)).toEqual([]);
    expect(stages(run(1, 20))).toEqual(['detect-every-2']);
    run(20, BUDGET_MS * 0.8);
    run(5, 20);
    expect(ladder.level).toBe(0);
    run(2, BUDGET_MS * 2);
    expect(ladder.level).toBe(1);
  });
});

it('judges nothing while no frame has come', () => {
  run(2, BUDGET_MS * 2);
  clock.advance(60_000);
  ladder.processed(20);
  expect(ladder.assess()).toBeUndefined();
  expect(ladder.level).toBe(1);
});
