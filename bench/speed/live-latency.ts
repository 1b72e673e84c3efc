import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { lastValueFrom, tap } from 'rxjs';
import { WebSocket, type RawData } from 'ws';
import { Metrics } from '../../src/service/metrics.js';
import { SharedModels } from '../../src/service/shared-models.js';
import { StreamSession } from '../../src/service/session/stream-session.js';
import { sampleVideo, version } from '../../src/service/version.js';
import { FrameListeners } from '../../src/service/webrtc/frame-listeners.js';
import type { Frame } from '../../src/core/video/frame.js';
import type { LiveVideoEngine } from '../../src/core/video/live-video.js';
import type { Message } from '../../src/core/messages.js';
import type { Source } from '../../src/core/source.js';
import { EncodedRing } from '../../src/ingest/encoded/encoded-ring.js';
import { findFfmpeg, type Ffmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { MediasoupEngine } from '../../src/ingest/mediasoup/mediasoup-engine.js';
import { openSource } from '../../src/ingest/open-source.js';
import { parseSource } from '../../src/ingest/source-spec.js';
import { WrtcEngine } from '../../src/ingest/webrtc/wrtc-engine.js';
import { Hub } from '../../src/transport/events/hub.js';
import { createServer } from '../../src/transport/http/server.js';
import { DurableLog } from '../../src/transport/log/durable-log.js';
import { positive, type Bench } from '../support/bench.js';
import { captureTime, publishFromBrowser, RtspCamera } from './live-latency-camera.js';
import { table } from '../support/results.js';
import { median, quantile } from '../support/statistics.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

/** The default of `--latency-budget`, ms. */
const LATENCY_BUDGET_MS = 250;
const ID = 'cam1';
const RTSP_PORT = 18_554;
/** Until the code is compiled and the publisher has found its bitrate. */
const WARM_UP_S = 6;
/** Pairs of decoding with and without the ring. */
const RING_ROUNDS = 5;
const RING = { seconds: 30, maxBytes: 32e6 };

/** From the making of a picture, ms. */
interface Ages {
  readonly atFrame: number[];
  readonly atMessage: number[];
}

interface Camera extends AsyncDisposable {
  readonly source: Source;
  /** Begins to publish; called once the source is read. */
  publish(): Promise<AsyncDisposable>;
}

/** From a picture's making in a camera to its frame here, and to the message about it at a WebSocket client. */
export const liveLatency: Bench = {
  options: { seconds: '30' },
  async run(options) {
    const seconds = positive(options, 'seconds');
    const ffmpeg = await findFfmpeg({});
    const cameras: Readonly<Record<string, () => Promise<Camera>>> = {
      'RTSP (H.264, ffmpeg)': () => Promise.resolve(rtspCamera(ffmpeg)),
      'WebRTC, wrtc (Chromium)': () => browserCamera(openWrtc()),
      'WebRTC, mediasoup (Chromium)': () => browserCamera(openMediasoup(ffmpeg)),
    };
    const rows: string[][] = [];
    for (const [name, open] of Object.entries(cameras)) {
      const { atFrame, atMessage } = await measure(open, seconds);
      rows.push([name, 'frame', ...columns(atFrame)], ['', 'message', ...columns(atMessage)]);
    }
    return [
      `640 × 360 at 25 pictures a second, ${seconds} s after ${WARM_UP_S} s of warm-up. Every picture carries the wall time at which it was`,
      'made; `frame`: its frame is in this process, `message`: the message about it is at a WebSocket client. Camera, encoder and client',
      `share the machine with Presage; its load then was ${loadavg()[0]?.toFixed(1) ?? '?'} on ${availableParallelism()} cores.`,
      '',
      table(['camera', 'ms to', 'n', 'p50', 'p95', 'p99'], rows),
      '',
      await ringCost(ffmpeg),
    ].join('\n');
  },
};

function columns(ages: readonly number[]): string[] {
  return [String(ages.length), ...[0.5, 0.95, 0.99].map((q) => quantile(ages, q).toFixed(0))];
}

function rtspCamera(ffmpeg: Ffmpeg): Camera {
  const address = `127.0.0.1:${RTSP_PORT}/camera`;
  const encoded = new EncodedRing(RING);
  const source = openSource(parseSource(`rtsp-listen://${address}`), { ffmpeg, mode: 'live', encoded });
  return {
    source,
    publish: () => Promise.resolve(new RtspCamera(`rtsp://${address}`, ffmpeg.path)),
    [Symbol.asyncDispose]: () => source.close(),
  };
}

function openWrtc(): Promise<LiveVideoEngine> {
  return WrtcEngine.open({ frames: new FrameListeners() });
}

function openMediasoup(ffmpeg: Ffmpeg): Promise<LiveVideoEngine> {
  const fixed = { host: '127.0.0.1', iceServers: [], maxSessions: 4, stallMs: 10_000 };
  return MediasoupEngine.open({ ...fixed, ffmpeg, onError: complain });
}

async function browserCamera(opening: Promise<LiveVideoEngine>): Promise<Camera> {
  const engine = await opening;
  return {
    source: engine.openPublished(ID, { startS: 0, encoded: new EncodedRing(RING) }),
    publish: () => publishFromBrowser(engine, ID),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

function complain(error: Error): void {
  process.stderr.write(`${error.message}\n`);
}

async function measure(open: () => Promise<Camera>, seconds: number): Promise<Ages> {
  await using folder = await TemporaryFolder.make();
  await using log = await DurableLog.open({ folder: folder.path });
  const hub = new Hub({ log });
  const metrics = new Metrics();
  await using models = await SharedModels.open();
  const { perception } = models;
  await using camera = await open();
  const ages: Ages = { atFrame: [], atMessage: [] };
  const made = new Map<string, number>();
  let begun = false;
  await using session = new StreamSession({
    id: ID,
    source: camera.source,
    perception,
    contacts: models.contacts,
    reasoner: models.reasoner,
    places: { zones: {}, lines: {} },
    stages: { latencyBudgetMs: LATENCY_BUDGET_MS },
    observer: metrics.observer(ID),
    mode: 'live',
    publisher: { streamId: ID, log, sinks: [hub] },
    sinks: [
      metrics.sink(ID),
      {
        addFrame: (frame: Frame) => {
          const nowMs = Date.now();
          const atMs = captureTime(frame, nowMs);
          if (!begun || atMs === undefined) return;
          ages.atFrame.push(nowMs - atMs);
          made.set(frame.t.toFixed(3), atMs);
        },
      },
    ],
  });
  const status = {
    service: () => ({ version, perception: perception.info }),
    streams: () => [session.status()],
  };
  await using server = createServer({ port: 0, hub, log, status, registry: metrics.registry });
  const { url } = await server.listen();
  const address = `${url.replace(/^http/, 'ws')}/v1/streams/${ID}/events?types=objects.updated&objects_rate=120`;
  const client = new WebSocket(address);
  client.on('message', (data: RawData) => {
    const { mediatime } = JSON.parse((data as Buffer).toString()) as Message;
    const atMs = made.get(mediatime.toFixed(3));
    if (atMs !== undefined) ages.atMessage.push(Date.now() - atMs);
  });
  await once(client, 'open');
  const running = session.run();
  const publisher = await camera.publish();
  while (session.status().state !== 'live' && session.status().state !== 'degraded') await delay(100);
  await delay(WARM_UP_S * 1000);
  begun = true;
  await delay(seconds * 1000);
  client.terminate();
  await publisher[Symbol.asyncDispose]();
  await session.close();
  await running;
  return ages;
}

/** What the ring costs a decoder that runs as fast as it can: the most that it ever could. */
async function ringCost(ffmpeg: Ffmpeg): Promise<string> {
  const fps = { with: [] as number[], without: [] as number[] };
  for (let round = 0; round < RING_ROUNDS; round += 1) {
    for (const kind of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
      fps[kind].push(await decodeRate(ffmpeg, kind === 'with' ? new EncodedRing(RING) : undefined));
    }
  }
  const [withRing, without] = [median(fps.with), median(fps.without)];
  return (
    `Decoding alone, as fast as it goes, medians of ${RING_ROUNDS} in turns: ${withRing.toFixed(0)} pictures a second with the ring of ` +
    `encoded video, ${without.toFixed(0)} without (${((withRing / without - 1) * 100).toFixed(1)} %). \`analyze\` has no ring.`
  );
}

async function decodeRate(ffmpeg: Ffmpeg, encoded: EncodedRing | undefined): Promise<number> {
  await using source = openSource(parseSource(sampleVideo), { ffmpeg, mode: 'lossless', encoded });
  let frames = 0;
  const startMs = performance.now();
  await lastValueFrom(
    source.frame$.pipe(
      tap((frame) => {
        frames += 1;
        frame[Symbol.dispose]();
      }),
    ),
  );
  return (frames / (performance.now() - startMs)) * 1000;
}
