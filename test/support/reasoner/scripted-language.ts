import type { AnswerGrammar, LanguageModel, LanguageRequest } from '../../../src/core/learned-models.js';

export interface ScriptedLanguageOptions {
  /** Digit said after a continuation. Default 5. */
  readonly digit?: (continuation: string, request: LanguageRequest) => number;
  /** Piece taken at a branch, among the texts allowed there. Default: the first. */
  readonly piece?: (texts: readonly string[]) => string;
  /** Settles before an answer is given. */
  readonly gate?: () => Promise<unknown>;
}

/** A language model whose answers are written down; it keeps to grammars and signals as the real one does. */
export class ScriptedLanguage implements LanguageModel {
  readonly name = 'scripted@1';
  /** Prompts in the order of asking. */
  readonly prompts: string[] = [];
  readonly continuations: (readonly string[])[] = [];

  constructor(private readonly options: ScriptedLanguageOptions = {}) {}

  async scoreDigits(
    request: LanguageRequest,
    continuations: readonly string[],
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    this.prompts.push(request.prompt);
    this.continuations.push(continuations);
    await this.#wait(signal);
    const scores = new Float32Array(continuations.length * 10);
    continuations.forEach((text, i) => (scores[i * 10 + (this.options.digit?.(text, request) ?? 5)] = 1));
    return scores;
  }

  async complete(
    request: LanguageRequest,
    grammar: AnswerGrammar,
    signal?: AbortSignal,
  ): Promise<{ text: string; logProbability: number }> {
    this.prompts.push(request.prompt);
    await this.#wait(signal);
    let [text, logProbability] = ['', 0];
    for (let state = grammar.states[grammar.start] ?? []; state.length > 0;) {
      const wanted = this.options.piece?.(state.map((edge) => edge.text)) ?? state[0]?.text;
      const edge = state.find((one) => one.text === wanted);
      if (!edge) throw new Error(`the grammar does not allow ${wanted ?? ''}`);
      text += edge.text;
      logProbability += Math.log(1 / state.length);
      state = grammar.states[edge.to] ?? [];
    }
    return { text, logProbability };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const gate = this.options.gate?.();
    if (!gate) return;
    await Promise.race([
      gate,
      new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      ),
    ]);
  }
}
