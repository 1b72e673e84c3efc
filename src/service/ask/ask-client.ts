import { z } from 'zod';
import { PresageError } from '../../core/errors.js';
import { answerSchema } from '../../core/messages.js';
import { redact } from '../../core/text/redact.js';
import type { Asked } from '../../ask/ask.js';

/** Body of the response to `POST /v1/streams/{id}/ask`. */
const replySchema = z.union([
  z.object({ data: answerSchema, by: z.string() }),
  z.object({
    error: z.object({ code: z.string(), message: z.string(), examples: z.array(z.string()).optional() }),
  }),
]);
const TIMEOUT_MS = 120_000;

/** Asks a running service. Rejects with `source_unreachable`, `unauthorized`, `source_not_found` or `bad_request`. */
export async function askRemoteService(
  url: string,
  stream: string,
  question: string,
  token?: string,
): Promise<Asked> {
  const address = new URL(`/v1/streams/${encodeURIComponent(stream)}/ask`, url);
  let response: Response;
  try {
    response = await fetch(address, {
      method: 'POST',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ question }),
    });
  } catch (cause) {
    throw new PresageError('source_unreachable', `${redact(address.href)} does not answer`, {
      cause,
      hint: 'Is presage watch or presage serve running there?',
    });
  }
  const parsed = replySchema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success)
    throw new PresageError('source_unreachable', `${redact(address.href)} is no service of Presage`);
  if ('data' in parsed.data) return { understood: true, answer: parsed.data.data, by: parsed.data.by };
  const { code, message, examples = [] } = parsed.data.error;
  if (response.status === 422) return { understood: false, problem: message, examples, text: message };
  const known =
    response.status === 401 || response.status === 403
      ? 'unauthorized'
      : code === 'not_found'
        ? 'source_not_found'
        : 'bad_request';
  throw new PresageError(
    known,
    message,
    known === 'unauthorized' ? { hint: 'Give the token: --token or PRESAGE_TOKEN.' } : {},
  );
}
