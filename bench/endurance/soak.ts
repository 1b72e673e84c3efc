import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { sampleVideo } from '../../src/service/version.js';
import { positive, type Bench } from '../support/bench.js';
import { ServingProcess } from '../support/presage-process.js';
import { table } from '../support/results.js';
import { fitLine, median } from '../support/statistics.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const SAMPLE_EVERY_MS = 10_000;
/** Growth below this counts as flat, MB/min: about what ten minutes can tell from the noise of garbage collection. */
const FLAT_MB_PER_MIN = 1;
const MB = 1_000_000;

/** Names in `/metrics`. */
const MEMORY = {
  RSS: 'process_resident_memory_bytes',
  'heap used': 'nodejs_heap_size_used_bytes',
  external: 'nodejs_external_memory_bytes',
} as const;
const FRAMES = 'presage_frames_processed_total';
const DROPPED = 'presage_frames_dropped_total';

interface Sample {
  readonly minutes: number;
  /** By name of a metric, summed over labels. */
  readonly values: ReadonlyMap<string, number>;
}

/** Memory of `presage watch --loop` with one WebSocket client, over minutes. */
export const soak: Bench = {
  options: { minutes: '10', video: sampleVideo },
  async run(options) {
    const minutes = positive(options, 'minutes');
    await using folder = await TemporaryFolder.make();
    await using watch = await ServingProcess.start('watch', [
      options['video'] ?? sampleVideo,
      '--loop',
      '--data',
      folder.path,
    ]);
    const client = new WebSocket(`${watch.url.replace(/^http/, 'ws')}/v1/streams/cam1/events?from=oldest`);
    let received = 0;
    client.on('message', () => (received += 1));
    client.on('error', (error) => process.stderr.write(`client: ${error.message}\n`));
    const samples = await sampleFor(watch, minutes);
    client.terminate();
    return report(samples, received);
  },
};

async function sampleFor(watch: ServingProcess, minutes: number): Promise<Sample[]> {
  const startMs = performance.now();
  const samples: Sample[] = [];
  for (let n = 0; performance.now() - startMs < minutes * 60_000; n += 1) {
    await delay(Math.max(0, startMs + n * SAMPLE_EVERY_MS - performance.now()));
    if (!watch.running) throw new Error('watch ended by itself');
    const values = await watch.metrics();
    samples.push({ minutes: (performance.now() - startMs) / 60_000, values });
  }
  return samples;
}

function report(samples: readonly Sample[], received: number): string {
  const last = samples.at(-1);
  const minutes = last?.minutes ?? 0;
  const half = samples.filter((sample) => sample.minutes >= minutes / 2);
  const rows = Object.entries(MEMORY).map(([name, metric]) => {
    const at = (sample: Sample): number => (sample.values.get(metric) ?? NaN) / MB;
    const { slope, error } = fitLine(half.map((sample) => [sample.minutes, at(sample)]));
    const first = samples.slice(1, 7).map(at);
    return [
      name,
      ...[median(first), median(half.map(at)), Math.max(...samples.map(at))].map((mb) => mb.toFixed(1)),
      `${slope.toFixed(2)} ± ${error.toFixed(2)}`,
      judge(slope, error),
    ];
  });
  const count = (metric: string): number => last?.values.get(metric) ?? 0;
  return [
    `${minutes.toFixed(1)} minutes, ${count(FRAMES)} frames processed, ${count(DROPPED)} dropped, ${received} messages to one WebSocket`,
    `client, ${samples.length} samples. Slope: least squares over the last half, ± standard error; flat: surely (two standard errors) less than ${FLAT_MB_PER_MIN} MB/min.`,
    '',
    table(['MB', 'median of minute 1', 'median of the last half', 'most', 'slope, MB/min', 'flat'], rows),
  ].join('\n');
}

function judge(slope: number, error: number): string {
  if (slope + 2 * error < FLAT_MB_PER_MIN) return 'yes';
  return slope - 2 * error > FLAT_MB_PER_MIN ? '**no**' : 'cannot be told';
}
