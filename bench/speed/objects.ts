import { ReasonerModels } from '../../src/service/reasoner-models.js';
import type { Detection, Percept } from '../../src/core/percept.js';
import { ObjectMemory } from '../../src/memory/object-memory.js';
import { Tracker } from '../../src/memory/tracking/tracker.js';
import { createReasoner } from '../../src/reasoner/create-reasoner.js';
import { positive, reasonerMode, type Bench } from '../support/bench.js';
import { table } from '../support/results.js';
import { fitLine, quantile } from '../support/statistics.js';

const FPS = 10;
const [WIDTH_PX, HEIGHT_PX] = [1920, 1080];
/** Noise of a detector, as a share of the box's height. */
const NOISE = 0.02;
/** Share of the sights that the detector misses. */
const MISSED = 0.05;
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
  for (let index = 0; index < (WARM_UP_S + seconds) * FPS; index += 1) {
    const percept = crowd.percept(index);
    const startMs = performance.now();
    const update = memory.update(percept);
    const midMs = performance.now();
    reasoner?.step(update);
    const endMs = performance.now();
    await reasoner?.settle();
    if (index < WARM_UP_S * FPS) continue;
    cost.memoryMs.push(midMs - startMs);
    cost.reasonerMs.push(endMs - midMs);
    if (index % FPS === 0) cost.answerMs.push(performance.now() - endMs);
  }
  return cost;
}

interface Walker {
  x: number;
  y: number;
  vx: number;
  vy: number;
  readonly height: number;
}

/** People who walk straight and turn around at the edges of the picture, seen by a detector that errs a little. */
class Crowd {
  readonly #random = randomFrom(1);
  readonly #walkers: readonly Walker[];

  constructor(count: number) {
    const random = this.#random;
    this.#walkers = Array.from({ length: count }, () => {
      const [speed, heading] = [0.3 + random(), 2 * Math.PI * random()];
      const height = 60 + 60 * random();
      return {
        ...{ x: 100 + random() * (WIDTH_PX - 200), y: 150 + random() * (HEIGHT_PX - 300), height },
        ...{ vx: speed * height * Math.cos(heading), vy: speed * height * Math.sin(heading) },
      };
    });
  }

  percept(index: number): Percept {
    const detections: Detection[] = [];
    for (const walker of this.#walkers) {
      this.#walk(walker);
      if (this.#random() >= MISSED) detections.push(this.#see(walker));
    }
    const size = { width: WIDTH_PX, height: HEIGHT_PX };
    return { index, t: index / FPS, receivedAtMs: 0, ...size, detections, inferenceMs: 0 };
  }

  #walk(walker: Walker): void {
    walker.x += walker.vx / FPS;
    walker.y += walker.vy / FPS;
    if (walker.x < 60 || walker.x > WIDTH_PX - 60) walker.vx = Math.abs(walker.vx) * (walker.x < 60 ? 1 : -1);
    if (walker.y < 130 || walker.y > HEIGHT_PX - 10)
      walker.vy = Math.abs(walker.vy) * (walker.y < 130 ? 1 : -1);
  }

  #see({ x, y, height }: Walker): Detection {
    const noise = (): number => (this.#random() + this.#random() - 1) * 2 * NOISE * height;
    const width = 0.4 * height + noise();
    const [left, top] = [x - width / 2 + noise(), y - height + noise()];
    return {
      label: 'person',
      score: 0.5 + 0.4 * this.#random(),
      box: [left / WIDTH_PX, top / HEIGHT_PX, width / WIDTH_PX, (height + noise()) / HEIGHT_PX],
    };
  }
}

/** Mulberry32: the same numbers in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
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
    `${seconds} s at ${FPS} frames/s for each count after ${WARM_UP_S} s of warm-up; walkers in 1920 × 1080 with ${NOISE * 100} % of their height as noise and ${MISSED * 100} % of sights missed.`,
    `Memory: tracker, samples, event rules, histories. Reasoner (${mode}): on the main thread, explanations by rules, the standard forecast once a second (the 99th percentile), resolutions. Answer: what the learned models then take beside it until the forecast is told; they see 48 objects at most.`,
    '',
    table(
      ['objects', 'memory, ms', 'reasoner, ms', 'both, mean ms', 'p50', 'p99', 'µs per object', 'answer, ms'],
      rows,
    ),
  ].join('\n');
}
