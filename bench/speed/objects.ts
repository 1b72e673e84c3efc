import { ReasonerModels } from '../../src/service/reasoner-models.js';
import { ObjectMemory } from '../../src/memory/object-memory.js';
import { Tracker } from '../../src/memory/tracking/tracker.js';
import { createReasoner } from '../../src/reasoner/create-reasoner.js';
import { positive, reasonerMode, type Bench } from '../support/bench.js';
import { Crowd, CROWD_FPS, MISSED, NOISE } from '../support/crowd.js';
import { table } from '../support/results.js';
import { fitLine, quantile } from '../support/statistics.js';

const WARM_UP_S = 6;

interface Cost {
  readonly count: number;
  /** ms per frame, by part. */
  readonly memoryMs: number[];
  readonly reasonerMs: number[];
  /** From the question to the learned models until all that follows was told, ms, where there was one. */
  readonly answerMs: number[];
}

/** What tracker, memory and reasoner cost per frame as the objects in view grow, on simulated percepts. */
export const objects: Bench = {
  options: { counts: '1,2,5,10,25,50,100,150,200', seconds: '20', reasoner: 'forecaster' },
  async run(options) {
    await using models = await ReasonerModels.open({ mode: reasonerMode(options['reasoner']) });
    const seconds = positive(options, 'seconds');
    const counts = (options['counts'] ?? '').split(',').map(Number);
    const costs: Cost[] = [];
    for (const count of counts) {
      const cost = await measure(count, seconds, models);
      process.stderr.write(`${count} objects: ${quantile(total(cost), 0.5).toFixed(2)} ms\n`);
      costs.push(cost);
    }
    return report(costs, seconds, models.mode);
  },
};

async function measure(count: number, seconds: number, models: ReasonerModels): Promise<Cost> {
  const memory = new ObjectMemory(new Tracker(), { places: { zones: {}, lines: {} } });
  await using reasoner = createReasoner(models.mode, models.depsFor('lossless'));
  const crowd = new Crowd(count);
  const cost: Cost = { count, memoryMs: [], reasonerMs: [], answerMs: [] };
  for (let index = 0; index < (WARM_UP_S + seconds) * CROWD_FPS; index += 1) {
    const percept = crowd.percept(index);
    const startMs = performance.now();
    const update = memory.update(percept);
    const midMs = performance.now();
    reasoner?.step(update);
    const endMs = performance.now();
    await reasoner?.settle();
    if (index < WARM_UP_S * CROWD_FPS) continue;
    cost.memoryMs.push(midMs - startMs);
    cost.reasonerMs.push(endMs - midMs);
    if (index % CROWD_FPS === 0) cost.answerMs.push(performance.now() - endMs);
  }
  return cost;
}

function total({ memoryMs, reasonerMs }: Cost): number[] {
  return memoryMs.map((ms, n) => ms + (reasonerMs[n] ?? 0));
}

function report(costs: readonly Cost[], seconds: number, mode: string): string {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = costs.map((cost) => [
    String(cost.count),
    mean(cost.memoryMs).toFixed(2),
    mean(cost.reasonerMs).toFixed(2),
    mean(total(cost)).toFixed(2),
    quantile(total(cost), 0.5).toFixed(2),
    quantile(total(cost), 0.99).toFixed(2),
    ((mean(total(cost)) * 1000) / cost.count).toFixed(0),
    quantile(cost.answerMs, 0.5).toFixed(1),
  ]);
  const large = costs.filter(({ count }) => count >= 25);
  const { slope, error } = fitLine(large.map((cost) => [Math.log(cost.count), Math.log(mean(total(cost)))]));
  return [
    `Cost grows as (objects)^**${slope.toFixed(2)}** ± ${error.toFixed(2)} from 25 objects on (least squares in logarithms).`,
    `${seconds} s at ${CROWD_FPS} frames/s for each count after ${WARM_UP_S} s of warm-up; walkers in 1920 × 1080 with ${NOISE * 100} % of their height as noise and ${MISSED * 100} % of sights missed.`,
    `Memory: tracker, samples, event rules, histories. Reasoner (${mode}): on the main thread, explanations by rules, the standard forecast once a second (the 99th percentile), resolutions. Answer: what the learned models then take beside it until the forecast is told; they see 48 objects at most.`,
    '',
    table(
      ['objects', 'memory, ms', 'reasoner, ms', 'both, mean ms', 'p50', 'p99', 'µs per object', 'answer, ms'],
      rows,
    ),
  ].join('\n');
}
