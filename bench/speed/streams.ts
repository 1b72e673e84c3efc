import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { sampleVideo } from '../../src/service/version.js';
import { positive, type Bench } from '../support/bench.js';
import { hasOption, ServingProcess } from '../support/presage-process.js';
import { repeatVideo } from '../support/repeat-video.js';
import { table } from '../support/results.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

/** A stream is held when no more than this share of its frames is skipped … */
const MAX_SKIPPED_SHARE = 0.01;
/** … and this share of the others is within the latency budget. */
const IN_TIME_SHARE = 0.95;
/** Models load, code is compiled, and the ladder finds its rung: it takes two seconds for each. */
const WARM_UP_S = 15;
/** More repeats of the 26 s example than any run lasts. */
const REPEATS = 20;

interface Mode {
  readonly name: string;
  readonly args: readonly string[];
}

/** What one stream did while it was measured. */
interface StreamLoad {
  readonly fps: number;
  readonly skippedShare: number;
  /** Share of the frames that were within the budget. */
  readonly inTimeShare: number;
  readonly stage: string;
}

/**
 * The most streams that are held in real time: each a real ffmpeg that decodes the file at its own pace, all through one
 * `presage serve`, one more at a time until not all are held.
 */
export const streams: Bench = {
  options: { video: sampleVideo, seconds: '30', budget: '250', most: '16', from: '1' },
  async run(options) {
    const [seconds, budget, most, from] = ['seconds', 'budget', 'most', 'from'].map((name) =>
      positive(options, name),
    ) as [number, number, number, number];
    await using folder = await TemporaryFolder.make();
    const video = folder.file('repeated.mkv');
    await repeatVideo(options['video'] ?? sampleVideo, REPEATS, video);
    const rows: string[][] = [];
    for (const mode of await modes(budget)) {
      let held = 0;
      for (let count = from; count <= most; count += 1) {
        const loads = await hold(count, { mode, video, seconds, budget, folder });
        const ok = loads.every(isHeld);
        rows.push(row(mode, count, loads, ok));
        process.stderr.write(`${rows.at(-1)?.join(' | ') ?? ''}\n`);
        if (!ok) break;
        held = count;
      }
      rows.push([`**${mode.name}: ${held} held**`, '', '', '', '', '', '']);
    }
    return report(rows, { seconds, budget });
  },
};

/** With and without masks, where there are any, and with and without the ladder. */
async function modes(budget: number): Promise<Mode[]> {
  const ladders: Mode[] = [
    { name: 'full effort', args: ['--latency-budget', '0'] },
    { name: 'ladder', args: ['--latency-budget', String(budget)] },
  ];
  if (!(await hasOption('serve', 'masks'))) return ladders;
  return ladders.flatMap(({ name, args }) => [
    { name: `${name}, masks on`, args: [...args, '--masks', 'on'] },
    { name: `${name}, masks off`, args: [...args, '--masks', 'off'] },
  ]);
}

interface Trial {
  readonly mode: Mode;
  readonly video: string;
  readonly seconds: number;
  readonly budget: number;
  readonly folder: TemporaryFolder;
}

async function hold(count: number, { mode, video, seconds, budget, folder }: Trial): Promise<StreamLoad[]> {
  const config = folder.file('presage.yaml');
  const entries = Array.from({ length: count }, (_, n) => ({ id: `cam${n + 1}`, source: video }));
  // JSON is YAML.
  await writeFile(config, JSON.stringify({ streams: entries }));
  const data = folder.file(`data-${mode.name.replaceAll(/\W+/g, '-')}-${count}`);
  await using serving = await ServingProcess.start('serve', [
    ...['--config', config, '--data', data, '--device', 'cpu', ...mode.args],
  ]);
  await delay(WARM_UP_S * 1000);
  const before = await Counters.read(serving.url);
  const startMs = performance.now();
  await delay(seconds * 1000);
  const after = await Counters.read(serving.url);
  const elapsedS = (performance.now() - startMs) / 1000;
  if (!serving.running) throw new Error('serve ended by itself');
  return entries.map(({ id }) => after.since(before, id, { elapsedS, budgetS: budget / 1000 }));
}

/** One stream as `/v1/streams` describes it. */
interface Described {
  readonly id: string;
  readonly stage?: string;
  readonly drops?: Readonly<Record<string, number>>;
}

/** What the server says of its streams at one moment. */
class Counters {
  readonly #metrics: string;
  readonly #streams: readonly Described[];

  private constructor(metrics: string, streams: readonly Described[]) {
    this.#metrics = metrics;
    this.#streams = streams;
  }

  static async read(url: string): Promise<Counters> {
    const [metrics, list] = await Promise.all([fetch(`${url}/metrics`), fetch(`${url}/v1/streams`)]);
    const { streams } = (await list.json()) as { streams: readonly Described[] };
    return new Counters(await metrics.text(), streams);
  }

  since(
    before: Counters,
    id: string,
    { elapsedS, budgetS }: { elapsedS: number; budgetS: number },
  ): StreamLoad {
    const change = (read: (counters: Counters) => number): number => read(this) - read(before);
    const processed = change((counters) => counters.#metric('presage_frames_processed_total', id));
    const skipped = change((counters) => counters.#skipped(id));
    const inTime = change((counters) => counters.#inTime(id, budgetS));
    return {
      fps: processed / elapsedS,
      skippedShare: skipped / Math.max(1, processed + skipped),
      inTimeShare: inTime / Math.max(1, processed),
      stage: this.#stream(id)?.stage ?? '',
    };
  }

  #stream(id: string): Described | undefined {
    return this.#streams.find((stream) => stream.id === id);
  }

  #skipped(id: string): number {
    return Object.values(this.#stream(id)?.drops ?? {}).reduce((sum, count) => sum + count, 0);
  }

  /** Frames in the histogram's buckets up to the budget. */
  #inTime(id: string, budgetS: number): number {
    const bounds = [...this.#metrics.matchAll(/^presage_frame_latency_seconds_bucket\{le="([\d.]+)"/gm)];
    const bound = bounds.map(([, le]) => Number(le)).filter((le) => le <= budgetS);
    return this.#metric('presage_frame_latency_seconds_bucket', id, `le="${Math.max(...bound)}",`);
  }

  #metric(name: string, id: string, labels = ''): number {
    const line = this.#metrics
      .split('\n')
      .find((text) => text.startsWith(`${name}{${labels}stream="${id}"}`));
    return Number(line?.split(' ').at(-1) ?? 0);
  }
}

function isHeld({ skippedShare, inTimeShare, fps }: StreamLoad): boolean {
  return fps > 0 && skippedShare <= MAX_SKIPPED_SHARE && inTimeShare >= IN_TIME_SHARE;
}

/** The worst of the streams in each respect. */
function row(mode: Mode, count: number, loads: readonly StreamLoad[], held: boolean): string[] {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return [
    mode.name,
    String(count),
    Math.min(...loads.map(({ fps }) => fps)).toFixed(1),
    percent(Math.max(...loads.map(({ skippedShare }) => skippedShare))),
    percent(Math.min(...loads.map(({ inTimeShare }) => inTimeShare))),
    [...new Set(loads.map(({ stage }) => stage))].join(', '),
    held ? 'yes' : '**no**',
  ];
}

function report(rows: readonly string[][], { seconds, budget }: { seconds: number; budget: number }): string {
  return [
    `Streams of one file at its own pace on ${os.availableParallelism()} cores, decoding included, ${seconds} s each after ${WARM_UP_S} s of warm-up. Held: at`,
    `most ${MAX_SKIPPED_SHARE * 100} % of a stream's frames skipped, and at least ${IN_TIME_SHARE * 100} % of the others processed within ${budget} ms of their arrival. Figures are those`,
    'of the worst stream. Ladder: `--latency-budget` lowers the effort under load; the stage is what it had come to at the end.',
    '',
    table(['', 'streams', 'frames/s', 'skipped', 'in time', 'stage', 'held'], rows),
  ].join('\n');
}
