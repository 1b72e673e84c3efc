import { z } from 'zod';
import { PresageError, toPresageError } from '../../../core/errors.js';
import { redact } from '../../../core/text/redact.js';
import type { OpenAiConfig } from './config.js';

export type ChatContent =
  | string
  | readonly (
      | { readonly type: 'text'; readonly text: string }
      | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }
    )[];

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON as the model wrote it. */
  readonly arguments: string;
}

export type ChatMessage =
  | { readonly role: 'system' | 'user' | 'assistant'; readonly content: ChatContent }
  /** What the model called, in its turn. */
  | { readonly role: 'assistant'; readonly content: string; readonly calls: readonly ToolCall[] }
  /** What one of these calls gave. */
  | { readonly role: 'tool'; readonly content: string; readonly callId: string };

export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  /** JSON schema of the answer. */
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface ChatClientStats {
  readonly requests: number;
  readonly retries: number;
  /** How often a way of asking for JSON was given up because the server refused it. */
  readonly rejectedFormats: number;
}

export interface ToolRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly object[];
}

/** What the model says when it has tools: calls, or words, or both. */
export interface ToolTurn {
  readonly content: string;
  readonly calls: readonly ToolCall[];
}

export interface ChatClientDeps {
  /** Waits; rejects when the signal aborts. Default: a timer. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0–1, for the jitter of retries. Default: Math.random. */
  readonly random?: () => number;
}

/** Tries after the first one, when the server is busy or the network fails. */
const RETRIES = 2;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 4000;
/** An answer is some hundreds of tokens; a server that sends more is not answering. */
const MAX_BYTES = 1 << 20;
/** Characters of a server's complaint that go into an error. */
const MAX_QUOTED = 200;
/** Ways of asking for JSON, best first. A server that refuses one is asked with the next, from then on. */
const FORMATS = ['json_schema', 'json_object', 'prompt'] as const;
type Format = (typeof FORMATS)[number];
/** Statuses with which servers refuse a response format they don't know. */
const REFUSALS: ReadonlySet<number> = new Set([400, 415, 422, 501]);

const toolCallSchema = z
  .object({ id: z.string().default('call'), function: z.object({ name: z.string(), arguments: z.string() }) })
  .transform(({ id, function: { name, arguments: written } }): ToolCall => ({
    id,
    name,
    arguments: written,
  }));
const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          tool_calls: z.array(toolCallSchema).nullish(),
        }),
      }),
    )
    .min(1),
});
type Completion = z.infer<typeof completionSchema>['choices'][number]['message'];

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | undefined;
}

/**
 * POSTs to `/chat/completions` of an OpenAI-compatible server. Retries on 408, 429, 5xx and network failures with capped
 * backoff. Every failure is a PresageError `backend_failed` whose message holds neither the key nor more than the
 * beginning of what the server said; aborting gives `interrupted`.
 */
export class ChatClient {
  readonly #config: OpenAiConfig;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #random: () => number;
  readonly #stats = { requests: 0, retries: 0, rejectedFormats: 0 };
  #format = 0;

  constructor(config: OpenAiConfig, parts: ChatClientDeps = {}) {
    this.#config = config;
    this.#wait = parts.wait ?? waitFor;
    this.#random = parts.random ?? Math.random;
  }

  /** The text of the first choice. */
  async complete(request: ChatRequest, signal: AbortSignal): Promise<string> {
    for (let format = this.#format; ; format++) {
      const name = FORMATS[format] ?? 'prompt';
      const reply = await this.#sendPatiently(request.messages, responseFormat(name, request.schema), signal);
      if (reply.status >= 200 && reply.status < 300) {
        // Given up for good only now: the refusal may have been about something else.
        this.#stats.rejectedFormats += Math.max(format - this.#format, 0);
        this.#format = Math.max(format, this.#format);
        const { content } = messageOf(reply.body, this.#where());
        if (content === undefined || content === null)
          throw new PresageError('backend_failed', `${this.#where()} answered without a message`);
        return content;
      }
      if (!REFUSALS.has(reply.status) || name === 'prompt') throw this.#refused(reply);
    }
  }

  /** One turn with tools. Undefined when the server refuses them. */
  async completeWithTools(request: ToolRequest, signal: AbortSignal): Promise<ToolTurn | undefined> {
    const reply = await this.#sendPatiently(request.messages, { tools: request.tools }, signal);
    // llama.cpp says 500 where it was started without a template for tools.
    if (REFUSALS.has(reply.status) || reply.status >= 500) return undefined;
    if (reply.status < 200 || reply.status >= 300) throw this.#refused(reply);
    const { content, tool_calls: calls } = messageOf(reply.body, this.#where());
    return { content: content ?? '', calls: calls ?? [] };
  }

  stats(): ChatClientStats {
    return { ...this.#stats };
  }

  async #sendPatiently(
    messages: readonly ChatMessage[],
    extra: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Reply> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#send(messages, extra, signal).catch((thrown: unknown) =>
        this.#failed(thrown, signal),
      );
      const retryable =
        outcome instanceof PresageError
          ? outcome.retryable
          : outcome.status === 408 ||
            outcome.status === 429 ||
            (outcome.status >= 500 && outcome.status !== 501);
      if (!retryable || attempt >= RETRIES) {
        if (outcome instanceof PresageError) throw outcome;
        return outcome;
      }
      this.#stats.retries += 1;
      const asked = outcome instanceof PresageError ? undefined : outcome.retryAfterMs;
      const delayMs = asked ?? FIRST_DELAY_MS * 2 ** attempt * (0.5 + this.#random() / 2);
      await this.#wait(Math.min(delayMs, LONGEST_DELAY_MS), signal).catch((thrown: unknown) => {
        throw this.#failed(thrown, signal);
      });
    }
  }

  async #send(
    messages: readonly ChatMessage[],
    extra: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Reply> {
    this.#stats.requests += 1;
    const { baseUrl, model, apiKey, maxTokens } = this.#config;
    const response = await fetch(`${baseUrl}/chat/completions`, {
      method: 'POST',
      signal,
      headers: {
        'content-type': 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({
        model,
        messages: messages.map(wireMessage),
        temperature: 0,
        max_tokens: maxTokens,
        ...extra,
      }),
    });
    const seconds = Number(response.headers.get('retry-after') ?? NaN);
    const body = await readCapped(response);
    return { status: response.status, body, retryAfterMs: seconds >= 0 ? seconds * 1000 : undefined };
  }

  #refused(reply: Reply): PresageError {
    const said = this.#withoutKey(reply.body).replace(/\s+/g, ' ').slice(0, MAX_QUOTED);
    const retryable = reply.status === 429 || reply.status >= 500;
    const hint =
      reply.status === 401 || reply.status === 403
        ? { hint: 'Check the API key of the language model server.' }
        : {};
    const message = `${this.#where()} answered ${reply.status}${said === '' ? '' : `: ${said}`}`;
    return new PresageError('backend_failed', message, { retryable, ...hint });
  }

  /** No cause is attached: it may quote headers, and with them the key. */
  #failed(thrown: unknown, signal: AbortSignal): PresageError {
    if (signal.aborted) return toPresageError(signal.reason, 'interrupted');
    if (thrown instanceof PresageError) return thrown;
    const inner = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    const reason = this.#withoutKey(inner instanceof Error ? inner.message : String(inner)).slice(
      0,
      MAX_QUOTED,
    );
    return new PresageError('backend_failed', `${this.#where()} does not answer: ${reason}`, {
      retryable: true,
    });
  }

  #where(): string {
    return `Language model server ${redact(this.#config.baseUrl)}`;
  }

  #withoutKey(text: string): string {
    const { apiKey } = this.#config;
    return apiKey === undefined ? text : text.replaceAll(apiKey, '***');
  }
}

function responseFormat(format: Format, schema: ChatRequest['schema']): Record<string, unknown> {
  if (format === 'json_object') return { response_format: { type: 'json_object' } };
  if (format === 'prompt') return {};
  return {
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
  };
}

/** A message as the API has it. */
function wireMessage(message: ChatMessage): object {
  if ('callId' in message)
    return { role: message.role, content: message.content, tool_call_id: message.callId };
  if (!('calls' in message)) return message;
  const calls = message.calls.map(({ id, name, arguments: written }) => ({
    id,
    type: 'function',
    function: { name, arguments: written },
  }));
  return { role: message.role, content: message.content, tool_calls: calls };
}

function messageOf(body: string, where: string): Completion {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new PresageError('backend_failed', `${where} answered with something that is not JSON`);
  }
  const message = completionSchema.safeParse(json).data?.choices[0]?.message;
  if (message === undefined) throw new PresageError('backend_failed', `${where} answered without a message`);
  return message;
}

async function readCapped(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    bytes += part.byteLength;
    if (bytes > MAX_BYTES)
      throw new PresageError('backend_failed', `Language model server sends more than ${MAX_BYTES} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(toPresageError(signal.reason, 'interrupted'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
