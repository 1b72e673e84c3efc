import { toPresageError, PresageError } from '../../core/errors.js';
import type { IceServer, LiveFrames, LiveSession, LiveVideoEngine } from '../../core/video/live-video.js';
import type { Source } from '../../core/source.js';
import { PublishedSource } from './published-source.js';
import { firstCodec, readOffer, type Offer } from './sdp.js';
import { ViewerFeed } from './viewer-feed.js';
import { sendMediatime } from './mediatime-channel.js';
import {
  loadWrtc,
  WRTC_CODECS,
  type MediaTrack,
  type PeerConnection,
  type VideoSink,
  type Wrtc,
} from './wrtc.js';
import { WrtcSession, type WrtcSessionOptions } from './wrtc-session.js';

export interface WrtcEngineOptions {
  readonly frames: LiveFrames;
  readonly iceServers?: readonly IceServer[];
  /** UDP ports of media; any when omitted. */
  readonly ports?: { readonly min: number; readonly max: number } | undefined;
  /** Publishers and viewers at once, those whose ICE has not completed included. Default 32. */
  readonly maxSessions?: number;
  /** Sessions whose ICE has not completed; each holds threads and ports. Default 16. */
  readonly maxHalfOpen?: number;
  /** A publisher that sends no picture for this long has stalled, ms. Default 10 s. */
  readonly stallMs?: number;
  /** A session whose ICE does not complete within this ends, ms. Default 15 s. */
  readonly connectMs?: number;
  /** One that lost its connection may restart ICE for this long, ms. Default 30 s. */
  readonly lostMs?: number;
}

const DEFAULTS = {
  iceServers: [],
  maxSessions: 32,
  maxHalfOpen: 16,
  stallMs: 10_000,
  connectMs: 15_000,
  lostMs: 30_000,
};
const GATHER_MS = 2000;

/** What a stream is to the engine. */
interface Stream {
  source: PublishedSource | undefined;
  /** The publisher whose pictures are taken. */
  publisher: WrtcSession | undefined;
}

/** WebRTC in this process: publishers are decoded here, viewers encoded for, each on its own. */
export class WrtcEngine implements LiveVideoEngine {
  readonly name = 'wrtc';
  readonly iceServers: readonly IceServer[];
  readonly #wrtc: Wrtc;
  readonly #options: WrtcEngineOptions & Required<Pick<WrtcEngineOptions, keyof typeof DEFAULTS>>;
  readonly #sessions = new Set<WrtcSession>();
  /** Offers that are being answered. */
  #answering = 0;
  readonly #streams = new Map<string, Stream>();
  readonly #feeds = new Map<string, { feed: ViewerFeed; stop: () => void; viewers: number }>();
  #closed = false;

  private constructor(wrtc: Wrtc, options: WrtcEngineOptions) {
    this.#wrtc = wrtc;
    this.#options = { ...DEFAULTS, ...options };
    this.iceServers = this.#options.iceServers;
  }

  /** @throws PresageError `bad_config` where the library does not load here */
  static async open(options: WrtcEngineOptions): Promise<WrtcEngine> {
    try {
      return new WrtcEngine(await loadWrtc(), options);
    } catch (cause) {
      throw new PresageError('bad_config', `WebRTC does not work here: ${toPresageError(cause).message}`, {
        cause,
        hint: 'run with --webrtc off, or on a platform that @roamhq/wrtc is built for',
      });
    }
  }

  openPublished(streamId: string, { startS }: { readonly startS: number }): Source {
    const stream = this.#streamOf(streamId);
    const source = new PublishedSource({ streamId, startS, stallMs: this.#options.stallMs }, () => {
      if (stream.source !== source) return;
      stream.source = undefined;
      void stream.publisher?.close('the stream has ended');
      this.#forget(streamId);
    });
    stream.source = source;
    return source;
  }

  async publish(streamId: string, text: string): Promise<LiveSession> {
    const offer = readOffer(text);
    if (!offer.video.sends) throw new PresageError('bad_request', 'The offer sends no video');
    checkCodecs(offer);
    const peer = this.#openPeer();
    let sink: VideoSink | undefined;
    return this.#answer({
      ...{ streamId, kind: 'publish', peer, offer },
      prepare: (session) => {
        const track = only(peer, 'recvonly');
        if (!track || sink) return;
        sink = new this.#wrtc.nonstandard.RTCVideoSink(track);
        sink.onframe = ({ frame }) => {
          const stream = this.#streams.get(streamId);
          if (stream?.publisher === session) stream.source?.take(frame, firstCodec(session.answer));
        };
      },
      onConnected: (session) => this.#begin(session),
      onInterrupted: (session) => this.#lose(session, 'the publisher is not heard any more'),
      onClosed: (session, reason) => {
        sink?.stop();
        this.#lose(session, `the publisher has gone: ${reason}`);
        const stream = this.#streams.get(streamId);
        if (stream?.publisher === session) stream.publisher = undefined;
        this.#forget(streamId);
      },
    });
  }

  async view(streamId: string, text: string): Promise<LiveSession> {
    const offer = readOffer(text);
    if (!offer.video.receives) throw new PresageError('bad_request', 'The offer receives no video');
    checkCodecs(offer);
    if (!this.#options.frames.flowing(streamId)) {
      throw new PresageError('source_unreachable', `There is no picture of "${streamId}" now`, {
        retryable: true,
      });
    }
    const peer = this.#openPeer();
    const feed = this.#takeFeed(streamId);
    const track = feed.createTrack();
    const channel = sendMediatime(peer, feed);
    return this.#answer({
      ...{ streamId, kind: 'view', peer, offer },
      prepare: () => {
        peer.addTrack(track);
        only(peer, 'sendonly');
      },
      onConnected: () => channel.begin(),
      onInterrupted: () => undefined,
      onClosed: () => {
        channel.end();
        track.stop();
        this.#leaveFeed(streamId);
      },
    });
  }

  /** What is held now: for tests and metrics. */
  dump(): { sessions: number; halfOpen: number; streams: number; feeds: number } {
    const halfOpen = [...this.#sessions].filter(({ connected }) => !connected).length + this.#answering;
    const sessions = this.#sessions.size + this.#answering;
    return { sessions, halfOpen, streams: this.#streams.size, feeds: this.#feeds.size };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#sessions].map((session) => session.close('the service ends')));
    for (const { source } of [...this.#streams.values()]) await source?.close();
  }

  /** @throws PresageError `overloaded` */
  #openPeer(): PeerConnection {
    const { maxSessions, maxHalfOpen, ports } = this.#options;
    if (this.#closed) throw new PresageError('interrupted', 'The service is shutting down');
    const { sessions, halfOpen } = this.dump();
    if (sessions >= maxSessions || halfOpen >= maxHalfOpen) {
      const what =
        sessions >= maxSessions
          ? `${sessions} WebRTC sessions`
          : `${halfOpen} WebRTC sessions that wait for ICE`;
      throw new PresageError('overloaded', `There are ${what} already`, { retryable: true });
    }
    return new this.#wrtc.RTCPeerConnection({
      iceServers: this.iceServers,
      ...(ports && { portRange: ports }),
    });
  }

  async #answer(
    options: Omit<WrtcSessionOptions, 'connectMs' | 'lostMs' | 'gatherMs'>,
  ): Promise<WrtcSession> {
    const { connectMs, lostMs } = this.#options;
    this.#answering += 1;
    try {
      const session = await WrtcSession.answer({ ...options, connectMs, lostMs, gatherMs: GATHER_MS });
      if (this.#closed) await session.close('the service ends');
      this.#sessions.add(session);
      void session.closed.then(() => this.#sessions.delete(session));
      return session;
    } finally {
      this.#answering -= 1;
    }
  }

  #streamOf(streamId: string): Stream {
    const known = this.#streams.get(streamId);
    if (known) return known;
    const stream: Stream = { source: undefined, publisher: undefined };
    this.#streams.set(streamId, stream);
    return stream;
  }

  #forget(streamId: string): void {
    const stream = this.#streams.get(streamId);
    if (stream && !stream.source && !stream.publisher) this.#streams.delete(streamId);
  }

  /** A publisher has connected: it takes the place of the one before. */
  #begin(session: WrtcSession): void {
    const stream = this.#streamOf(session.streamId);
    const before = stream.publisher;
    stream.publisher = session;
    if (before !== session) void before?.close('another publisher took its place');
    stream.source?.begin();
  }

  #lose(session: WrtcSession, reason: string): void {
    const stream = this.#streams.get(session.streamId);
    if (stream?.publisher === session) stream.source?.lose(reason);
  }

  #takeFeed(streamId: string): ViewerFeed {
    const known = this.#feeds.get(streamId);
    if (known) {
      known.viewers += 1;
      return known.feed;
    }
    const feed = new ViewerFeed(this.#wrtc);
    const stop = this.#options.frames.watch(streamId, (frame) => feed.show(frame));
    this.#feeds.set(streamId, { feed, stop, viewers: 1 });
    return feed;
  }

  #leaveFeed(streamId: string): void {
    const shared = this.#feeds.get(streamId);
    if (!shared) return;
    shared.viewers -= 1;
    if (shared.viewers > 0) return;
    shared.stop();
    this.#feeds.delete(streamId);
  }
}

/** Sets every direction: video as named, all else inactive. @returns the video track */
function only(peer: PeerConnection, direction: 'recvonly' | 'sendonly'): MediaTrack | undefined {
  let video: MediaTrack | undefined;
  for (const transceiver of peer.getTransceivers()) {
    const { track } = transceiver.receiver;
    const wanted = track.kind === 'video' && video === undefined;
    transceiver.direction = wanted ? direction : 'inactive';
    if (wanted) video = track;
  }
  return video;
}

function checkCodecs({ video }: Offer): void {
  if (video.codecs.some((name) => WRTC_CODECS.includes(name.toUpperCase()))) return;
  const offered = video.codecs.join(', ') || 'none';
  throw new PresageError('codec_unsupported', `None of the codecs offered (${offered}) can be taken`, {
    hint: `offer ${WRTC_CODECS.join(' or ')}`,
  });
}
