import type { CauseQuery, LearnedForecast, TrackTensors } from '../../core/learned-models.js';

/** The files of the thread's models; there are no calls for an absent one. */
export interface LearnedFiles {
  readonly forecaster: string | undefined;
  readonly causes: string | undefined;
}

export type LearnedWork =
  | { readonly type: 'forecast'; readonly tracks: TrackTensors }
  | { readonly type: 'causes'; readonly query: CauseQuery };

export type LearnedAnswer =
  | { readonly type: 'forecast'; readonly forecast: LearnedForecast }
  | { readonly type: 'causes'; readonly necessary: Float32Array };
