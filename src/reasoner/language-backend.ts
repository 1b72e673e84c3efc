import type { Clock } from '../core/clock.js';
import type { LanguageModel } from '../core/learned-models.js';
import type { Explainer } from '../core/reasoner.js';
import type { AccountSource } from './explain/rules/rules-explainer.js';
import type { ForecastSource } from './forecast/expert.js';
import { FusedExplainer } from './explain/language/language-explainer.js';
import { LanguageBeat } from './forecast/experts/periodic-expert.js';
import { LanguageSource } from './forecast/experts/language-expert.js';
import { FULL_VIEW, type PromptView } from './language/moment-prompt.js';

/** What the language model gets to see: all, or less to show what a part adds. */
export type LanguageVariant = 'full' | 'no-objects' | 'no-clips' | 'no-fusion';

const VIEWS: Readonly<Record<LanguageVariant, PromptView>> = {
  full: FULL_VIEW,
  'no-objects': { ...FULL_VIEW, looks: false },
  'no-clips': { ...FULL_VIEW, clips: false },
  'no-fusion': { prefix: false, looks: false, clips: false },
};

/** The language model in the reasoner of one stream. */
export interface LanguageVoice {
  readonly source: ForecastSource;
  /** @param alone whether it alone says what happened and what was necessary; else the base has its say */
  explainer(base: AccountSource, alone: boolean): Explainer;
}

export interface LanguageVoiceOptions {
  /** Live streams: asked on a beat, and explanations have a time limit. Else every answer is waited for. */
  readonly live: boolean;
  /** Its share in P(necessary) beside another base, 0–1, as fitted on simulated scenes. Default 0: words only. */
  readonly causeWeight?: number | undefined;
  readonly clock?: Clock;
}

/** Beside such a base the chain is the language model's where it holds it likelier than not. */
const LEAST_SURE = 0.5;
/** A live explanation that takes this long is told by rules, ms. */
const LIVE_LIMIT_MS = 4000;

/** What a stream's reasoner takes of the language model that all streams share. */
export function languageVoice(
  model: LanguageModel,
  variant: LanguageVariant,
  { live, causeWeight = 0, clock }: LanguageVoiceOptions,
): LanguageVoice {
  const view = VIEWS[variant];
  const source = new LanguageSource(model, view);
  return {
    source: live ? new LanguageBeat({ source }) : source,
    explainer: (base, alone) =>
      new FusedExplainer({
        model,
        base,
        view,
        causeWeight: alone ? 1 : causeWeight,
        leastSure: alone ? 0 : LEAST_SURE,
        limitMs: live ? LIVE_LIMIT_MS : undefined,
        ...(clock && { clock }),
      }),
  };
}
