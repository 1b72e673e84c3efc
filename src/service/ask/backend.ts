import type { QuestionBackend } from '../../ask/ask.js';
import { openAiConfig, type OpenAiOptions } from '../../reasoner/explain/openai/config.js';
import { OpenAiAsker } from '../../reasoner/explain/openai/openai-asker.js';

/** Answers questions that the grammar does not understand; undefined without a language-model server. */
export function questionBackend(options: OpenAiOptions | undefined): QuestionBackend | undefined {
  return options && new OpenAiAsker(openAiConfig(options));
}
