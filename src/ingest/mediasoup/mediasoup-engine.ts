import { setTimeout as delay } from 'node:timers/promises';
import { networkInterfaces } from 'node:os';
import { PresageError, toPresageError } from '../../core/errors.js';
import type {
  IceServer,
  LiveSession,
  LiveVideoEngine,
  PublishedOptions,
} from '../../core/video/live-video.js';
import type { Source } from '../../core/source.js';
import { backoffMs } from '../backoff.js';
import { openSource, type OpenSourceOptions } from '../open-source.js';
import type { PreparedRun } from '../ffmpeg-options.js';
import { loadMediasoup, startWorker, type MediasoupModule, type types } from './mediasoup.js';
import { MediasoupSession } from './mediasoup-session.js';
import { prepareRtp, type Publication } from './publication.js';
import { producerParameters, ROUTER_CODECS } from './rtp-parameters.js';
import { writeAnswer } from './sdp-answer.js';
import { readOffer, receives, sends, type Offer } from './sdp-offer.js';
import { Viewing } from './viewing.js';

/** A publisher that has said nothing for this long has gone, s. */
const CONSENT_S = 10;

export interface MediasoupEngineOptions {
  readonly ffmpeg: OpenSourceOptions['ffmpeg'];
  /** Address that the HTTP server listens on. */
  readonly host: string;
  /** UDP ports of media. Default: any that is free. */
  readonly ports?: { readonly min: number; readonly max: number } | undefined;
  readonly iceServers: readonly IceServer[];
  /** Publishers and viewers at once. */
  readonly maxSessions: number;
  /** A stream without a picture for this long is taken up anew, ms. */
  readonly stallMs: number;
  readonly onError: (error: PresageError) => void;
}

interface Published extends Publication {
  readonly session: MediasoupSession;
  readonly end: AbortController;
}

interface Core {
  readonly worker: types.Worker;
  readonly router: types.Router;
  readonly viewing: Viewing;
}

/**
 * WebRTC by mediasoup: publishers come into a router, from which the decoder of the stream and any number of viewers are
 * served, so that one camera is uploaded once however many watch, and nothing is encoded here. The router is a process of
 * its own; when it dies, it is started again, and whoever was connected is told so by the end of the session.
 */
export class MediasoupEngine implements LiveVideoEngine {
  readonly name = 'mediasoup';
  readonly iceServers: readonly IceServer[];
  readonly #options: MediasoupEngineOptions;
  readonly #mediasoup: MediasoupModule;
  readonly #sessions = new Set<MediasoupSession>();
  readonly #published = new Map<string, Published>();
  readonly #sources = new Set<Source>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #stop = new AbortController();
  #core: Promise<Core>;

  private constructor(options: MediasoupEngineOptions, mediasoup: MediasoupModule, core: Core) {
    this.#options = options;
    this.iceServers = options.iceServers;
    this.#mediasoup = mediasoup;
    this.#core = Promise.resolve(core);
    this.#watch(core);
  }

  /** @throws PresageError `device_unavailable` where mediasoup or its worker is missing */
  static async open(options: MediasoupEngineOptions): Promise<MediasoupEngine> {
    const mediasoup = await loadMediasoup();
    return new MediasoupEngine(options, mediasoup, await openCore(mediasoup, options));
  }

  async publish(streamId: string, offer: string): Promise<LiveSession> {
    const read = readOffer(offer);
    if (!sends(read.video)) throw new PresageError('bad_request', 'The offer does not send its video');
    const { router } = await this.#ready();
    const transport = await this.#connect(router, read);
    try {
      const { codec, rtpParameters, extensions } = producerParameters(read);
      const producer = await transport.produce({ kind: 'video', rtpParameters });
      const video = {
        direction: 'recvonly',
        codec,
        withRtx: rtpParameters.codecs.length > 1,
        extensions,
      } as const;
      const session = this.#session(
        'publish',
        streamId,
        read,
        transport,
        writeAnswer(read, video, transport),
      );
      await this.#takeOver(streamId, { router, producer, session });
      return session;
    } catch (thrown) {
      transport.close();
      throw toPresageError(thrown, 'bad_request');
    }
  }

  async view(streamId: string, offer: string): Promise<LiveSession> {
    const read = readOffer(offer);
    if (!receives(read.video)) throw new PresageError('bad_request', 'The offer does not receive video');
    const published = this.#published.get(streamId);
    if (!published) {
      throw new PresageError('source_unreachable', `Nobody publishes "${streamId}" now`, {
        retryable: true,
        hint: 'mediasoup shows streams that are published by WebRTC; other streams: --webrtc wrtc, or video.mjpeg',
      });
    }
    const { viewing } = await this.#ready();
    const chosen = viewing.choose(read, published.producer);
    const router = await viewing.routerOf(chosen);
    const transport = await this.#connect(router, read);
    try {
      const { consumer, answer } = await viewing.show(published, chosen, router, transport, read);
      const session = this.#session('view', streamId, read, transport, answer);
      consumer.on('producerclose', () => void session.close('the publisher has gone'));
      return session;
    } catch (thrown) {
      transport.close();
      throw toPresageError(thrown, 'internal');
    }
  }

  openPublished(streamId: string, { startS, encoded }: PublishedOptions): Source {
    const { ffmpeg, stallMs } = this.#options;
    const name = 'webrtc:';
    const source = openSource(
      { kind: 'rtp', name, sdp: '' },
      {
        ...{ ffmpeg, mode: 'live', stallMs, startS, encoded },
        prepare: (signal) => this.#prepare(streamId, name, signal),
      },
    );
    this.#sources.add(source);
    source.state$.subscribe({ complete: () => this.#sources.delete(source) });
    return source;
  }

  /** Ends all sessions, sources and the worker. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#sources].map((source) => source.close()));
    await Promise.all([...this.#sessions].map((session) => session.close('Presage ends')));
    const core = await this.#core.catch(() => undefined);
    core?.worker.close();
  }

  async #connect(router: types.Router, offer: Offer): Promise<types.WebRtcTransport> {
    if (this.#sessions.size >= this.#options.maxSessions) {
      throw new PresageError('overloaded', `There are ${this.#options.maxSessions} sessions already`, {
        retryable: true,
      });
    }
    const transport = await router.createWebRtcTransport({
      listenInfos: addresses(this.#options.host).map((ip) => ({ protocol: 'udp', ip })),
      enableUdp: true,
      iceConsentTimeout: CONSENT_S,
    });
    try {
      await transport.connect({ dtlsParameters: offer.dtls });
      return transport;
    } catch (thrown) {
      transport.close();
      throw toPresageError(thrown, 'bad_request');
    }
  }

  #session(
    kind: LiveSession['kind'],
    streamId: string,
    offer: Offer,
    transport: types.WebRtcTransport,
    answer: string,
  ): MediasoupSession {
    const session = new MediasoupSession({ streamId, kind, offer, transport, answer });
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    return session;
  }

  async #takeOver(
    streamId: string,
    parts: Pick<Published, 'router' | 'producer' | 'session'>,
  ): Promise<void> {
    const before = this.#published.get(streamId);
    const end = new AbortController();
    this.#published.set(streamId, { ...parts, end, ended: end.signal });
    void parts.session.closed.then(() => {
      end.abort();
      if (this.#published.get(streamId)?.end === end) this.#published.delete(streamId);
    });
    await before?.session.close('another publisher took its place');
    this.#waiting.get(streamId)?.forEach((wake) => wake());
  }

  /** Waits for a publisher. Rejects only when the signal is aborted. */
  async #prepare(streamId: string, name: string, signal: AbortSignal): Promise<PreparedRun> {
    for (let attempt = 1; ; attempt += 1) {
      const published = this.#published.get(streamId);
      if (!published || published.ended.aborted) {
        await this.#publisher(streamId, signal);
        attempt = 0;
        continue;
      }
      try {
        return await prepareRtp(name, published);
      } catch (thrown) {
        this.#options.onError(toPresageError(thrown));
        await delay(backoffMs(attempt, { baseMs: 100, maxMs: 5_000 }), undefined, { signal });
      }
    }
  }

  #publisher(streamId: string, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(streamId) ?? new Set();
    this.#waiting.set(streamId, waiting);
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        waiting.delete(wake);
        signal.removeEventListener('abort', stop);
        settle();
      };
      const wake = (): void => end(resolve);
      const stop = (): void => end(() => reject(new PresageError('interrupted', 'The source was closed')));
      waiting.add(wake);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
    });
  }

  async #ready(): Promise<Core> {
    try {
      return await this.#core;
    } catch (cause) {
      throw new PresageError('overloaded', 'The router is being started again', { cause, retryable: true });
    }
  }

  #watch({ worker }: Core): void {
    worker.once('died', (error) => {
      if (this.#stop.signal.aborted) return;
      this.#options.onError(
        new PresageError(
          'worker_crashed',
          `The worker of mediasoup died and is started again: ${error.message}`,
        ),
      );
      for (const session of this.#sessions) void session.close('the router crashed');
      this.#core = this.#restart();
      // Whoever needs it meanwhile is told by `#ready`.
      this.#core.catch(() => undefined);
    });
  }

  async #restart(): Promise<Core> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const core = await openCore(this.#mediasoup, this.#options);
        if (this.#stop.signal.aborted) core.worker.close();
        else this.#watch(core);
        return core;
      } catch (thrown) {
        this.#options.onError(toPresageError(thrown));
        await delay(backoffMs(attempt, { baseMs: 500, maxMs: 30_000 }), undefined, {
          signal: this.#stop.signal,
        });
      }
    }
  }
}

async function openCore(mediasoup: MediasoupModule, { ports }: MediasoupEngineOptions): Promise<Core> {
  const worker = await startWorker(mediasoup, ports);
  const router = await worker.createRouter({ mediaCodecs: [...ROUTER_CODECS] });
  return { worker, router, viewing: new Viewing(worker) };
}

/**
 * Addresses at which media is taken. Those of the network also where the server listens on the loopback address: some
 * clients (libnice) send nothing to that, and media is taken only from who knows the secret of a session.
 */
function addresses(host: string): string[] {
  const loopback = '127.0.0.1';
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = own
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  if (host === 'localhost' || host === '::1' || host.startsWith('127.')) return [loopback, ...outer];
  if (outer.includes(host)) return [host];
  return outer.length > 0 ? outer : [loopback];
}
