import { systemClock, type Clock } from '../core/clock.js';
import { PresageError } from '../core/errors.js';
import type { CauseModel, ForecastModel, LanguageModel } from '../core/learned-models.js';
import type { VideoInspector } from '../core/inspection.js';
import type { Explainer } from '../core/reasoner.js';
import type { ExplanationQueueOptions } from './explain/explanation-queue.js';
import { LearnedExplainer } from './explain/causes/learned-explainer.js';
import { RulesExplainer } from './explain/rules/rules-explainer.js';
import { lastFrames, LimitedMemoryExpert } from './forecast/experts/limited-memory-expert.js';
import { LearnedExpert } from './forecast/experts/learned-expert.js';
import { ForecastMixture, SingleExperts, type MixtureDocument } from './forecast/mixture/forecast-mixture.js';
import { SamplingForecaster } from './forecast/sampling/sampling-forecaster.js';
import type { Expert } from './forecast/expert.js';
import { ExpertPanel } from './forecast/mixture/expert-panel.js';
import { createLanguageBackend, type LanguageVariant, type LanguageBackend } from './language-backend.js';
import { openAiConfig, type OpenAiOptions } from './explain/openai/config.js';
import { OpenAiExplainer, type Keyframes } from './explain/openai/openai-explainer.js';
import { ForecastCycle } from './predict/forecast-cycle.js';
import { StreamReasoner } from './reasoner.js';

/**
 * - `rules`: forecasts by sampled paths, explanations by rules
 * - `forecaster`: sampled paths and the learned forecaster pooled; causes by the cause head and rules
 * - `fused`: probabilities and words of the language model alone
 * - `both`: forecaster and language model
 * - `last-frames`: the learned parts alone, seeing the last four frames and no memory
 * - `no-objects`, `no-fusion`: `both`, the language model without object tokens, or without a visual prefix
 * - `off`: no reasoner
 */
export const REASONER_MODES = [
  'both',
  'fused',
  'forecaster',
  'rules',
  'last-frames',
  'no-objects',
  'no-clips',
  'no-fusion',
  'off',
] as const;
export type ReasonerMode = (typeof REASONER_MODES)[number];

export interface ReasonerDeps {
  readonly forecaster?: ForecastModel | undefined;
  readonly causes?: CauseModel | undefined;
  /** Starting weights of the pool and of the blend of causes. */
  readonly mixture?: MixtureDocument | undefined;
  readonly language?: LanguageModel | undefined;
  /** Additional experts of the forecast. */
  readonly experts?: readonly Expert[] | undefined;
  /** Replaces the explainer of the mode. */
  readonly explainer?: Explainer | undefined;
  /** A language-model server that explains instead of ours or the rules. */
  readonly openai?: OpenAiOptions | undefined;
  /** Pictures for it, when its option `images` is set. */
  readonly keyframes?: Keyframes | undefined;
  /** Recent video, to be looked at again. */
  readonly video?: VideoInspector | undefined;
  /** What the models may take for a forecast, wall ms. Without it every answer is waited for: `analyze`. */
  readonly deadlineMs?: number | undefined;
  readonly queue?: ExplanationQueueOptions;
  /** What an earlier reasoner of the stream saved. */
  readonly state?: unknown;
  /** False: forecasts are stated without online calibration, to measure what that adds. Default true. */
  readonly calibrate?: boolean | undefined;
  /** Measures `by.ms`. Default: the system's clock. */
  readonly clock?: Clock;
}

/** What a mode is made of. */
interface Plan {
  readonly forecaster: boolean;
  readonly language?: LanguageVariant | undefined;
  /** Whether sampled paths have a say where a source speaks. */
  readonly sampled: boolean;
  readonly memory: boolean;
}

/** Events that may wait for an explainer of our own, which takes milliseconds. */
const LOCAL_QUEUE = { capacity: 64 };

/**
 * The reasoner for a mode; undefined for `off`.
 * @throws PresageError `model_missing` when the mode needs a model that is not among the parts
 */
export function createReasoner(mode: ReasonerMode, parts: ReasonerDeps = {}): StreamReasoner | undefined {
  if (mode === 'off') return undefined;
  const plan = planOf(mode, parts.language !== undefined);
  const { clock = systemClock, state, queue, calibrate = true } = parts;
  const live = parts.deadlineMs !== undefined;
  const causeWeight = parts.mixture?.languageCauses;
  const voice =
    plan.language &&
    createLanguageBackend(languageOf(mode, parts), plan.language, { live, causeWeight, clock });
  const view = plan.memory ? undefined : lastFrames;
  const sources = [
    ...(plan.forecaster ? [new LearnedExpert(forecasterOf(mode, parts))] : []),
    ...(voice ? [voice.source] : []),
    ...(parts.experts ?? []),
  ].map((source) => (view ? new LimitedMemoryExpert(source, view) : source));
  const panel = new ExpertPanel({ sources, deadlineMs: parts.deadlineMs });
  const pool = plan.sampled ? new ForecastMixture(parts.mixture) : new SingleExperts();
  const desk = new ForecastCycle({
    clock,
    forecaster: new SamplingForecaster(),
    sources: sources.length > 0 ? { experts: panel, mixture: pool } : undefined,
    calibrate,
  });
  const slow = parts.explainer ?? slowExplainer(plan, parts, voice, clock);
  const rules = new RulesExplainer({ clock });
  return new StreamReasoner({
    ...{ cycle: desk, rules, slow, state, view },
    queue: { ...(slow instanceof LearnedExplainer ? LOCAL_QUEUE : {}), ...queue },
  });
}

/** @param speaks whether there is a language model, which `last-frames` uses where there is one */
function planOf(mode: Exclude<ReasonerMode, 'off'>, speaks: boolean): Plan {
  const all = { forecaster: true, sampled: true, memory: true };
  switch (mode) {
    case 'rules':
      return { ...all, forecaster: false };
    case 'forecaster':
      return all;
    case 'fused':
      return { ...all, forecaster: false, sampled: false, language: 'full' };
    case 'both':
      return { ...all, language: 'full' };
    case 'last-frames':
      return { ...all, sampled: false, memory: false, language: speaks ? 'full' : undefined };
    case 'no-objects':
    case 'no-clips':
    case 'no-fusion':
      return { ...all, language: mode };
  }
}

function slowExplainer(
  plan: Plan,
  { openai, keyframes, video, causes, mixture: pool }: ReasonerDeps,
  voice: LanguageBackend | undefined,
  clock: Clock,
): Explainer | undefined {
  if (openai)
    return new OpenAiExplainer({
      config: openAiConfig(openai),
      clock,
      video,
      ...(keyframes ? { keyframes } : {}),
    });
  const learned =
    plan.forecaster && causes
      ? new LearnedExplainer({ model: causes, blend: pool?.causes, clock })
      : undefined;
  return voice ? voice.explainer(learned ?? new RulesExplainer({ clock }), !plan.forecaster) : learned;
}

function forecasterOf(mode: ReasonerMode, { forecaster }: ReasonerDeps): ForecastModel {
  if (forecaster) return forecaster;
  throw missing(mode, 'the learned forecaster');
}

function languageOf(mode: ReasonerMode, { language }: ReasonerDeps): LanguageModel {
  if (language) return language;
  throw missing(mode, 'the language model');
}

function missing(mode: ReasonerMode, what: string): PresageError {
  return new PresageError('model_missing', `reasoner "${mode}" needs ${what}, which is not there`, {
    hint: 'use --reasoner rules, or restore the models folder',
  });
}
