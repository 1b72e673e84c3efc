import { toPresageError, PresageError } from '../core/errors.js';
import { loadJsonModel } from '../model/json-model.js';
import { LearnedModels } from '../model/learned/learned-models.js';
import type { ReasonerMode, ReasonerParts } from '../reasoner/create-reasoner.js';
import { parsePool } from '../reasoner/forecast/pool.js';
import type { Settings } from './option-table.js';

/** What a model may take for the forecast of a live stream, ms: a forecast is due before objects 0.25 s later. */
const LIVE_DEADLINE_MS = 200;

/** The models of the reasoner that all streams of a process share, and the mode that they allow. */
export class ReasonerModels implements AsyncDisposable {
  /** As set, or `rules` where models that it needs cannot be used: see `problem`. */
  readonly mode: ReasonerMode;
  /** Why the mode is not the one that was set. */
  readonly problem: PresageError | undefined;
  readonly #learned: LearnedModels | undefined;
  readonly #pool: ReasonerParts['pool'];

  private constructor(
    mode: ReasonerMode,
    learned?: LearnedModels,
    pool?: ReasonerParts['pool'],
    problem?: PresageError,
  ) {
    this.mode = mode;
    this.problem = problem;
    this.#learned = learned;
    this.#pool = pool;
  }

  /** Never rejects: without its models the reasoner goes on by rules, and `problem` tells why. */
  static async open({ reasoner, models }: Settings): Promise<ReasonerModels> {
    if (reasoner === 'off' || reasoner === 'rules') return new ReasonerModels(reasoner);
    let learned: LearnedModels | undefined;
    try {
      learned = await LearnedModels.open({ modelsDir: models });
      if (!learned.forecaster) throw new PresageError('model_missing', 'the models folder has no forecaster');
      const document = await loadJsonModel('pool', models);
      return new ReasonerModels(reasoner, learned, document === undefined ? undefined : parsePool(document));
    } catch (thrown) {
      await learned?.close();
      const { code, message, hint } = toPresageError(thrown);
      const problem = new PresageError(code, `reasoner "${reasoner}" goes on as "rules": ${message}`, {
        hint,
      });
      return new ReasonerModels('rules', undefined, undefined, problem);
    }
  }

  /** What the reasoner of a stream gets. In `lossless` mode every answer is waited for. */
  partsFor(mode: 'live' | 'lossless'): ReasonerParts {
    return {
      forecaster: this.#learned?.forecaster,
      causes: this.#learned?.causes,
      pool: this.#pool,
      deadlineMs: mode === 'live' ? LIVE_DEADLINE_MS : undefined,
    };
  }

  /** For health: which mode is in use, with which models, and why not the one that was set. */
  details(): Readonly<Record<string, string>> {
    const { forecaster, causes } = this.#learned ?? {};
    return {
      reasoner: this.mode,
      ...(forecaster && { forecaster: forecaster.name }),
      ...(causes && { causes: causes.name }),
      ...(this.problem && { reasonerProblem: this.problem.message }),
    };
  }

  async close(): Promise<void> {
    await this.#learned?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
