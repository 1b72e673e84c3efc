import { createServer as createHttpServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { onTestFinished } from 'vitest';
import { FrameListeners } from '../../../src/service/webrtc/frame-listeners.js';
import { PresageError } from '../../../src/core/errors.js';
import type { Frame } from '../../../src/core/video/frame.js';
import type { LiveVideoEngine } from '../../../src/core/video/live-video.js';
import type { Source, SourceState } from '../../../src/core/source.js';
import { WrtcEngine, type WrtcEngineOptions } from '../../../src/ingest/webrtc/wrtc-engine.js';
import { LiveVideoFeature } from '../../../src/transport/whip/live-video-feature.js';
import type { ServerOptions } from '../../../src/transport/http/server.js';
import { startService } from '../transport/service.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What came out of a stream: no pixels are kept but those of the newest frame. */
export class SeenStream {
  readonly times: number[] = [];
  readonly sizes: string[] = [];
  readonly states: SourceState[] = [];
  /** Brightness of the middle of each frame, by its media time. */
  readonly greys = new Map<number, number>();
  readonly source: Source;

  constructor(source: Source) {
    this.source = source;
    source.state$.subscribe((state) => this.states.push(state));
    source.frame$.subscribe((frame: Frame) => {
      this.times.push(frame.t);
      const size = `${frame.layout.width}x${frame.layout.height}`;
      if (this.sizes.at(-1) !== size) this.sizes.push(size);
      const { width, height } = frame.layout;
      this.greys.set(frame.t, frame.pixels[(height >> 1) * width + (width >> 1)] ?? 0);
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
  readonly taps: FrameListeners;
  /** Streams that were published to, made when they are. */
  readonly streams: Map<string, SeenStream>;
  /** Address of a page of `examples` or of this folder's `pages`, whose origin the server lets in. */
  page(name: string): string;
}

export interface LiveServerOptions extends Partial<Omit<WrtcEngineOptions, 'frames'>> {
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
  const taps = new FrameListeners();
  const engine = await WrtcEngine.open({ frames: taps, ...engineOptions });
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
  taps: FrameListeners,
  streams: Map<string, SeenStream>,
  others: readonly string[],
): LiveVideoFeature {
  return new LiveVideoFeature({
    engine,
    hasStream: (id) => streams.has(id) || others.includes(id),
    admitPublisher: (id) => {
      if (others.includes(id)) throw new PresageError('conflict', `The stream "${id}" has another source`);
      return () => {
        if (streams.has(id)) return;
        streams.set(id, new SeenStream(taps.wrap(id, engine.openPublished(id, { startS: 0 }))));
      };
    },
  });
}

/** Serves the pages at an origin of its own; closed with the test. */
export async function servePages(): Promise<{ origin: string }> {
  const server: Server = createHttpServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    void pageOf(name).then(
      ({ type, body }) => response.setHeader('content-type', `${type}; charset=utf-8`).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function pageOf(name: string): Promise<{ type: string; body: string }> {
  if (name === 'picture-clock.js') {
    const source = await readFile(at('../../../src/core/video/picture-clock.ts'), 'utf8');
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
    return { type: 'text/javascript', body: ts.transpileModule(source, { compilerOptions }).outputText };
  }
  const folder = name === 'publish.html' ? '../../../examples/' : './pages/';
  return { type: 'text/html', body: await readFile(at(`${folder}${name}`), 'utf8') };
}
