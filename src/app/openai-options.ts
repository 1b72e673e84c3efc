import { PresageError } from '../core/errors.js';
import type { Settings } from './option-table.js';

/** How to reach the language model; undefined where none is configured. @throws PresageError `bad_option` */
export function openaiOptions(
  settings: Settings,
): { baseUrl: string; model: string; apiKey?: string; timeoutMs: number; images: boolean } | undefined {
  const { openaiUrl, openaiModel, openaiKey, openaiTimeout, openaiImages } = settings;
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
    ...(openaiKey === undefined ? {} : { apiKey: openaiKey }),
  };
}
