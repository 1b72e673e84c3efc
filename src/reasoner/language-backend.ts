import type { Clock } from '../core/clock.js';
import type { LanguageModel } from '../core/learned-models.js';
import type { Explainer } from '../core/reasoner.js';
import type { AccountSource } from './explain/rules/rules-explainer.js';
import type { Expert } from './forecast/expert.js';
import { LanguageExplainer } from './explain/language/language-explainer.js';
import { PeriodicExpert } from './forecast/experts/periodic-expert.js';
import { LanguageExpert } from './forecast/experts/language-expert.js';
import { FULL_VIEW, type PromptView } from './language/moment-prompt.js';

/** What the language model gets to see: all, or less to show what a part adds. */
export type LanguageVariant = 'full' | 'no-objects' | 'no-clips' | 'no-fusion';

const VIEWS: Readonly<Record<LanguageVariant, PromptView>> = {
  full: FULL_VIEW,
  'no-objects': { ...FULL_VIEW, appearances: false },
  'no-clips': { ...FULL_VIEW, scenes: false },
  'no-fusion': { prefix: false, appearances: false, scenes: false },
};

/** The language model in the reasoner of one stream. */
export interface LanguageBackend {
  readonly source: Expert;
  /** @param alone whether it alone says what happened and what was necessary; else the base has its say */
  explainer(base: AccountSource, alone: boolean): Explainer;
}

export interface LanguageBackendOptions {
  /** Live streams: asked on a beat, and explanations have a time limit. Else every answer is waited for. */
  readonly live: boolean;
  /** Its share in P(necessary) beside another base, 0–1, as fitted on simulated scenes. Default 0: words only. */
  readonly causeWeight?: number | undefined;
  readonly clock?: Clock;
}

/** Beside such a base the chain is the language model's where it holds it likelier than not. */
const MIN_SURE = 0.5;
/** A live explanation that takes this long is told by rules, ms. */
const LIVE_LIMIT_MS = 4000;

/** What a stream's reasoner takes of the language model that all streams share. */
export function createLanguageBackend(
  model: LanguageModel,
  variant: LanguageVariant,
  { live, causeWeight = 0, clock }: LanguageBackendOptions,
): LanguageBackend {
  const view = VIEWS[variant];
  const source = new LanguageExpert(model, view);
  return {
    source: live ? new PeriodicExpert({ source }) : source,
    explainer: (base, alone) =>
      new LanguageExplainer({
        model,
        base,
        view,
        causeWeight: alone ? 1 : causeWeight,
        minConfidence: alone ? 0 : MIN_SURE,
        limitMs: live ? LIVE_LIMIT_MS : undefined,
        ...(clock && { clock }),
      }),
  };
}
