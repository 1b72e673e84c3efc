import { monitorEventLoopDelay } from 'node:perf_hooks';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket, type RawData } from 'ws';
import { Metrics } from '../../src/service/metrics.js';
import { SharedModels } from '../../src/service/shared-models.js';
import { StreamSession } from '../../src/service/session/stream-session.js';
import { sampleVideo, version } from '../../src/service/version.js';
import type { Draft, Message } from '../../src/core/messages.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { openSource } from '../../src/ingest/open-source.js';
import { parseSource } from '../../src/ingest/source-spec.js';
import { Archive } from '../../src/transport/archive/archive.js';
import { DurableLog } from '../../src/transport/log/durable-log.js';
import { Hub } from '../../src/transport/events/hub.js';
import { createServer } from '../../src/transport/http/server.js';
import { positive, type Bench } from '../support/bench.js';
import { table } from '../support/results.js';
import { quantile } from '../support/statistics.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

/** The default of `--latency-budget`, ms. */
const LATENCY_BUDGET_MS = 250;
/** The loop is asked this often, ms; what is over that is lag. */
const LAG_RESOLUTION_MS = 10;
/** First frames: the code is not compiled yet. */
const WARM_UP_S = 5;
const ID = 'cam1';

/** Times from the arrival of a frame, ms. */
interface Latencies {
  /** To the end of its processing. */
  readonly frame: number[];
  /** To the moment its event was handed to the outputs. */
  readonly eventPublished: number[];
  /** To the arrival of its event's message at a WebSocket client: committed to the log before. */
  readonly eventReceived: number[];
}

/** A live stream at the recording's own pace, put together as `presage watch` does it, with a client in the same process. */
export const latency: Bench = {
  options: { seconds: '120', video: sampleVideo },
  async run(options) {
    const seconds = positive(options, 'seconds');
    await using folder = await TemporaryFolder.make();
    await using log = await DurableLog.open({ folder: folder.path });
    const hub = new Hub({ log });
    const metrics = new Metrics();
    await using models = await SharedModels.open();
    const { perception } = models;
    const source = openSource(parseSource(options['video'] ?? sampleVideo), {
      ffmpeg: await findFfmpeg({}),
      mode: 'live',
      loop: true,
    });
    const archive = new Archive(log, Infinity);
    const recorder = new Recorder();
    await using session = new StreamSession({
      id: ID,
      source,
      perception,
      contacts: models.contacts,
      reasoner: models.reasoner,
      places: { zones: {}, lines: {} },
      stages: { latencyBudgetMs: LATENCY_BUDGET_MS },
      mode: 'live',
      publisher: { streamId: ID, log, sinks: [hub] },
      keep: { store: log, archive },
      observer: metrics.observer(ID),
      sinks: [
        metrics.sink(ID),
        {
          addFrame: (frame) => recorder.frame(frame.receivedAtMs),
          add: (draft) => recorder.told(draft),
          afterFrame: () => recorder.frameDone(),
        },
      ],
    });
    const status = {
      service: () => ({ version, perception: perception.info }),
      streams: () => [session.status()],
    };
    await using server = createServer({ port: 0, hub, log, status, registry: metrics.registry });
    const { url } = await server.listen();
    const client = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/streams/${ID}/events`);
    client.on('message', (data) => recorder.received(data));
    await once(client, 'open');
    const running = session.run();
    await delay(WARM_UP_S * 1000);
    recorder.begin();
    const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    lag.enable();
    await delay(seconds * 1000);
    lag.disable();
    const skipped = Object.values(session.status().drops ?? {}).reduce((sum, count) => sum + count, 0);
    client.terminate();
    await session.close();
    await running;
    return report(recorder.latencies, lag, seconds, skipped);
  },
};

/** Keeps when frames arrived until what they led to was told and received. */
class Recorder {
  readonly latencies: Latencies = { frame: [], eventPublished: [], eventReceived: [] };
  /** When the deciding frame of an event arrived, by the event's id. */
  readonly #arrivals = new Map<string, number>();
  #arrivedMs = NaN;
  #begun = false;

  begin(): void {
    this.#begun = true;
  }

  /** The frame whose drafts are told next. */
  frame(receivedAtMs: number): void {
    this.#arrivedMs = receivedAtMs;
  }

  told(draft: Draft): void {
    if (!this.#begun || draft.kind !== 'event.observed') return;
    this.#arrivals.set(draft.data.event.id, this.#arrivedMs);
    this.latencies.eventPublished.push(performance.now() - this.#arrivedMs);
  }

  frameDone(): void {
    if (this.#begun) this.latencies.frame.push(performance.now() - this.#arrivedMs);
  }

  received(data: RawData): void {
    const nowMs = performance.now();
    const message = JSON.parse((data as Buffer).toString()) as Message;
    if (message.type !== 'presage.event.observed.v1') return;
    const arrivedMs = this.#arrivals.get(message.data.event.id);
    if (arrivedMs !== undefined) this.latencies.eventReceived.push(nowMs - arrivedMs);
  }
}

interface Lag {
  percentile(percentile: number): number;
  readonly max: number;
}

function report(latencies: Latencies, lag: Lag, seconds: number, skipped: number): string {
  const row = (name: string, values: readonly number[]): string[] => [
    name,
    String(values.length),
    ...[quantile(values, 0.5), quantile(values, 0.99), Math.max(...values)].map((ms) => ms.toFixed(1)),
  ];
  const lagMs = (ns: number): string => Math.max(0, ns / 1e6 - LAG_RESOLUTION_MS).toFixed(1);
  return [
    `${seconds} s at the recording's own pace after ${WARM_UP_S} s of warm-up; ${skipped} frames skipped. Each time runs from the`,
    "arrival of the frame's last byte; the wait that an event's definition asks for is not in it.",
    '',
    table(
      ['ms', 'n', 'p50', 'p99', 'max'],
      [
        row('frame processed', latencies.frame),
        row('event handed out', latencies.eventPublished),
        row('event at a WebSocket client', latencies.eventReceived),
        ['event-loop lag', '', lagMs(lag.percentile(50)), lagMs(lag.percentile(99)), lagMs(lag.max)],
      ],
    ),
  ].join('\n');
}
