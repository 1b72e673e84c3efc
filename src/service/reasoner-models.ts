import { toPresageError, PresageError } from '../core/errors.js';
import { loadJsonModel } from '../model/runtime/json-model.js';
import type { LanguageThread } from '../model/language/language-thread.js';
import { openLanguageModel } from '../model/language/open-language-model.js';
import { LearnedModels } from '../model/learned/learned-models.js';
import type { ReasonerMode, ReasonerDeps } from '../reasoner/create-reasoner.js';
import { parseMixture } from '../reasoner/forecast/mixture/forecast-mixture.js';
import type { Settings } from '../cli/options/option-table.js';

/** What a model may take for the forecast of a live stream, ms: a forecast is due before objects 0.25 s later. */
const LIVE_DEADLINE_MS = 200;

/** Modes in which the language model speaks, and what they go on as without it. */
const WITHOUT_LANGUAGE: Readonly<Partial<Record<ReasonerMode, ReasonerMode>>> = {
  both: 'forecaster',
  fused: 'rules',
  'no-objects': 'forecaster',
  'no-clips': 'forecaster',
  'no-fusion': 'forecaster',
};

interface Opened {
  readonly learned?: LearnedModels | undefined;
  readonly language?: LanguageThread | undefined;
  readonly pool?: ReasonerDeps['mixture'];
}

/** The models of the reasoner that all streams of a process share, and the mode that they allow. */
export class ReasonerModels implements AsyncDisposable {
  /** As set, or a lesser one where models that it needs cannot be used: see `problem`. */
  readonly mode: ReasonerMode;
  /** Why the mode is not the one that was set. */
  readonly problem: PresageError | undefined;
  readonly #opened: Opened;

  private constructor(mode: ReasonerMode, opened: Opened = {}, problem?: PresageError) {
    this.mode = mode;
    this.problem = problem;
    this.#opened = opened;
  }

  /** Never rejects: without its models the reasoner goes on with less, and `problem` tells why. */
  static async open({ reasoner, models }: Settings): Promise<ReasonerModels> {
    if (reasoner === 'off' || reasoner === 'rules') return new ReasonerModels(reasoner);
    let learned: LearnedModels | undefined;
    let opened: Opened;
    try {
      learned = await LearnedModels.open({ modelsDir: models });
      if (!learned.forecaster) throw new PresageError('model_missing', 'the models folder has no forecaster');
      const document = await loadJsonModel('pool', models);
      opened = { learned, pool: document === undefined ? undefined : parseMixture(document) };
    } catch (thrown) {
      await learned?.close();
      return new ReasonerModels('rules', {}, lesser(reasoner, 'rules', thrown));
    }
    const without = WITHOUT_LANGUAGE[reasoner];
    if (without === undefined) return new ReasonerModels(reasoner, opened);
    try {
      const language = await openLanguageModel(models === undefined ? {} : { modelsDir: models });
      return new ReasonerModels(reasoner, { ...opened, language });
    } catch (thrown) {
      return new ReasonerModels(without, opened, lesser(reasoner, without, thrown));
    }
  }

  /** What the reasoner of a stream gets. In `lossless` mode every answer is waited for. */
  partsFor(mode: 'live' | 'lossless'): ReasonerDeps {
    const { learned, language, pool } = this.#opened;
    return {
      forecaster: learned?.forecaster,
      causes: learned?.causes,
      language,
      mixture: pool,
      deadlineMs: mode === 'live' ? LIVE_DEADLINE_MS : undefined,
    };
  }

  /** For health: which mode is in use, with which models, and why not the one that was set. */
  details(): Readonly<Record<string, string>> {
    const { learned, language } = this.#opened;
    return {
      reasoner: this.mode,
      ...(learned?.forecaster && { forecaster: learned.forecaster.name }),
      ...(learned?.causes && { causes: learned.causes.name }),
      ...(language && { language: language.name }),
      ...(this.problem && { reasonerProblem: this.problem.message }),
    };
  }

  async close(): Promise<void> {
    await this.#opened.language?.close();
    await this.#opened.learned?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function lesser(wanted: ReasonerMode, mode: ReasonerMode, thrown: unknown): PresageError {
  const { code, message, hint } = toPresageError(thrown);
  return new PresageError(code, `reasoner "${wanted}" goes on as "${mode}": ${message}`, { hint });
}
