import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PresageError, type ErrorCode } from '../../core/errors.js';
import type { ServerFeature } from './feature.js';
import { errorBody } from './reply.js';

export interface ClipRequest {
  readonly streamId: string;
  readonly eventId: string;
  /** Shown before and after the event, s. */
  readonly before: number;
  readonly after: number;
  readonly container: 'mp4' | 'webm';
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

export interface Clip {
  /** Media times of the first and the last picture, s. */
  readonly from: number;
  readonly to: number;
  readonly codec: string;
  readonly bytes: Buffer;
}

/** Rejects with a PresageError `not_found`, `not_kept` or `codec_unsupported`. */
export type MakeClip = (request: ClipRequest) => Promise<Clip>;

/** Clips that are made at once: each holds its video in memory, and a child. */
const MAX_AT_ONCE = 4;
/** Longest part before or after an event, s. */
const MAX_S = 60;
const DEFAULT_S = 3;

const paramsSchema = z.object({
  id: z.string(),
  clip: z.string().regex(/^e\d{1,12}\.(?:mp4|webm)$/),
});
const seconds = z
  .string()
  .regex(/^\d{1,2}(?:\.\d{1,3})?$/)
  .transform(Number)
  .pipe(z.number().max(MAX_S))
  .default(DEFAULT_S);
const querySchema = z.object({ before: seconds, after: seconds });
const STATUS: Partial<Record<ErrorCode, number>> = {
  not_found: 404,
  not_kept: 404,
  codec_unsupported: 406,
  overloaded: 503,
};

type ClipHttpRequest = FastifyRequest<{ Params: { id: string; clip: string } }>;

/** `GET /v1/streams/{id}/clips/{eventId}.mp4` (or `.webm`): the original video around an event. */
export class ClipRoutes implements ServerFeature {
  readonly #make: MakeClip;
  #making = 0;

  constructor(make: MakeClip) {
    this.#make = make;
  }

  register(app: FastifyInstance): void {
    app.get(
      '/v1/streams/:id/clips/:clip',
      { config: { access: 'read' } },
      (request: ClipHttpRequest, reply) => this.#answer(request, reply),
    );
  }

  async #answer(request: ClipHttpRequest, reply: FastifyReply): Promise<FastifyReply> {
    const params = paramsSchema.safeParse(request.params);
    if (!params.success) {
      return reply.code(404).send(errorBody('not_found', 'A clip is named by its event, such as e5.mp4'));
    }
    const query = querySchema.safeParse(request.query);
    if (!query.success) {
      const message = `before and after are seconds from 0 to ${MAX_S}`;
      return reply.code(400).send(errorBody('bad_request', message));
    }
    const [eventId, container] = params.data.clip.split('.') as [string, 'mp4' | 'webm'];
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    try {
      const what = { streamId: params.data.id, eventId, container, ...query.data, signal: gone.signal };
      return await send(request, reply, await this.#bounded(what), container);
    } catch (thrown) {
      return await refuse(reply, thrown);
    }
  }

  async #bounded(what: ClipRequest): Promise<Clip> {
    if (this.#making >= MAX_AT_ONCE) {
      throw new PresageError('overloaded', 'Too many clips are being made; ask again in a moment');
    }
    this.#making += 1;
    try {
      return await this.#make(what);
    } finally {
      this.#making -= 1;
    }
  }
}

/** @throws whatever is not one of the errors that clients are told of */
function refuse(reply: FastifyReply, thrown: unknown): FastifyReply {
  const status = thrown instanceof PresageError ? STATUS[thrown.code] : undefined;
  if (!(thrown instanceof PresageError) || status === undefined) throw thrown;
  const { code, message, hint, retryable } = thrown;
  const body = errorBody(code, hint === undefined ? message : `${message}; ${hint}`);
  if (retryable) return reply.code(409).header('retry-after', '1').send(body);
  return reply.code(status).send(body);
}

function send(request: FastifyRequest, reply: FastifyReply, clip: Clip, container: string): FastifyReply {
  const { length } = clip.bytes;
  reply
    .type(`video/${container}`)
    .header('accept-ranges', 'bytes')
    .header('x-presage-from', clip.from.toFixed(6))
    .header('x-presage-to', clip.to.toFixed(6));
  const range = rangeOf(request.headers.range, length);
  if (range === undefined) return reply.send(clip.bytes);
  if (range === 'outside') {
    return reply
      .code(416)
      .header('content-range', `bytes */${length}`)
      .type('application/json')
      .send(errorBody('bad_request', 'The range lies outside of the clip'));
  }
  const [first, last] = range;
  return reply
    .code(206)
    .header('content-range', `bytes ${first}-${last}/${length}`)
    .send(clip.bytes.subarray(first, last + 1));
}

/** First and last byte of a single range (RFC 9110, section 14.2); undefined for none, or one that may be ignored. */
function rangeOf(header: string | undefined, length: number): [number, number] | 'outside' | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  const first = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const last = from === '' || to === '' ? length - 1 : Math.min(Number(to), length - 1);
  if (first >= length) return 'outside';
  return first <= last ? [first, last] : undefined;
}
