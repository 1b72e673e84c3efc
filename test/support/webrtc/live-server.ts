import { createServer as createHttpServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { FrameTaps } from '../../../src/app/webrtc/frame-taps.js';
import { PresageError } from '../../../src/core/errors.js';
import type { Frame } from '../../../src/core/frame.js';
import type { LiveVideoEngine } from '../../../src/core/live-video.js';
import type { Source, SourceState } from '../../../src/core/stages.js';
import { WrtcEngine, type WrtcEngineOptions } from '../../../src/ingest/webrtc/wrtc-engine.js';
import { LiveVideoFeature } from '../../../src/transport/whip/live-video-feature.js';
import type { ServerOptions } from '../../../src/transport/http/server.js';
import { startService } from '../transport/service.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));

/** What came out of a stream: no pixels are kept but those of the newest frame. */
export class SeenStream {
  readonly times: number[] = [];
  readonly sizes: string[] = [];
  readonly states: SourceState[] = [];
  newest: Uint8Array | undefined;
  readonly source: Source;

  constructor(source: Source) {
    this.source = source;
    source.state$.subscribe((state) => this.states.push(state));
    source.frame$.subscribe((frame: Frame) => {
      this.times.push(frame.t);
      const size = `${frame.layout.width}x${frame.layout.height}`;
      if (this.sizes.at(-1) !== size) this.sizes.push(size);
      this.newest = Uint8Array.from(frame.pixels);
      frame[Symbol.dispose]();
    });
  }

  get frames(): number {
    return this.times.length;
  }

  get state(): SourceState['state'] | undefined {
    return this.states.at(-1)?.state;
  }
}

export interface LiveServer {
  readonly http: string;
  readonly engine: WrtcEngine;
  readonly taps: FrameTaps;
  /** Streams that were published to, made when they are. */
  readonly streams: Map<string, SeenStream>;
  /** Address of a page of the folder `examples`, whose origin the server lets in. */
  page(name: string): string;
}

export interface LiveServerOptions extends Partial<Omit<WrtcEngineOptions, 'frames' | 'onError'>> {
  readonly server?: Partial<ServerOptions>;
  /** Streams that cannot be published to. */
  readonly others?: readonly string[];
}

/** The real routes and engine; of a stream's pipeline only the source. Closed with the test. */
export async function startLiveServer({
  server,
  others = [],
  ...engineOptions
}: LiveServerOptions = {}): Promise<LiveServer> {
  const pages = await servePages();
  const taps = new FrameTaps();
  const engine = await WrtcEngine.open({ frames: taps, onError: () => undefined, ...engineOptions });
  const streams = new Map<string, SeenStream>();
  const feature = featureOf(engine, taps, streams, others);
  const { http } = await startService({
    server: { features: [feature], allowedOrigins: [pages.origin], requestsPerSecond: 0, ...server },
  });
  onTestFinished(() => engine[Symbol.asyncDispose]());
  return { http, engine, taps, streams, page: (name) => `${pages.origin}/${name}` };
}

function featureOf(
  engine: LiveVideoEngine,
  taps: FrameTaps,
  streams: Map<string, SeenStream>,
  others: readonly string[],
): LiveVideoFeature {
  return new LiveVideoFeature({
    engine,
    hasStream: (id) => streams.has(id) || others.includes(id),
    preparePublishing: (id) => {
      if (others.includes(id)) throw new PresageError('conflict', `The stream "${id}" has another source`);
      if (streams.has(id)) return;
      streams.set(id, new SeenStream(taps.wrap(id, engine.openPublished(id, { startS: 0 }))));
    },
  });
}

async function servePages(): Promise<{ origin: string }> {
  const server: Server = createHttpServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    if (name === 'empty') {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>empty</title>');
      return;
    }
    readFile(`${EXAMPLES}${name}`).then(
      (bytes) => response.setHeader('content-type', 'text/html; charset=utf-8').end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
