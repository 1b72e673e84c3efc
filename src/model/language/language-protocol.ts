import type { AnswerGrammar, LanguageRequest } from '../../core/learned-models.js';
import type { LanguageWork } from './context.js';

/** Files and options of the worker. */
export interface LanguageFiles {
  readonly language: string;
  readonly embeddings: string;
  readonly tokenizer: string;
  readonly fusion: string;
  /** Threads inside one operator. */
  readonly threads: number;
  /** Nice value of the worker thread, 0–19; only Linux supports it per thread. */
  readonly niceness: number;
}

/** One request. `cancel` holds one int32, which becomes 1 when the caller has aborted. */
export type LanguageTask = {
  readonly request: LanguageRequest;
  readonly cancel: SharedArrayBuffer;
} & (
  | { readonly type: 'digits'; readonly continuations: readonly string[] }
  | { readonly type: 'complete'; readonly grammar: AnswerGrammar }
);

export interface LanguageAnswer {
  /** [continuations, 10]; empty for `complete`. */
  readonly digits: Float32Array;
  readonly text: string;
  readonly logProbability: number;
  /** Work of this answer alone. */
  readonly work: LanguageWork;
}
