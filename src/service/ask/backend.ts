import type { QuestionBackend } from '../../ask/ask.js';
import { openAiConfig } from '../../reasoner/explain/openai/config.js';
import { OpenAiAsker } from '../../reasoner/explain/openai/openai-asker.js';
import type { Settings } from '../../cli/options/option-table.js';
import { openaiOptions } from '../openai-options.js';

/** The language model that answers what the grammar does not understand, where one is configured. */
export function questionBackend(settings: Settings): QuestionBackend | undefined {
  const options = openaiOptions(settings);
  return options && new OpenAiAsker(openAiConfig(options));
}
