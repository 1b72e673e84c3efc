import { PresageError } from '../core/errors.js';
import type { OpenAiOptions } from '../reasoner/explain/openai/config.js';
import type { Settings } from '../cli/options/option-table.js';

/** Whether the reasoner that is configured looks at the recent video again. */
export function allowsInspection({ reasoner, openaiUrl, openaiTools }: Settings): boolean {
  return reasoner === 'rules' && openaiUrl !== undefined && openaiTools;
}

/** How to reach the language model; undefined where none is configured. @throws PresageError `bad_option` */
export function openaiOptions(settings: Settings): OpenAiOptions | undefined {
  const { openaiUrl, openaiModel, openaiKey, openaiTimeout, openaiImages, openaiTools } = settings;
  if (openaiUrl === undefined) return undefined;
  if (openaiModel === undefined) {
    throw new PresageError(
      'bad_option',
      'option --openai-model: got nothing, expected a model name, since --openai-url is given',
    );
  }
  return {
    baseUrl: openaiUrl,
    model: openaiModel,
    timeoutMs: openaiTimeout * 1000,
    images: openaiImages,
    tools: openaiTools,
    ...(openaiKey === undefined ? {} : { apiKey: openaiKey }),
  };
}
