import path from 'node:path';
import { runProgram } from './presage-process.js';

/** Output of `score.py mot`. */
export interface MotScore {
  readonly MOTA: number;
  readonly IDF1: number;
  readonly HOTA: number;
  readonly FP: number;
  readonly FN: number;
  readonly IDSW: number;
}

/** One type in the output of `score.py events`. */
export interface EventScore {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly f1: number | null;
  readonly median_delay_s: number | null;
}

/** One type in the output of `score.py forecast`. */
export interface ForecastScore {
  readonly n: number;
  readonly positives: number;
  readonly brier: number | null;
  readonly skill: number | null;
  readonly ap: number | null;
  readonly ece: number | null;
  /** At the lowest threshold with at most one false alarm a minute. */
  readonly true_alarms: number;
  readonly median_lead_s: number | null;
}

/** Output of `score.py causes`. */
export interface CausesScore {
  readonly collisions: number;
  readonly detected: number;
  readonly explained: number;
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly brier: number | null;
  readonly brier_full: number | null;
}

export type ByType<T> = Readonly<Record<string, T>>;

/** What is scored: the truth of one recording or of a folder of them, and how to read it. */
export interface Truth {
  readonly path: string;
  /** Arguments of score.py. */
  readonly args: readonly string[];
}

/** The scorer of the evaluation folder. Every method takes the JSON Lines of a result, or a folder of them. */
export class Scorer {
  readonly #python: string;
  readonly #script: string;

  /** @param shared the evaluation folder */
  constructor(python: string, shared: string) {
    this.#python = python;
    this.#script = path.join(shared, 'eval', 'score.py');
  }

  mot(truth: Truth, result: string): Promise<MotScore> {
    return this.#score('mot', truth, [result]) as Promise<MotScore>;
  }

  events(truth: Truth, result: string): Promise<ByType<EventScore>> {
    return this.#score('events', truth, [result]) as Promise<ByType<EventScore>>;
  }

  forecast(truth: Truth, result: string): Promise<ByType<ForecastScore>> {
    return this.#score('forecast', truth, [result]) as Promise<ByType<ForecastScore>>;
  }

  causes(truth: Truth, result: string): Promise<CausesScore> {
    return this.#score('causes', truth, [result]) as Promise<CausesScore>;
  }

  /** Forecasts of the peer: true tracks at constant velocity, base rates. */
  async peer(truth: Truth, out: string): Promise<ByType<ForecastScore>> {
    await this.#score('baseline', truth, ['--out', out]);
    return this.forecast(truth, out);
  }

  async #score(command: string, truth: Truth, args: readonly string[]): Promise<unknown> {
    const { stdout } = await runProgram(this.#python, [
      '-B',
      this.#script,
      command,
      truth.path,
      ...args,
      ...truth.args,
    ]);
    return JSON.parse(stdout) as unknown;
  }
}
