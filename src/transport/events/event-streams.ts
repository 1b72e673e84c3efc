import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { guarded } from '../../core/guarded.js';
import { queryOf } from '../access/access-policy.js';
import { errorBody, type ErrorBody } from '../http/reply.js';
import type { OutgoingMessage } from '../messages/encode.js';
import type { Connection } from './connection.js';
import { frameOf } from './delivery/frames.js';
import type { Hub } from './hub.js';
import type { Outlet } from './delivery/outlet.js';
import { parsePositions, parseQuery, type QueryRequest } from './subscription.js';

/** What browsers wait before they connect again, unless told otherwise, is up to them; this tells them. */
const RETRY_MS = 1000;
const STREAM_ROUTE = '/v1/streams/:id/events';
const ALL_ROUTE = '/v1/events';

export interface EventStreamsOptions {
  readonly hub: Hub;
  readonly hasStream: (id: string) => boolean;
  /** Why no more clients are taken in; undefined while they are. */
  readonly full: () => string | undefined;
  /** Between comments that keep proxies from ending a quiet connection. */
  readonly heartbeatMs: number;
}

/** Whether a GET of events asks for Server-Sent Events instead of a list. */
function wantsEventStream({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const wanted = (headers.accept ?? '').split(',').find((one) => /^\s*text\/event-stream\b/i.test(one));
  return wanted !== undefined && !/;\s*q=0(\.0*)?\s*$/.test(wanted);
}

/** Server-Sent Events of the messages that WebSocket clients get, for those without WebSocket. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #connections = new Map<ServerResponse, Connection>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs).unref();
  }

  get clients(): number {
    return this.#connections.size;
  }

  /** Adds `GET /v1/events`, and answers those who ask for an event stream there and on the route of a stream's events. */
  register(app: FastifyInstance): void {
    app.addHook('preHandler', async (request, reply) => {
      const { url } = request.routeOptions;
      const ours = request.method === 'GET' && (url === STREAM_ROUTE || url === ALL_ROUTE);
      if (ours && wantsEventStream(request)) await this.#answer(request, reply);
    });
    app.get(ALL_ROUTE, { config: { access: 'read' } }, async (_request, reply) =>
      reply
        .code(426)
        .header('upgrade', 'websocket')
        .send(errorBody('bad_request', 'Connect to this path with a WebSocket, or accept text/event-stream')),
    );
  }

  /** Sends every client what waits for it and ends the response. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const connection of this.#connections.values())
      connection.close(1001, 'the server is shutting down');
  }

  async #answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { id: streamId } = request.params as { id?: string };
    const asked = this.#ask(request.raw, streamId);
    if ('body' in asked) await reply.code(asked.status).send(asked.body);
    else this.#stream(request, reply, asked, streamId);
  }

  #ask(
    request: IncomingMessage,
    streamId: string | undefined,
  ): QueryRequest | { readonly status: number; readonly body: ErrorBody } {
    const { hasStream, full } = this.#options;
    if (streamId !== undefined && !hasStream(streamId)) {
      return { status: 404, body: errorBody('not_found', `There is no stream "${streamId}"`) };
    }
    const problem = full();
    if (problem !== undefined) return { status: 503, body: errorBody('overloaded', problem) };
    const query = queryOf(request);
    if (streamId === undefined) query.set('subscribe', 'all');
    const asked = parseQuery(query, streamId);
    if ('problem' in asked) return { status: 400, body: errorBody('bad_request', asked.problem) };
    return resumed(asked, request.headers['last-event-id']);
  }

  #stream(
    request: FastifyRequest,
    reply: FastifyReply,
    asked: QueryRequest,
    streamId: string | undefined,
  ): void {
    const { hub } = this.#options;
    const { identity } = request;
    reply.hijack();
    const response = reply.raw;
    // The end of the connection is the end of the stream: no chunks around frames that all clients share.
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) response.setHeader(name, value);
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    response.write(`retry: ${RETRY_MS}\n\n`);
    const mayRead = (id: string): boolean => identity?.may('read', id) === true;
    const connection = hub.connect(new EventStreamOutlet(response, streamId), mayRead);
    this.#connections.set(response, connection);
    response.on(
      'drain',
      guarded(
        () => connection.drained(),
        () => response.destroy(),
      ),
    );
    // The connection's end is told by `close`, whatever it was.
    response.on('error', () => response.destroy());
    response.on('close', () => {
      this.#connections.delete(response);
      hub.disconnect(connection);
    });
    if (asked.subscription === undefined) return;
    try {
      connection.subscribe(asked.subscription);
    } catch (thrown) {
      connection.close(1008, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #beat(): void {
    for (const response of this.#connections.keys()) {
      if (!response.writableNeedDrain) response.write(':\n\n');
    }
  }
}

/** Writes events to a response. */
class EventStreamOutlet implements Outlet {
  readonly #response: ServerResponse;
  readonly #format: 'sse' | 'sse-bare';

  constructor(response: ServerResponse, streamId: string | undefined) {
    this.#response = response;
    this.#format = streamId === undefined ? 'sse-bare' : 'sse';
  }

  get bufferedAmount(): number {
    return this.#response.writableLength;
  }

  frame(message: OutgoingMessage): Buffer {
    return frameOf(message, this.#format);
  }

  controlFrame(): undefined {
    return undefined;
  }

  position(message: OutgoingMessage, positions: () => ReadonlyMap<string, number>): Buffer | undefined {
    return this.#format === 'sse-bare' ? positionLine(message, positions()) : undefined;
  }

  write(bytes: Buffer | string): void {
    if (this.#response.writable) this.#response.write(bytes);
  }

  /** There are no codes here; a comment tells a person who looks. */
  close(code: number, reason: string): void {
    this.write(`: ${code} ${reason.replace(/[\r\n]+/g, ' ')}\n\n`);
    this.#response.end();
  }
}

/** Of several streams, a client has to know where it is in each: its own first, then the others. */
function positionLine(message: OutgoingMessage, positions: ReadonlyMap<string, number>): Buffer {
  const all = new Map([[message.streamId, 0], ...positions]);
  return Buffer.from(`id: ${[...all].map(([id, sequence]) => `${id}:${sequence}`).join(',')}\n`);
}

/** Goes on after the last message that a client saw; what it has no position in begins as it asked. */
function resumed(asked: QueryRequest, lastEventId: string | string[] | undefined): QueryRequest {
  const { subscription } = asked;
  const seen = typeof lastEventId === 'string' ? parsePositions(lastEventId) : undefined;
  if (subscription === undefined || seen === undefined) return asked;
  const next = Object.fromEntries([...seen].map(([id, sequence]) => [id, sequence + 1]));
  const from = typeof subscription.from === 'object' ? { ...subscription.from, ...next } : next;
  return { ...asked, subscription: { ...subscription, from } };
}
