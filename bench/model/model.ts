import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPerception } from '../../src/model/perception/perception.js';
import type { Perception } from '../../src/core/percept.js';
import { positive, type Bench } from '../support/bench.js';
import { sharedDatasets, worldDatasets, type Dataset } from './model-datasets.js';
import { datasetReport, type DatasetReport, type ModeScores } from './model-report.js';
import { ReplayAnalyzer, type ReplayVariant } from '../replay/analyze-replay.js';
import { addForecastMessage, noForecasts } from '../replay/forecast-messages.js';
import { Scorer } from '../support/scorer.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const DEFAULT_SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));
/** What each part adds: all of it, each part alone, and all of it without one part. */
const MODES = 'both,fused,forecaster,rules,last-frames,no-fusion,no-objects,no-clips';

/**
 * What the parts of the learned reasoner add. Each recording is perceived once; memory and reasoner then run on its percepts
 * in every mode, with and without online calibration, and what they say is scored.
 */
export const model: Bench = {
  options: {
    shared: DEFAULT_SHARED,
    python: 'python3',
    modes: MODES,
    /** Which recordings: of the evaluation folder, and simulated tracks. */
    sets: 'physics-dev,pets,worlds',
    /** NAME=DIR or NAME:MODE=DIR,…: other folders of models, run in mode `both` or the one named. */
    weights: '',
    /** Folder that keeps percepts from run to run; by default they are made anew. */
    percepts: '',
    /** Folder of simulated tracks, and how many scenes of each world. */
    worlds: '',
    scenes: '100',
  },
  async run(options) {
    await using folder = await TemporaryFolder.make();
    const { shared = DEFAULT_SHARED, worlds = '' } = options;
    await using lazy = new LazyPerception();
    const percepts = options['percepts'] || folder.file('percepts');
    const sets = (options['sets'] ?? '').split(',');
    const datasets = await sharedDatasets(shared, sets, percepts, () => lazy.open());
    if (datasets.length === 0) say(`${shared} has none of ${sets.join(', ')}: nothing from pixels is scored`);
    if (worlds === '' || !sets.includes('worlds')) say('without --worlds no simulated tracks are scored');
    else datasets.push(...(await worldDatasets(worlds, positive(options, 'scenes'), folder)));
    const scorer = new Scorer(options['python'] ?? 'python3', shared);
    const variants = variantsOf(options['modes'] ?? MODES, options['weights'] ?? '');
    const reports: DatasetReport[] = [];
    for (const [n, dataset] of datasets.entries())
      reports.push(await scoreDataset(dataset, variants, scorer, folder, String(n)));
    await lazy[Symbol.asyncDispose]();
    const join = (parts: readonly string[]): string => parts.join('\n\n');
    return {
      body: join(reports.map(({ overall, byType }) => `${overall}\n\n${byType}`)),
      card: join(reports.map(({ overall }) => overall)),
    };
  },
};

/** Opened when something must be perceived. */
class LazyPerception implements AsyncDisposable {
  #perception: Promise<Perception> | undefined;

  open(): Promise<Perception> {
    this.#perception ??= openPerception();
    return this.#perception;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const perception = this.#perception;
    this.#perception = undefined;
    await (await perception)?.close();
  }
}

/** Modes, then other weights. */
function variantsOf(modes: string, weights: string): ReplayVariant[] {
  const named = modes.split(',').filter(Boolean);
  const other = weights.split(',').filter(Boolean);
  return [
    ...named.map((mode) => ({ name: mode, mode })),
    ...other.map((pair) => {
      const [title = '', models = ''] = pair.split('=');
      const [name = '', mode = 'both'] = title.split(':');
      if (name === '' || models === '') throw new Error(`--weights: got "${pair}", expected NAME:MODE=DIR`);
      return { name, mode, models };
    }),
  ];
}

async function scoreDataset(
  dataset: Dataset,
  variants: readonly ReplayVariant[],
  scorer: Scorer,
  folder: TemporaryFolder,
  key: string,
): Promise<DatasetReport> {
  const scores: ModeScores[] = [];
  for (const variant of variants) {
    const out = folder.file(`${key}-${variant.name}`);
    scores.push(await scoreVariant(dataset, variant, scorer, out));
    say(`${dataset.title}: ${variant.name} scored`);
  }
  const out = folder.file(`${key}-peer`);
  await mkdir(out);
  const peer = await scorer.peer(dataset.truth, resultOf(dataset, out));
  return datasetReport(dataset, scores, peer);
}

async function scoreVariant(
  dataset: Dataset,
  variant: ReplayVariant,
  scorer: Scorer,
  out: string,
): Promise<ModeScores> {
  const told = noForecasts();
  try {
    await replayAll(dataset, variant, out);
  } catch (error) {
    return { name: variant.name, failure: error instanceof Error ? error.message : String(error) };
  }
  for (const name of dataset.names) await addForecastMessage(told, path.join(out, `${name}.jsonl`));
  const result = resultOf(dataset, out);
  const raw = `${out}-raw`;
  await replayAll(dataset, { ...variant, calibrated: false }, raw);
  return {
    name: variant.name,
    told,
    forecast: await scorer.forecast(dataset.truth, result),
    uncalibrated: await scorer.forecast(dataset.truth, resultOf(dataset, raw)),
    ...(dataset.causes && { causes: await scorer.causes(dataset.truth, result) }),
  };
}

async function replayAll(dataset: Dataset, variant: ReplayVariant, out: string): Promise<void> {
  await using analyzer = await ReplayAnalyzer.open(variant);
  await mkdir(out, { recursive: true });
  for (const name of dataset.names)
    await analyzer.analyze(name, await dataset.load(name), path.join(out, `${name}.jsonl`));
}

/** What the scorer is given: the folder of results where the truth is a folder, otherwise the one file in it. */
function resultOf({ names, truth }: Dataset, out: string): string {
  const single = truth.path.endsWith('.txt');
  return single ? path.join(out, `${names[0] ?? ''}.jsonl`) : out;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
