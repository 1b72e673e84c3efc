import type { QuestionBackend } from '../../reasoner/ask/ask.js';
import { openAiConfig } from '../../reasoner/openai/config.js';
import { OpenAiAsker } from '../../reasoner/openai/openai-asker.js';
import type { Settings } from '../option-table.js';
import { openaiOptions } from '../openai-options.js';

/** The language model that answers what the grammar does not understand, where one is configured. */
export function questionBackend(settings: Settings): QuestionBackend | undefined {
  const options = openaiOptions(settings);
  return options && new OpenAiAsker(openAiConfig(options));
}
