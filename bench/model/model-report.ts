import type { Dataset } from './model-datasets.js';
import { verifiedShare, type Told } from '../replay/forecast-messages.js';
import { table } from '../support/results.js';
import { OPTIONS } from '../../src/cli/options/option-table.js';
import type { ByType, CausesScore, ForecastScore } from '../support/scorer.js';
import { quantile } from '../support/statistics.js';

/** How one mode did on one dataset. */
export type ModeScores =
  | {
      readonly name: string;
      readonly failure?: undefined;
      readonly told: Told;
      readonly forecast: ByType<ForecastScore>;
      /** The same mode without online calibration. */
      readonly uncalibrated: ByType<ForecastScore>;
      readonly causes?: CausesScore;
    }
  | {
      readonly name: string;
      /** Why there are no figures. */
      readonly failure: string;
    };
type Scored = Extract<ModeScores, { told: Told }>;

const DEFAULT_MODE: string = OPTIONS.reasoner.fallback;
/** What is asked of the whole. */
const TARGETS = { causesF1: 0.8, ece: 0.05, explainMs: 1500, predictMs: 1000, modelMb: 400, positives: 20 };

/** Markdown of one dataset. */
export interface DatasetReport {
  /** Its title, the ablation table, and where the targets are missed. */
  readonly overall: string;
  /** Skill, AP, ECE and lead time of each mode and type. */
  readonly byType: string;
}

export function datasetReport(
  dataset: Dataset,
  all: readonly ModeScores[],
  peer: ByType<ForecastScore>,
): DatasetReport {
  const scored = all.filter((one): one is Scored => one.failure === undefined);
  const failed = all.flatMap(({ name, failure }) =>
    failure === undefined ? [] : [`\`${name}\`: not run: ${failure.split('\n')[0] ?? ''}`],
  );
  const head = [
    `### ${dataset.title}`,
    overall(scored, peer, dataset.causes),
    ...failed,
    ...(scored.length > 0 ? [shortfalls(scored, peer)] : []),
  ];
  const tables = [
    'Skill over the base rate, by type:',
    byType(scored, peer, ({ skill }) => skill),
    'Average precision, by type:',
    byType(scored, peer, ({ ap }) => ap),
    'ECE, by type:',
    byType(scored, peer, ({ ece }) => ece),
    'Median lead time at one false alarm a minute, s (true alarms), by type:',
    byTypeText(scored, peer, lead),
  ];
  return { overall: head.join('\n\n'), byType: tables.join('\n\n') };
}

function overall(scored: readonly Scored[], peer: ByType<ForecastScore>, causes: boolean): string {
  const forecast = (score: ForecastScore | undefined): string[] => [
    ...[score?.brier, score?.skill, score?.ap].map((value) => show(value, 3)),
  ];
  const rows = scored.map(({ name, told, forecast: all, uncalibrated, causes: score }) => [
    name,
    ...forecast(all['all']),
    ...[uncalibrated['all']?.ece, all['all']?.ece].map((value) => show(value, 3)),
    lead(all['all']),
    ...(causes
      ? [score?.precision, score?.recall, score?.f1, score?.brier_full].map((value) => show(value))
      : []),
    String(told.explanations),
    percent(verifiedShare(told)),
  ]);
  const none = [...(causes ? ['-', '-', '-', '-'] : []), '-', '-'];
  const known = peer['all'];
  const all = scored[0]?.forecast['all'];
  const base =
    all?.skill === undefined || all.skill === null || all.brier === null
      ? undefined
      : all.brier / (1 - all.skill);
  return table(
    [
      ...['', 'Brier', 'skill', 'AP', 'ECE, uncalibrated', 'ECE', 'lead, s (alarms)'],
      ...(causes ? ['causes: precision', 'recall', 'F1', 'Brier'] : []),
      ...['explanations', 'claims that verify'],
    ],
    [
      ...rows,
      ['peer, true tracks', ...forecast(known), '-', show(known?.ece, 3), lead(known), ...none],
      ['base rate', show(base, 3), '0.000', '-', '-', '0.000', '-', ...none],
    ],
  );
}

/** Where the default mode, or else the first, stays below what was asked for. */
function shortfalls(scored: readonly Scored[], peer: ByType<ForecastScore>): string {
  const first = scored.find(({ name }) => name === DEFAULT_MODE) ?? scored[0];
  if (!first) return '';
  const missed: string[] = [];
  for (const [type, { skill, positives }] of Object.entries(first.forecast))
    if (positives >= TARGETS.positives && skill !== null && skill <= 0)
      missed.push(`skill of ${type} is ${show(skill)} with ${positives} true`);
  const [ours, theirs] = [first.forecast['all']?.brier, peer['all']?.brier];
  if (ours != null && theirs != null && ours >= theirs)
    missed.push(`Brier of all is ${show(ours, 3)}, the peer's ${show(theirs, 3)}`);
  const ece = first.forecast['all']?.ece;
  if (ece != null && ece > TARGETS.ece) missed.push(`ECE is ${show(ece, 3)}`);
  const f1 = first.causes?.f1;
  if (f1 != null && f1 < TARGETS.causesF1) missed.push(`causes F1 is ${show(f1)}`);
  const target = `Targets for \`${first.name}\`: skill above 0 for every type with ${TARGETS.positives} true or more and above the peer overall, ECE at most ${TARGETS.ece}, causes F1 at least ${TARGETS.causesF1}.`;
  return `${target} ${missed.length === 0 ? 'All met.' : `**Missed: ${missed.join('; ')}.**`}`;
}

function byType(
  scored: readonly Scored[],
  peer: ByType<ForecastScore>,
  value: (score: ForecastScore) => number | null,
): string {
  return byTypeText(scored, peer, (score) => (score ? show(value(score)) : '-'));
}

function byTypeText(
  scored: readonly Scored[],
  peer: ByType<ForecastScore>,
  text: (score: ForecastScore | undefined) => string,
): string {
  const types = Object.keys(scored[0]?.forecast ?? peer);
  return table(
    ['', 'n', 'true', ...scored.map(({ name }) => name), 'peer'],
    types.map((type) => {
      const first = scored[0]?.forecast[type] ?? peer[type];
      const cells = scored.map(({ forecast }) => text(forecast[type]));
      return [type, String(first?.n ?? 0), String(first?.positives ?? 0), ...cells, text(peer[type])];
    }),
  );
}

function lead(score: ForecastScore | undefined): string {
  if (score?.median_lead_s == null) return '-';
  return `${score.median_lead_s.toFixed(1)} (${score.true_alarms})`;
}

/** `presage watch` in one mode while a recording plays at its own pace. */
export interface LiveFigures {
  readonly mode: string;
  /** Why there are no figures. */
  readonly failure?: string;
  readonly told: Told;
  /** Resident memory of the process, MB: median of the samples. */
  readonly residentMb: number;
  readonly framesPerSecond: number;
  readonly dropped: number;
}

/** What the reasoner costs beside a stream that is watched live. */
export function liveReport(figures: readonly LiveFigures[], seconds: number): string {
  const rules = figures.find(({ mode }) => mode === 'rules');
  const rows = figures.map(({ mode, failure, told, residentMb, framesPerSecond, dropped }) => {
    if (failure !== undefined) return [mode, 'not run', ...Array.from({ length: 8 }, () => '-')];
    const more = rules && rules.mode !== mode ? residentMb - rules.residentMb : NaN;
    return [
      mode,
      ...[framesPerSecond, dropped].map((value) => show(value, 1)),
      backends(told),
      ...times(told.explainMs),
      String(told.predictions),
      ...times(told.predictMs),
      ...[residentMb, more].map((value) => show(value, 0)),
    ];
  });
  return [
    `### Beside one live stream (\`watch --loop\`, ${seconds} s after a warm-up)`,
    table(
      [
        ...['', 'frames/s', 'dropped', 'explanations by', 'ms, p50', 'p95', 'predictions', 'ms, p50', 'p95'],
        ...['resident, MB', 'above rules, MB'],
      ],
      rows,
    ),
    ...figures.flatMap(({ mode, failure }) => (failure === undefined ? [] : [`\`${mode}\`: ${failure}`])),
    `Targets: explanation at most ${TARGETS.explainMs} ms, three predictions at most ${TARGETS.predictMs} ms at p50; the model at most ${TARGETS.modelMb} MB.`,
  ].join('\n\n');
}

function backends({ byBackend }: Told): string {
  const counts = [...byBackend].map(([name, count]) => `${name} ${count}`);
  return counts.length > 0 ? counts.join(', ') : '0';
}

function times(ms: readonly number[]): string[] {
  return ms.length === 0 ? ['-', '-'] : [0.5, 0.95].map((q) => quantile(ms, q).toFixed(0));
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '-';
}

function show(value: number | null | undefined, digits = 2): string {
  return value === null || value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits);
}
