import { z } from 'zod';
import { PresageError } from '../../../core/errors.js';
import { redact } from '../../../core/text/redact.js';

/** Characters that may stand in an HTTP header value: anything else would make `fetch` quote the key in its error. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

const configSchema = z.object({
  baseUrl: z.url({ protocol: /^https?$/ }),
  model: z.string().min(1),
  apiKey: z.string().regex(HEADER_SAFE, 'has characters that no key has').optional(),
  timeoutMs: z.number().int().positive(),
  maxTokens: z.number().int().positive(),
  images: z.boolean(),
  tools: z.boolean(),
});

/** How to reach an OpenAI-compatible server. */
export interface OpenAiConfig {
  /** Up to and with `/v1`, e.g. `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: string;
  /** For one explanation, retries and repair included, ms. Default 20,000. */
  readonly timeoutMs: number;
  /** Tokens of one answer. Default 400: a chain of four steps in JSON fits. */
  readonly maxTokens: number;
  /** Send keyframes; the model must take images. Default false. */
  readonly images: boolean;
  /** Offer tools over memory and recent video, where the server knows tools. Default true. */
  readonly tools: boolean;
}

export type OpenAiOptions = Pick<OpenAiConfig, 'baseUrl' | 'model'> & Partial<OpenAiConfig>;

/** Checks the options and fills in defaults. Throws `bad_option`, which never quotes the key. */
export function openAiConfig(options: OpenAiOptions): OpenAiConfig {
  const parsed = configSchema.safeParse({
    timeoutMs: 20_000,
    maxTokens: 400,
    images: false,
    tools: true,
    ...options,
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0] ?? 'options');
    throw new PresageError('bad_option', `Language model server: ${name}: ${issue?.message ?? 'invalid'}`, {
      hint: 'Give baseUrl such as http://127.0.0.1:11434/v1 and the name of a model that the server has.',
    });
  }
  const { apiKey, ...rest } = parsed.data;
  const url = new URL(rest.baseUrl);
  if (url.username !== '' || url.password !== '') {
    throw new PresageError('bad_option', `Language model server: ${redact(rest.baseUrl)} holds credentials`, {
      hint: 'Leave them out of baseUrl and set apiKey.',
    });
  }
  return { ...rest, baseUrl: rest.baseUrl.replace(/\/+$/, ''), ...(apiKey === undefined ? {} : { apiKey }) };
}
