import { z } from 'zod';
import { flag, number, option, optionalText, STREAMING } from './option-spec.js';

/** Options of the language-model server. */
export const OPENAI_OPTIONS = {
  openaiUrl: option({
    flag: 'openai-url',
    value: 'URL',
    env: 'PRESAGE_OPENAI_URL',
    yaml: 'openai.url',
    schema: z.url({ protocol: /^https?$/ }).optional(),
    expected: 'an http or https address such as http://127.0.0.1:8000/v1',
    fallback: undefined,
    description:
      'let an OpenAI-compatible server (vLLM, Ollama, llama.cpp) at this address write the explanations',
    commands: STREAMING,
  }),
  openaiModel: option({
    flag: 'openai-model',
    value: 'NAME',
    env: 'PRESAGE_OPENAI_MODEL',
    yaml: 'openai.model',
    schema: optionalText,
    expected: 'a model name',
    fallback: undefined,
    description: 'model to ask that server for',
    commands: STREAMING,
  }),
  openaiKey: option({
    flag: 'openai-key',
    value: 'SECRET',
    env: 'PRESAGE_OPENAI_KEY',
    yaml: 'openai.key',
    schema: optionalText,
    expected: 'a key',
    fallback: undefined,
    description: 'key for that server (better by environment than by flag)',
    commands: STREAMING,
    secret: true,
  }),
  openaiTimeout: option({
    flag: 'openai-timeout',
    value: 'SECONDS',
    env: 'PRESAGE_OPENAI_TIMEOUT',
    yaml: 'openai.timeout',
    schema: number(1, 600),
    expected: 'seconds from 1 to 600',
    fallback: 30,
    description: 'longest wait for one answer of that server',
    commands: STREAMING,
  }),
  openaiImages: option({
    flag: 'openai-images',
    env: 'PRESAGE_OPENAI_IMAGES',
    yaml: 'openai.images',
    schema: flag,
    expected: 'true or false',
    fallback: false,
    description: 'send keyframes to that server (its model must read images)',
    commands: STREAMING,
  }),
  openaiTools: option({
    flag: 'openai-tools',
    env: 'PRESAGE_OPENAI_TOOLS',
    yaml: 'openai.tools',
    schema: flag,
    expected: 'true or false',
    fallback: true,
    description:
      'let that server look things up in memory and look at the recent video again, where it can call tools',
    commands: STREAMING,
  }),
};
