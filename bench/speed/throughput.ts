import os from 'node:os';
import { sampleVideo } from '../../src/service/version.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { openSource } from '../../src/ingest/open-source.js';
import { parseSource } from '../../src/ingest/source-spec.js';
import { runBareDetector } from '../../src/model/detector/bare-detector.js';
import type { Picture } from '../../src/model/runtime/planes.js';
import { positive, type Bench } from '../support/bench.js';
import { runAnalyze } from '../support/presage-process.js';
import { repeatVideo } from '../support/repeat-video.js';
import { table } from '../support/results.js';
import { median } from '../support/statistics.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

/** Share of the bare detector's frame rate that the whole is to reach. */
const TARGET = 0.8;

interface Round {
  /** Frames per second. */
  readonly analyze: number;
  /** Frames per second. */
  readonly bare: number;
}

/**
 * Frames per second of `presage analyze` beside those of the detector's session alone, on the same frames, in turns: A
 * B, B A, A B, so that whatever else slows the machine slows both.
 */
export const throughput: Bench = {
  options: { video: sampleVideo, repeats: '2', rounds: '7', threads: String(os.availableParallelism()) },
  async run(options) {
    const [repeats, rounds, threads] = ['repeats', 'rounds', 'threads'].map((name) =>
      positive(options, name),
    ) as [number, number, number];
    await using folder = await TemporaryFolder.make();
    const video = folder.file('repeated.mkv');
    await repeatVideo(options['video'] ?? sampleVideo, repeats, video);
    const pictures = await decode(video);
    const measured: Round[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const measureAnalyze = (): Promise<number> =>
        measureWhole(video, folder.file('out.jsonl'), pictures.length);
      const measureBare = (): Promise<number> => measureSession(pictures, threads);
      const whole = n % 2 === 0 ? await measureAnalyze() : undefined;
      const bare = await measureBare();
      measured.push({ bare, analyze: whole ?? (await measureAnalyze()) });
      process.stderr.write(`round ${n + 1} of ${rounds}: ${describe(measured.at(-1))}\n`);
    }
    return report(measured, pictures.length, threads);
  },
};

async function measureWhole(video: string, out: string, expected: number): Promise<number> {
  const { frames, seconds } = await runAnalyze(video, ['--out', out]);
  if (frames !== expected) throw new Error(`analyze saw ${frames} frames, the session ${expected}`);
  return frames / seconds;
}

async function measureSession(pictures: readonly Picture[], threads: number): Promise<number> {
  const { inferenceMs } = await runBareDetector({ pictures, threads });
  return (inferenceMs.length / inferenceMs.reduce((sum, ms) => sum + ms, 0)) * 1000;
}

/** Every frame, in memory. */
async function decode(video: string): Promise<Picture[]> {
  const ffmpeg = await findFfmpeg({});
  await using source = openSource(parseSource(video), { ffmpeg, mode: 'lossless' });
  const pictures: Picture[] = [];
  await source.frame$.forEach((frame) => {
    const { width, height } = frame.layout;
    pictures.push({ pixels: Uint8Array.from(frame.pixels), width, height });
    frame[Symbol.dispose]();
  });
  return pictures;
}

function report(rounds: readonly Round[], frames: number, threads: number): string {
  const ratios = rounds.map(({ analyze, bare }) => analyze / bare);
  const ratio = median(ratios);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return [
    `**Ratio ${ratio.toFixed(2)}** (median of ${rounds.length} rounds, ${range}; target ${TARGET}: ${ratio >= TARGET ? 'reached' : 'missed'}).`,
    `${frames} frames a round; the bare session with ${threads} threads inside one operator, \`analyze\` with its defaults`,
    'and `--out`. The time of `analyze` runs from the opening of the recording to the finished file: decoding included, loading of the',
    'model not, as in the bare session.',
    '',
    table(
      ['round', 'analyze, frames/s', 'bare session, frames/s', 'ratio'],
      [
        ...rounds.map((round, n) => [String(n + 1), ...cells(round)]),
        [
          'median',
          ...cells(
            { analyze: median(rounds.map((r) => r.analyze)), bare: median(rounds.map((r) => r.bare)) },
            ratio,
          ),
        ],
      ],
    ),
  ].join('\n');
}

function cells({ analyze, bare }: Round, ratio = analyze / bare): string[] {
  return [analyze.toFixed(1), bare.toFixed(1), ratio.toFixed(2)];
}

function describe(round: Round | undefined): string {
  return round ? `${cells(round).slice(0, 2).join(' against ')} frames/s` : '';
}
