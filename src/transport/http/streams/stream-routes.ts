import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseBody } from '../parse.js';
import { placesSchema } from './place-schemas.js';
import type { StreamControl } from './stream-control.js';
import { newStreamSchema, streamChangeSchema } from './stream-schemas.js';

/** Zones of many corners are longer than anything else that is sent. */
const BODY_BYTES = 256 * 1024;

type StreamRequest = FastifyRequest<{ Params: { id: string } }>;

export interface StreamRoutesContext {
  readonly control: StreamControl;
  /** A stream as `GET /v1/streams/{id}` tells it. @throws PresageError `not_found` */
  readonly describe: (id: string, basePath: string) => object;
}

/** Streams made, changed and ended; their zones and lines. */
export function registerStreamControl(
  app: FastifyInstance,
  { control, describe }: StreamRoutesContext,
): void {
  const admin = { config: { access: 'admin' }, bodyLimit: BODY_BYTES } as const;
  app.post('/v1/streams', admin, async ({ body, basePath }, reply) => {
    const stream = parseBody(newStreamSchema, body);
    await control.create(stream);
    return reply
      .code(201)
      .header('location', `${basePath}/v1/streams/${stream.id}`)
      .send(describe(stream.id, basePath));
  });
  app.patch('/v1/streams/:id', admin, async ({ params: { id }, body, basePath }: StreamRequest) => {
    describe(id, basePath);
    await control.change(id, parseBody(streamChangeSchema, body));
    return describe(id, basePath);
  });
  app.delete('/v1/streams/:id', admin, async ({ params: { id } }: StreamRequest, reply) => {
    await control.remove(id);
    return reply.code(204).send();
  });
  app.get('/v1/streams/:id/places', ({ params: { id } }: StreamRequest) => control.places(id));
  app.put('/v1/streams/:id/places', admin, async ({ params: { id }, body, basePath }: StreamRequest) => {
    describe(id, basePath);
    await control.change(id, parseBody(placesSchema, body));
    return control.places(id);
  });
}
