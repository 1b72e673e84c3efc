import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Answer } from '../../core/messages.js';
import { messageType } from '../../core/messages.js';
import { errorBody } from './reply.js';
import { unknownStream } from './routes.js';
import type { StatusProviders } from './status.js';

/** What came of a question: an answer, or why it was not understood and what can be asked. */
type StreamAnswer =
  | { readonly understood: true; readonly answer: Answer; readonly by: string }
  | {
      readonly understood: false;
      readonly problem: string;
      readonly examples: readonly string[];
      readonly text: string;
    };

/** Rejects with a PresageError when the answer cannot be found out. */
export type AskStream = (streamId: string, question: string) => Promise<StreamAnswer>;

const questionSchema = z.object({ question: z.string().trim().min(1).max(500) });
/** Events and looks. */
const PICTURE_NAME = /^(?:e\d{1,12}|l\d{1,15})$/;

export interface AskingContext {
  readonly status: StatusProviders;
  readonly ask: AskStream | undefined;
  readonly picture: ((streamId: string, eventId: string) => string | undefined) | undefined;
}

/** `POST /v1/streams/{id}/ask` and the pictures of events and looks. */
export function registerAsking(app: FastifyInstance, { status, ask, picture }: AskingContext): void {
  const known = (id: string): boolean => status.streams().some((stream) => stream.id === id);
  app.post(
    '/v1/streams/:id/ask',
    { config: { access: 'read' } },
    async (request: FastifyRequest<{ Params: { id: string } }>, reply) => {
      const { id } = request.params;
      if (!known(id) || ask === undefined) return unknownStream(reply, id);
      const body = questionSchema.safeParse(request.body);
      if (!body.success) {
        const message = 'Post JSON such as {"question": "who is here now?"}, of at most 500 characters';
        return reply.code(400).send(errorBody('bad_request', message));
      }
      const asked = await ask(id, body.data.question);
      if (asked.understood) {
        return {
          type: messageType('answer.created'),
          source: `/streams/${id}`,
          data: asked.answer,
          by: asked.by,
        };
      }
      const { error } = errorBody('bad_request', asked.text);
      return reply.code(422).send({ error: { ...error, problem: asked.problem, examples: asked.examples } });
    },
  );
  app.get(
    '/v1/streams/:id/evidence/:event',
    async (request: FastifyRequest<{ Params: { id: string; event: string } }>, reply) => {
      const { id, event } = request.params;
      if (!known(id)) return unknownStream(reply, id);
      const path = PICTURE_NAME.test(event) ? picture?.(id, event) : undefined;
      // It may have been deleted since it was found.
      const jpeg = path === undefined ? undefined : await readFile(path).catch(ifMissing);
      if (jpeg === undefined)
        return reply.code(404).send(errorBody('not_found', `There is no picture of ${event}`));
      return reply.type('image/jpeg').send(jpeg);
    },
  );
}

/** Stands in for a file that is not there; whatever else is wrong with it is an error of the server. */
function ifMissing(thrown: unknown): undefined {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
}
