import { toPresageError, PresageError } from '../core/errors.js';
import { loadJsonModel } from '../model/runtime/json-model.js';
import type { LanguageThread } from '../model/language/language-thread.js';
import { openLanguageModel } from '../model/language/open-language-model.js';
import { LearnedModels } from '../model/learned/learned-models.js';
import type { ReasonerMode, ReasonerDeps } from '../reasoner/create-reasoner.js';
import { parseMixture } from '../reasoner/forecast/mixture/forecast-mixture.js';
import type { Explainer } from '../core/reasoner.js';
import type { Expert } from '../reasoner/forecast/expert.js';
import type { OpenAiOptions } from '../reasoner/explain/openai/config.js';

/** Deadline of the models for a forecast of a live stream, ms: the objects of 0.25 s later must not overtake it. */
const LIVE_DEADLINE_MS = 200;

export interface ReasonerModelsOptions {
  /** Default `forecaster`. */
  readonly mode?: ReasonerMode | undefined;
  /** Folder of the model files. Default: the one of the package. */
  readonly modelsDir?: string | undefined;
  /** Language-model server that writes the explanations. */
  readonly openai?: OpenAiOptions | undefined;
  /** Additional experts of the forecast. */
  readonly experts?: readonly Expert[] | undefined;
  /** Replaces the explainer of the mode. */
  readonly explainer?: Explainer | undefined;
}

/** Modes that use the language model, and their replacement where it cannot be loaded. */
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
  readonly mixture?: ReasonerDeps['mixture'];
}

/** The models of the reasoner, shared by all streams of a process, and the mode that they support. */
export class ReasonerModels implements AsyncDisposable {
  /** The configured mode, or a reduced one where models of the configured mode cannot be used: see `problem`. */
  readonly mode: ReasonerMode;
  /** Why the mode differs from the configured one. */
  readonly problem: PresageError | undefined;
  readonly #opened: Opened;
  readonly #options: ReasonerModelsOptions;

  private constructor(outcome: Outcome, options: ReasonerModelsOptions) {
    this.mode = outcome.mode;
    this.problem = outcome.problem;
    this.#opened = outcome.opened ?? {};
    this.#options = options;
  }

  /** Never rejects: where models cannot be loaded, the mode is a reduced one and `problem` has the reason. */
  static async open(options: ReasonerModelsOptions = {}): Promise<ReasonerModels> {
    return new ReasonerModels(await load(options.mode ?? 'forecaster', options.modelsDir), options);
  }

  /** Whether explanations are requested with pictures of the event. */
  get sendsImages(): boolean {
    return this.#options.openai?.images === true;
  }

  /** Dependencies of the reasoner of one stream. In `lossless` mode, forecasts have no deadline. */
  depsFor(mode: 'live' | 'lossless'): ReasonerDeps {
    const { learned, language, mixture } = this.#opened;
    return {
      forecaster: learned?.forecaster,
      causes: learned?.causes,
      language,
      mixture,
      openai: this.#options.openai,
      experts: this.#options.experts,
      explainer: this.#options.explainer,
      deadlineMs: mode === 'live' ? LIVE_DEADLINE_MS : undefined,
    };
  }

  /** For `/healthz`: the mode in use, its models, and why it differs from the configured one. */
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

interface Outcome {
  readonly mode: ReasonerMode;
  readonly opened?: Opened;
  readonly problem?: PresageError;
}

async function load(mode: ReasonerMode, modelsDir: string | undefined): Promise<Outcome> {
  if (mode === 'off' || mode === 'rules') return { mode };
  let learned: LearnedModels | undefined;
  let opened: Opened;
  try {
    learned = await LearnedModels.open({ modelsDir });
    if (!learned.forecaster) throw new PresageError('model_missing', 'the models folder has no forecaster');
    const document = await loadJsonModel('pool', modelsDir);
    opened = { learned, mixture: document === undefined ? undefined : parseMixture(document) };
  } catch (thrown) {
    await learned?.close();
    return { mode: 'rules', problem: reduced(mode, 'rules', thrown) };
  }
  const without = WITHOUT_LANGUAGE[mode];
  if (without === undefined) return { mode, opened };
  try {
    return { mode, opened: { ...opened, language: await openLanguageModel({ modelsDir }) } };
  } catch (thrown) {
    return { mode: without, opened, problem: reduced(mode, without, thrown) };
  }
}

function reduced(wanted: ReasonerMode, mode: ReasonerMode, thrown: unknown): PresageError {
  const { code, message, hint } = toPresageError(thrown);
  return new PresageError(code, `reasoner "${wanted}" continues as "${mode}": ${message}`, { hint });
}
