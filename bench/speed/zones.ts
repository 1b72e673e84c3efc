import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReasonerModels } from '../../src/service/reasoner-models.js';
import type { Point } from '../../src/core/maths/box.js';
import type { Places } from '../../src/core/memory.js';
import { ObjectMemory } from '../../src/memory/object-memory.js';
import { Tracker } from '../../src/memory/tracking/tracker.js';
import { createReasoner } from '../../src/reasoner/create-reasoner.js';
import { positive, reasonerMode, type Bench } from '../support/bench.js';
import { Crowd, CROWD_FPS, randomFrom } from '../support/crowd.js';
import { table } from '../support/results.js';
import { quantile } from '../support/statistics.js';

/** Objects have a history and items of each kind are due after this. */
const WARM_UP_S = 4;
/** Period of the event-loop probe, ms: a block of the loop counts once, however long it is. */
const PROBE_MS = 1;

interface Layout {
  readonly zones: number;
  readonly corners: number;
}

interface Cost extends Layout {
  /** ms per percept without forecast, memory and reasoner. */
  readonly perceptMs: number[];
  /** ms per percept with which a forecast is stated. */
  readonly forecastMs: number[];
  /** Event-loop delay beyond the probe's period, ms. */
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
}

/** Forecast time and event-loop lag of one paced stream as zones and corners grow, on simulated percepts. */
export const zones: Bench = {
  options: {
    layouts: '0x0,3x4,16x16,64x64,64x256',
    objects: '50',
    seconds: '20',
    reasoner: 'rules',
    spread: 'overlapping',
  },
  async run(options) {
    await using models = await ReasonerModels.open({ mode: reasonerMode(options['reasoner']) });
    const [seconds, count] = [positive(options, 'seconds'), positive(options, 'objects')];
    const overlapping = options['spread'] !== 'apart';
    const costs: Cost[] = [];
    for (const layout of (options['layouts'] ?? '').split(',').map(parseLayout)) {
      const cost = await measure(layout, count, seconds, overlapping, models);
      process.stderr.write(`${layout.zones} x ${layout.corners}: lag p99 ${cost.lagP99Ms.toFixed(1)} ms\n`);
      costs.push(cost);
    }
    return report(costs, { count, seconds, overlapping, mode: models.mode });
  },
};

function parseLayout(text: string): Layout {
  const [zones = 0, corners = 0] = text.split('x').map(Number);
  return { zones, corners };
}

async function measure(
  layout: Layout,
  count: number,
  seconds: number,
  overlapping: boolean,
  models: ReasonerModels,
): Promise<Cost> {
  const memory = new ObjectMemory(new Tracker(), { places: placesOf(layout, overlapping) });
  await using reasoner = createReasoner(models.mode, models.depsFor('live'));
  const crowd = new Crowd(count);
  const [perceptMs, forecastMs]: [number[], number[]] = [[], []];
  const lag = monitorEventLoopDelay({ resolution: PROBE_MS });
  const startMs = performance.now();
  for (let index = 0; index < (WARM_UP_S + seconds) * CROWD_FPS; index += 1) {
    await sleep(Math.max(0, startMs + (index * 1000) / CROWD_FPS - performance.now()));
    if (index === WARM_UP_S * CROWD_FPS) lag.enable();
    const percept = crowd.percept(index);
    const beganMs = performance.now();
    reasoner?.step(memory.update(percept));
    const ms = performance.now() - beganMs;
    if (index >= WARM_UP_S * CROWD_FPS) (index % CROWD_FPS === 0 ? forecastMs : perceptMs).push(ms);
  }
  lag.disable();
  const beyond = (ns: number): number => Math.max(ns / 1e6 - PROBE_MS, 0);
  return {
    ...layout,
    ...{ perceptMs, forecastMs },
    lagP50Ms: beyond(lag.percentile(50)),
    lagP99Ms: beyond(lag.percentile(99)),
    lagMaxMs: beyond(lag.max),
  };
}

/** Stars about points of a grid, or large ones about the middle, all of which overlap: the worst case. */
function placesOf({ zones: count, corners }: Layout, overlapping: boolean): Places {
  const random = randomFrom(2);
  const columns = Math.ceil(Math.sqrt(count));
  const star = (index: number): Point[] => {
    const cell = 1 / columns;
    const [cx, cy] = overlapping
      ? [0.4 + 0.2 * random(), 0.4 + 0.2 * random()]
      : [((index % columns) + 0.5) * cell, (Math.floor(index / columns) + 0.5) * cell];
    const radius = overlapping ? 0.4 : cell / 2;
    return Array.from({ length: corners }, (_, i): Point => {
      const r = radius * (0.5 + 0.5 * random());
      const angle = (2 * Math.PI * i) / corners;
      return [cx + r * Math.cos(angle), cy + r * Math.sin(angle)];
    });
  };
  const named = Array.from({ length: count }, (_, i): [string, Point[]] => [`zone-${i}`, star(i)]);
  return { zones: Object.fromEntries(named), lines: {} };
}

function report(
  costs: readonly Cost[],
  about: { count: number; seconds: number; overlapping: boolean; mode: string },
): string {
  const rows = costs.map((cost) => [
    `${cost.zones} × ${cost.corners}`,
    quantile(cost.perceptMs, 0.5).toFixed(2),
    quantile(cost.forecastMs, 0.5).toFixed(1),
    Math.max(...cost.forecastMs).toFixed(1),
    cost.lagP50Ms.toFixed(1),
    cost.lagP99Ms.toFixed(1),
    cost.lagMaxMs.toFixed(1),
  ]);
  return [
    `${about.count} objects, ${about.seconds} s at ${CROWD_FPS} percepts/s in real time after ${WARM_UP_S} s of warm-up, reasoner ${about.mode}; zones ${about.overlapping ? 'overlap in the middle of the picture' : 'lie side by side'}.`,
    `Percept: memory and reasoner without a forecast. Forecast: with the standard forecast, once a second. Lag: event-loop delay of the whole run, sampled every ${PROBE_MS} ms.`,
    '',
    table(
      [
        'zones × corners',
        'percept p50, ms',
        'forecast p50, ms',
        'forecast max, ms',
        'lag p50, ms',
        'lag p99, ms',
        'lag max, ms',
      ],
      rows,
    ),
  ].join('\n');
}
