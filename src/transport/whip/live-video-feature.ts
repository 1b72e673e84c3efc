import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PresageError, toPresageError } from '../../core/errors.js';
import type { LiveSession, LiveVideoEngine } from '../../core/video/live-video.js';
import type { ServerFeature } from '../http/feature.js';
import { errorBody } from '../http/reply.js';
import { iceServerLinks } from './ice-server-links.js';
import { checkEntityTag } from './judge-tag.js';
import { statusOf } from './status-of.js';

/** An offer of a browser has some 6 KB. */
const BODY_LIMIT_BYTES = 65_536;
/** When to try again what cannot be done now, s. */
const RETRY_AFTER_S = 5;
const SDP = 'application/sdp';
const FRAGMENT = 'application/trickle-ice-sdpfrag';

export interface LiveVideoOptions {
  readonly engine: LiveVideoEngine;
  readonly hasStream: (streamId: string) => boolean;
  /**
   * Whether the stream can be published to.
   * @returns what makes the stream where there is none, once the offer is answered
   * @throws PresageError `bad_request` for an id that none can have, `conflict` for one with another source
   */
  readonly admitPublisher: (streamId: string) => () => void;
}

interface Way {
  readonly kind: LiveSession['kind'];
  readonly path: 'whip' | 'whep';
  readonly access: 'publish' | 'read';
}

const WAYS: readonly Way[] = [
  { kind: 'publish', path: 'whip', access: 'publish' },
  { kind: 'view', path: 'whep', access: 'read' },
];

type StreamRequest = FastifyRequest<{ Params: { id: string } }>;
type SessionRequest = FastifyRequest<{ Params: { id: string; session: string } }>;

/** WHIP (RFC 9725) at `/v1/streams/{id}/whip` and WHEP (draft-ietf-wish-whep) at `/v1/streams/{id}/whep`. */
export class LiveVideoFeature implements ServerFeature {
  readonly #options: LiveVideoOptions;
  readonly #sessions = new Map<string, LiveSession>();

  constructor(options: LiveVideoOptions) {
    this.#options = options;
  }

  register(app: FastifyInstance): void {
    app.register((scope, _options, done) => {
      // Nothing but SDP is taken; what else comes is answered with 415.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser([SDP, FRAGMENT], { parseAs: 'string' }, (_request, body, parsed) => {
        parsed(null, body);
      });
      for (const way of WAYS) this.#addRoutes(scope, way);
      done();
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close('the service ends')));
  }

  #addRoutes(app: FastifyInstance, way: Way): void {
    const endpoint = `/v1/streams/:id/${way.path}`;
    const options = { config: { access: way.access }, bodyLimit: BODY_LIMIT_BYTES };
    app.post(endpoint, options, (request: StreamRequest, reply) => this.#begin(way, request, reply));
    app.options(endpoint, { config: { access: 'public' } }, (_request, reply) =>
      reply.code(204).headers({ 'accept-post': SDP, allow: 'POST, OPTIONS' }).send(),
    );
    app.patch(`${endpoint}/:session`, options, (request: SessionRequest, reply) =>
      this.#trickle(way, request, reply),
    );
    app.delete(`${endpoint}/:session`, options, (request: SessionRequest, reply) =>
      this.#end(way, request, reply),
    );
    app.options(`${endpoint}/:session`, { config: { access: 'public' } }, (_request, reply) =>
      reply.code(204).headers({ 'accept-patch': FRAGMENT, allow: 'PATCH, DELETE, OPTIONS' }).send(),
    );
    refuseOthers(app, endpoint, way, { others: ['GET', 'PUT', 'PATCH', 'DELETE'], allow: 'POST, OPTIONS' });
    refuseOthers(app, `${endpoint}/:session`, way, {
      others: ['GET', 'PUT', 'POST'],
      allow: 'PATCH, DELETE, OPTIONS',
    });
  }

  async #begin(way: Way, request: StreamRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { id } = request.params;
    const { engine } = this.#options;
    const wrong = refuseType(request, reply, SDP);
    if (wrong) return wrong;
    try {
      const offer = request.body as string;
      const session = await (way.kind === 'publish' ? this.#publish(id, offer) : this.#view(id, offer));
      this.#keep(session, request.identity?.signal);
      const links = iceServerLinks(engine.iceServers);
      return await reply
        .code(201)
        .headers({
          'content-type': SDP,
          location: `${request.basePath}/v1/streams/${id}/${way.path}/${session.id}`,
          etag: session.etag,
          'accept-patch': FRAGMENT,
          ...(links.length > 0 && { link: links }),
        })
        .send(session.answer);
    } catch (thrown) {
      return refuse(reply, thrown);
    }
  }

  async #publish(id: string, offer: string): Promise<LiveSession> {
    const { engine, admitPublisher } = this.#options;
    const makeStream = admitPublisher(id);
    const session = await engine.publish(id, offer);
    try {
      makeStream();
      return session;
    } catch (thrown) {
      await session.close('its stream could not be made');
      throw thrown;
    }
  }

  #view(id: string, offer: string): Promise<LiveSession> {
    const { engine, hasStream } = this.#options;
    if (!hasStream(id)) throw new PresageError('not_found', `There is no stream "${id}"`);
    return engine.view(id, offer);
  }

  async #trickle(way: Way, request: SessionRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = this.#find(way, request);
    if (!session) return unknownSession(reply);
    const wrong = refuseType(request, reply, FRAGMENT);
    if (wrong) return wrong;
    const judged = checkEntityTag(request.headers['if-match'], session.etag);
    if (judged !== 'passes') {
      const message =
        judged === 'missing'
          ? 'The If-Match header is missing: send the ETag of the session'
          : 'The ICE session is another one by now: its ETag does not match';
      return reply.code(judged === 'missing' ? 428 : 412).send(errorBody('bad_request', message));
    }
    try {
      const restarted = await session.trickle(request.body as string);
      if (restarted === undefined) return await reply.code(204).send();
      return await reply.code(200).headers({ 'content-type': FRAGMENT, etag: session.etag }).send(restarted);
    } catch (thrown) {
      return refuse(reply, thrown);
    }
  }

  async #end(way: Way, request: SessionRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = this.#find(way, request);
    if (!session) return unknownSession(reply);
    await session.close('the client ended it');
    return reply.code(200).send();
  }

  #find(way: Way, request: SessionRequest): LiveSession | undefined {
    const session = this.#sessions.get(request.params.session);
    return session?.kind === way.kind && session.streamId === request.params.id ? session : undefined;
  }

  /** Until it ends; with the token that it was begun with. */
  #keep(session: LiveSession, revoked: AbortSignal | undefined): void {
    this.#sessions.set(session.id, session);
    const end = (): void => void session.close('its token was revoked');
    revoked?.addEventListener('abort', end, { once: true });
    void session.closed.then(() => {
      this.#sessions.delete(session.id);
      revoked?.removeEventListener('abort', end);
    });
  }
}

function refuseOthers(
  app: FastifyInstance,
  url: string,
  { access }: Way,
  { others, allow }: { others: string[]; allow: string },
): void {
  app.route({
    url,
    method: others,
    config: { access },
    handler: (request, reply) =>
      reply
        .code(405)
        .header('allow', allow)
        .send(errorBody('bad_request', `${request.method} means nothing here: ${allow}`)),
  });
}

/** Undefined when the body is of the type. */
function refuseType(request: FastifyRequest, reply: FastifyReply, type: string): FastifyReply | undefined {
  const given = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (given === type && typeof request.body === 'string') return undefined;
  return reply.code(415).send(errorBody('bad_request', `Send ${type}`));
}

function unknownSession(reply: FastifyReply): FastifyReply {
  return reply.code(404).send(errorBody('not_found', 'There is no such session'));
}

function refuse(reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = toPresageError(thrown);
  const status = statusOf(error);
  // What fails here is logged and told without details by the server.
  if (status === 500) throw error;
  if (error.retryable) reply.header('retry-after', RETRY_AFTER_S);
  const message = error.hint === undefined ? error.message : `${error.message}: ${error.hint}`;
  return reply.code(status).send(errorBody(error.code, message));
}
