import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../support/bench.js';
import { hasOption, runAnalyze } from '../support/presage-process.js';
import { table } from '../support/results.js';
import {
  Scorer,
  type ByType,
  type CausesScore,
  type EventScore,
  type ForecastScore,
  type MotScore,
  type Truth,
} from '../support/scorer.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const DEFAULT_SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));

/** Scores against the ground truth of the evaluation folder, beside a peer that knows the true tracks. */
export const quality: Bench = {
  options: { shared: DEFAULT_SHARED, python: 'python3' },
  async run({ shared = DEFAULT_SHARED, python = 'python3' }) {
    const scorer = new Scorer(python, shared);
    await using folder = await TemporaryFolder.make();
    return [
      await scorePets(scorer, path.join(shared, 'data', 'pets'), folder),
      await scorePhysics(scorer, path.join(shared, 'data', 'physics-dev'), folder),
      '',
      'Peer: the true boxes at constant velocity with base rates known only afterwards (`score.py baseline`), so it tracks without',
      'a fault and its skill is 0 where it states the base rate. Skill: 1 − Brier / Brier of the base rate; - where undefined.',
    ].join('\n');
  },
};

interface PetsRun {
  readonly name: string;
  readonly mot: MotScore;
  readonly events: ByType<EventScore>;
  readonly forecast: ByType<ForecastScore>;
}

/** A recording of a street. Only its people are annotated; a parked car in it is seen rightly and counts as wrong. */
async function scorePets(scorer: Scorer, data: string, folder: TemporaryFolder): Promise<string> {
  const truth: Truth = {
    path: path.join(data, 'gt.txt'),
    args: ['--width', '768', '--height', '576', '--fps', '10'],
  };
  const runs: PetsRun[] = [];
  const variants: [string, string[]][] = [['all labels', []]];
  if (await hasOption('analyze', 'labels')) variants.push(['people only', ['--labels', 'person']]);
  for (const [name, args] of variants) {
    const result = folder.file(`pets-${runs.length}.jsonl`);
    await runAnalyze(path.join(data, 'vtest.avi'), ['--out', result, ...args]);
    const mot = await scorer.mot(truth, result);
    const events = await scorer.events(truth, result);
    runs.push({ name, mot, events, forecast: await scorer.forecast(truth, result) });
  }
  const peer = await scorer.peer(truth, folder.file('pets-peer.jsonl'));
  return [
    '### PETS 2009 S2.L1 (vtest.avi)',
    'Only people are annotated: with all labels a parked car, rightly seen, counts as wrong.',
    motTable(runs),
    ...runs.flatMap(({ name, events, forecast }) => [
      `Events, ${name}:`,
      eventTable(events),
      `Forecast, ${name}:`,
      forecastTable(forecast, peer),
    ]),
  ].join('\n\n');
}

/** Simulated scenes of bodies that collide. */
async function scorePhysics(scorer: Scorer, data: string, folder: TemporaryFolder): Promise<string> {
  const truth: Truth = { path: data, args: ['--contacts'] };
  const results = folder.file('physics');
  await mkdir(results);
  const videos = (await readdir(data)).filter((name) => name.endsWith('.mp4')).toSorted();
  for (const video of videos) {
    await runAnalyze(path.join(data, video), ['--out', path.join(results, video.replace(/mp4$/, 'jsonl'))]);
  }
  const events = await scorer.events(truth, results);
  const forecast = await scorer.forecast(truth, results);
  const causes = await scorer.causes(truth, results);
  const peer = await scorer.peer(truth, folder.file('physics-peer'));
  return [
    `\n### physics-dev (${videos.length} simulated scenes, \`--contacts\`)`,
    'Events:',
    eventTable(events),
    'Causes of collisions:',
    causesTable(causes),
    'Forecast:',
    forecastTable(forecast, peer),
  ].join('\n\n');
}

function motTable(runs: readonly PetsRun[]): string {
  return table(
    ['tracking', 'MOTA', 'IDF1', 'HOTA', 'false boxes', 'missed boxes', 'switches'],
    runs.map(({ name, mot }) => [
      name,
      ...[mot.MOTA, mot.IDF1, mot.HOTA].map(show),
      ...[mot.FP, mot.FN, mot.IDSW].map(String),
    ]),
  );
}

function eventTable(events: ByType<EventScore>): string {
  return table(
    ['event', 'F1', 'found', 'false', 'missed', 'median delay, s'],
    Object.entries(events).map(([type, { f1, tp, fp, fn, median_delay_s }]) => [
      type,
      show(f1),
      ...[tp, fp, fn].map(String),
      show(median_delay_s),
    ]),
  );
}

function forecastTable(forecast: ByType<ForecastScore>, peer: ByType<ForecastScore>): string {
  return table(
    [
      'event within its horizon',
      'n',
      'true',
      'Brier',
      'skill',
      'skill of the peer',
      'AP',
      'AP of the peer',
      'ECE',
    ],
    Object.entries(forecast).map(([type, score]) => [
      type,
      String(score.n),
      String(score.positives),
      ...[score.brier, score.skill, peer[type]?.skill, score.ap, peer[type]?.ap, score.ece].map(show),
    ]),
  );
}

function causesTable(causes: CausesScore): string {
  const counts = [causes.collisions, causes.detected, causes.explained, causes.tp, causes.fp, causes.fn];
  return table(
    [
      '',
      'collisions',
      'detected',
      'explained',
      'right',
      'false',
      'missed',
      'precision',
      'recall',
      'F1',
      'Brier of all pairs',
    ],
    [
      [
        'rules',
        ...counts.map(String),
        ...[causes.precision, causes.recall, causes.f1, causes.brier_full].map(show),
      ],
    ],
  );
}

function show(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(2);
}
