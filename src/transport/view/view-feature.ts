import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Gauge, type Registry } from 'prom-client';
import { z } from 'zod';
import { guarded } from '../../core/guarded.js';
import type { ServerFeature } from '../http/feature.js';
import { errorBody } from '../http/reply.js';
import { PictureQueue } from './picture-queue.js';
import type {
  StreamView,
  VideoEncoder,
  VideoEncoderSink,
  ViewPicture,
  ViewParameters,
} from './stream-view.js';

/** Each costs bandwidth only: a picture is made once for all of them. */
const MAX_MJPEG_VIEWERS = 64;
/** Each costs an encoder. */
const MAX_MP4_VIEWERS = 4;
const BOUNDARY = 'presage';
const MAX_FPS = 30;
const DEFAULT_FPS = 10;

export interface ViewOptions {
  /** Undefined where there is no such stream. */
  readonly find: (streamId: string) => StreamView | undefined;
  /** Begins an MP4. @throws PresageError when it cannot */
  readonly openEncoder: (fps: number, sink: VideoEncoderSink) => VideoEncoder;
  readonly registry?: Registry | undefined;
}

const flag = z.enum(['0', '1']).transform((value) => value === '1');
const viewParametersSchema = z.strictObject({
  annotated: flag.default(false),
  fps: z.coerce.number().min(0.2).max(MAX_FPS).default(DEFAULT_FPS),
  access_token: z.string().optional(),
});
const stillSchema = z.strictObject({
  t: z.coerce.number().min(0).optional(),
  access_token: z.string().optional(),
});

type ViewRequest = FastifyRequest<{ Params: { id: string } }>;

/** Pictures and video of the streams for those who don't do WebRTC. */
export class ViewFeature implements ServerFeature {
  readonly #options: ViewOptions;
  /** What ends each open view. */
  readonly #open = new Map<() => void, 'mjpeg' | 'mp4'>();
  readonly #counts = { shown: 0, skipped: 0 };

  constructor(options: ViewOptions) {
    this.#options = options;
    if (options.registry) this.#registerMetrics(options.registry);
  }

  register(app: FastifyInstance): void {
    const config = { access: 'read' } as const;
    app.get('/v1/streams/:id/video.mjpeg', { config }, (request: ViewRequest, reply) =>
      this.#answer('mjpeg', request, reply),
    );
    app.get('/v1/streams/:id/video.mp4', { config }, (request: ViewRequest, reply) =>
      this.#answer('mp4', request, reply),
    );
    app.get('/v1/streams/:id/frame.jpg', { config }, (request: ViewRequest, reply) =>
      this.#still(request, reply),
    );
  }

  close(): Promise<void> {
    for (const end of [...this.#open.keys()]) end();
    return Promise.resolve();
  }

  viewers(): Readonly<Record<'mjpeg' | 'mp4', number>> {
    const all = [...this.#open.values()];
    const mp4 = all.filter((kind) => kind === 'mp4').length;
    return { mjpeg: all.length - mp4, mp4 };
  }

  /** Pictures sent to viewers, and left out because a viewer was slow, of views that have ended. */
  counts(): Readonly<Record<'shown' | 'skipped', number>> {
    return { ...this.#counts };
  }

  #answer(kind: 'mjpeg' | 'mp4', request: ViewRequest, reply: FastifyReply): FastifyReply {
    const view = this.#options.find(request.params.id);
    if (!view) return unknown(reply, request.params.id);
    const wish = viewParametersSchema.safeParse(request.query);
    if (!wish.success) return refuse(reply, wish.error);
    if (this.viewers()[kind] >= (kind === 'mp4' ? MAX_MP4_VIEWERS : MAX_MJPEG_VIEWERS)) {
      reply.code(503).header('retry-after', 5);
      return reply.send(errorBody('overloaded', `${this.viewers()[kind]} viewers watch as ${kind} already`));
    }
    if (kind === 'mp4') this.#mp4(view, wish.data, reply);
    else this.#mjpeg(view, wish.data, reply);
    return reply;
  }

  #mjpeg(view: StreamView, wish: ViewParameters, reply: FastifyReply): void {
    const response = begin(reply, `multipart/x-mixed-replace; boundary=${BOUNDARY}`);
    response.write(`--${BOUNDARY}\r\n`);
    const queue = new PictureQueue({ write: (picture) => writePart(response, picture) });
    response.on(
      'drain',
      guarded(
        () => queue.drained(),
        () => response.destroy(),
      ),
    );
    this.#watch('mjpeg', view, wish, { response, queue, stop: () => undefined });
  }

  #mp4(view: StreamView, wish: ViewParameters, reply: FastifyReply): void {
    // Chunks of a video can't be left out: a viewer that doesn't read makes pictures wait before the encoder.
    const encoder = this.#options.openEncoder(wish.fps, {
      data: (chunk) => void response.write(chunk),
      end: () => response.end(),
    });
    const response = begin(reply, 'video/mp4');
    const queue = new PictureQueue({
      write: ({ jpeg }) => encoder.write(jpeg) && !response.writableNeedDrain,
    });
    const drain = guarded(
      () => {
        if (!response.writableNeedDrain) queue.drained();
      },
      () => response.destroy(),
    );
    const retry = setInterval(drain, 1000 / wish.fps).unref();
    const stop = (): void => {
      clearInterval(retry);
      encoder.close();
    };
    this.#watch('mp4', view, wish, { response, queue, stop });
  }

  #watch(
    kind: 'mjpeg' | 'mp4',
    view: StreamView,
    wish: ViewParameters,
    { response, queue, stop }: { response: ServerResponse; queue: PictureQueue; stop: () => void },
  ): void {
    const end = (): void => {
      if (!this.#open.delete(end)) return;
      unwatch();
      stop();
      this.#counts.shown += queue.shown;
      this.#counts.skipped += queue.skipped;
      response.end();
    };
    this.#open.set(end, kind);
    let unwatch = (): void => undefined;
    response.once('close', end);
    // The response is no longer fastify's: a viewer whose pictures cannot be written is ended here.
    const fail = (): void => {
      end();
      response.destroy();
    };
    const next = guarded((picture: ViewPicture) => queue.add(picture), fail);
    response.on('error', fail);
    guarded(() => (unwatch = view.watch(wish, { next, end })), fail)();
  }

  async #still(request: ViewRequest, reply: FastifyReply): Promise<FastifyReply> {
    const view = this.#options.find(request.params.id);
    if (!view) return unknown(reply, request.params.id);
    const query = stillSchema.safeParse(request.query);
    if (!query.success) return refuse(reply, query.error);
    const picture = await view.still(query.data.t);
    if (!picture) {
      const [status, code] =
        query.data.t === undefined ? ([404, 'not_found'] as const) : ([410, 'not_kept'] as const);
      return reply.code(status).send(errorBody(code, 'No picture of that time is kept'));
    }
    return reply.header('x-presage-mediatime', picture.t.toFixed(6)).type('image/jpeg').send(picture.jpeg);
  }

  #registerMetrics(registry: Registry): void {
    const counts = this.#counts;
    const viewers = this.viewers.bind(this);
    new Gauge({
      name: 'presage_viewers',
      help: 'Who watches video over HTTP',
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        for (const [kind, count] of Object.entries(viewers())) this.set({ kind }, count);
      },
    });
    new Counter({
      name: 'presage_viewer_pictures_total',
      help: 'Pictures of ended views: shown, or skipped because the viewer was slow',
      labelNames: ['outcome'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [outcome, count] of Object.entries(counts)) this.inc({ outcome }, count);
      },
    });
  }
}

/** From here on the response is ours. */
function begin(reply: FastifyReply, type: string): ServerResponse {
  const headers = { ...reply.getHeaders(), 'content-type': type };
  reply.hijack();
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.writeHead(200);
  return reply.raw;
}

/** The boundary follows at once: browsers show a part when they see its end. */
function writePart(response: ServerResponse, { t, jpeg }: ViewPicture): boolean {
  response.cork();
  response.write(
    `Content-Type: image/jpeg\r\nContent-Length: ${jpeg.byteLength}\r\nX-Presage-Mediatime: ${t.toFixed(6)}\r\n\r\n`,
  );
  response.write(jpeg);
  const taken = response.write(`\r\n--${BOUNDARY}\r\n`);
  process.nextTick(() => response.uncork());
  return taken;
}

function unknown(reply: FastifyReply, id: string): FastifyReply {
  return reply.code(404).send(errorBody('not_found', `There is no stream "${id}"`));
}

function refuse(reply: FastifyReply, { issues }: z.ZodError): FastifyReply {
  const [issue] = issues;
  const where = issue?.path.map(String).join('.') ?? '';
  return reply
    .code(400)
    .send(errorBody('bad_request', `${where === '' ? '' : `${where}: `}${issue?.message ?? ''}`));
}
