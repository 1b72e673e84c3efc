import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelsFolder, sampleVideo } from '../../src/service/version.js';
import { findModel, loadManifest } from '../../src/model/runtime/manifest.js';
import { positive, type Bench } from '../support/bench.js';
import { repeatVideo } from '../support/repeat-video.js';
import { runAnalyze, runProgram } from '../support/presage-process.js';
import { table } from '../support/results.js';
import { median } from '../support/statistics.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const FOLDER = fileURLToPath(new URL('./', import.meta.url));
const TARGET = 2;
/** Pictures over which the peer's two layouts are tried; the better one runs the rounds. */
const TRIAL_FRAMES = 100;
const LAYOUTS = ['intra', 'workers'] as const;

/** One program with its arguments, run to the end: frames per second. */
interface Contender {
  readonly name: string;
  readonly run: () => Promise<number>;
}

/**
 * Frames per second of `presage analyze` beside a careful Python pipeline of the same detector (OpenCV, ONNX Runtime,
 * ByteTrack), in turns over the same file. The detector as it was published (float) is what such a pipeline would run; it
 * is also given our quantised file, so that the reader sees what the program and what the model brings.
 */
export const peer: Bench = {
  options: {
    video: sampleVideo,
    repeats: '2',
    rounds: '5',
    threads: String(os.availableParallelism()),
    python: process.env['PRESAGE_PEER_PYTHON'] ?? '',
    'detect-every': '2',
  },
  async run(options) {
    const [repeats, rounds, threads] = ['repeats', 'rounds', 'threads'].map((name) =>
      positive(options, name),
    ) as [number, number, number];
    await using folder = await TemporaryFolder.make();
    const video = folder.file('repeated.mkv');
    await repeatVideo(options['video'] ?? sampleVideo, repeats, video);
    const python = options['python'] || (await makeEnvironment(folder.file('venv')));
    const out = folder.file('out.jsonl');
    const analyze = async (...args: string[]): Promise<number> => {
      const { frames, seconds } = await runAnalyze(video, ['--out', out, '--device', 'cpu', ...args]);
      return frames / seconds;
    };
    const sparse = options['detect-every'] ?? '2';
    const contenders: Contender[] = [
      { name: 'presage', run: () => analyze() },
      { name: `presage, detector on every ${sparse}. frame`, run: () => analyze('--detect-every', sparse) },
      await peerOn('detector-float', 'peer, float', { python, video, threads, folder }),
      await peerOn('detector', "peer, Presage's int8 file", { python, video, threads, folder }),
    ];
    return await report(await measure(contenders, rounds), rounds, threads);
  },
};

interface PeerSetup {
  readonly python: string;
  readonly video: string;
  readonly threads: number;
  readonly folder: TemporaryFolder;
}

/** The peer on one of our model files, in the layout that is quicker for it. */
async function peerOn(
  role: 'detector' | 'detector-float',
  name: string,
  { python, video, threads, folder }: PeerSetup,
): Promise<Contender> {
  const { file, settings } = findModel(await loadManifest(modelsFolder), role);
  const settingsFile = folder.file(`${role}.json`);
  await writeFile(settingsFile, JSON.stringify(settings));
  const run = async (layout: string, ...args: string[]): Promise<number> => {
    const { stdout } = await runProgram(python, [
      path.join(FOLDER, 'pipeline.py'),
      ...[video, path.join(modelsFolder, file), settingsFile],
      ...['--layout', layout, '--threads', String(threads), ...args],
    ]);
    const { frames, seconds } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<
      'frames' | 'seconds',
      number
    >;
    return frames / seconds;
  };
  const trials: { layout: string; fps: number }[] = [];
  for (const layout of LAYOUTS)
    trials.push({ layout, fps: await run(layout, '--limit', String(TRIAL_FRAMES)) });
  const best = trials.reduce((a, b) => (b.fps > a.fps ? b : a));
  const inWords = best.layout === 'intra' ? 'one session' : 'a session per core';
  return { name: `${name} (${inWords})`, run: () => run(best.layout) };
}

/** A virtual environment with the pinned packages of the peer; returns its interpreter. */
async function makeEnvironment(folder: string): Promise<string> {
  await runProgram('python3', ['-m', 'venv', folder]);
  const python = path.join(folder, 'bin', 'python');
  await runProgram(python, ['-m', 'pip', 'install', '-q', '-r', path.join(FOLDER, 'requirements.txt')]);
  return python;
}

interface Measured {
  readonly name: string;
  /** Frames per second, one for each round. */
  readonly fps: number[];
}

/** All contenders once a round, in an order that turns, so that whatever else slows the machine slows all. */
async function measure(contenders: readonly Contender[], rounds: number): Promise<Measured[]> {
  const measured: Measured[] = contenders.map(({ name }) => ({ name, fps: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (let n = 0; n < contenders.length; n += 1) {
      const turn = (round % 2 === 0 ? n : contenders.length - 1 - n) % contenders.length;
      const fps = await contenders[turn]?.run();
      if (fps !== undefined) measured[turn]?.fps.push(fps);
      process.stderr.write(
        `round ${round + 1}: ${measured[turn]?.name ?? ''}: ${fps?.toFixed(1) ?? ''} frames/s\n`,
      );
    }
  }
  return measured;
}

async function report(measured: readonly Measured[], rounds: number, threads: number): Promise<string> {
  const requirements = (await readFile(path.join(FOLDER, 'requirements.txt'), 'utf8')).trim().split('\n');
  const [own] = measured;
  const peers = measured.slice(2);
  const rows = measured.map(({ name, fps }) => [
    name,
    median(fps).toFixed(1),
    range(fps, 1),
    ...peers.map((other) => spread(ratios(fps, other.fps))),
  ]);
  const ratio = median(ratios(own?.fps ?? [], peers[0]?.fps ?? []));
  return [
    `**${ratio.toFixed(2)} times the peer's frame rate** (every frame through the detector; target ${TARGET}: ${ratio >= TARGET ? 'reached' : 'missed'}).`,
    `${rounds} rounds in turns, ${threads} cores for each. Presage also samples, finds events, forecasts and explains, and writes JSON Lines; the peer detects`,
    'and tracks only. Ratios are of the same round: median (least to most). Loading of models is in neither time.',
    `Peer: ${requirements.join(', ')}; ByteTrack, decoding in a thread of its own.`,
    '',
    table(['', 'frames/s', 'range', ...peers.map(({ name }) => `of ${name}`)], rows),
  ].join('\n');
}

function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, n) => value / (b[n] ?? NaN));
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${range(values, 2)})`;
}

function range(values: readonly number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
}
