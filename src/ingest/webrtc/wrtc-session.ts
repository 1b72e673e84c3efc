import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PresageError, toPresageError } from '../../core/errors.js';
import type { LiveSession } from '../../core/video/live-video.js';
import { fragmentOf, iceOf, readFragment, withIce, type IceCandidate, type Offer } from './sdp.js';
import type { PeerConnection } from './wrtc.js';

export interface WrtcSessionOptions {
  readonly streamId: string;
  readonly kind: LiveSession['kind'];
  readonly peer: PeerConnection;
  readonly offer: Offer;
  /** Sets up what is sent and received, between the offer and the answer. */
  readonly prepare: (session: WrtcSession) => void;
  readonly onConnected: (session: WrtcSession) => void;
  /** Media does not come through for now; ICE may recover, or be restarted. */
  readonly onInterrupted: (session: WrtcSession) => void;
  readonly onClosed: (session: WrtcSession, reason: string) => void;
  /** A session whose ICE has not completed ends after this, ms. */
  readonly connectMs: number;
  /** One that lost its connection, and has not got it back, ends after this, ms. */
  readonly lostMs: number;
  /** Longest wait for our candidates, ms: those of this machine come at once, a STUN server's after a round trip. */
  readonly gatherMs: number;
}

/** Candidates that a client may send over the life of a session. */
const MAX_CANDIDATES = 256;

/** One peer connection that answers an offer, from its answer to its end. */
export class WrtcSession implements LiveSession {
  readonly id = randomBytes(18).toString('base64url');
  readonly streamId: string;
  readonly kind: LiveSession['kind'];
  readonly closed: Promise<string>;
  readonly #options: WrtcSessionOptions;
  readonly #peer: PeerConnection;
  #answer = '';
  #remote: string;
  #etag = newTag();
  #connected = false;
  #ended: string | undefined;
  #candidates = 0;
  #timer: NodeJS.Timeout | undefined;
  #settle!: (reason: string) => void;
  /** Changes of the descriptions come one after the other. */
  #work: Promise<unknown> = Promise.resolve();

  private constructor(options: WrtcSessionOptions) {
    this.streamId = options.streamId;
    this.kind = options.kind;
    this.#options = options;
    this.#peer = options.peer;
    this.#remote = options.offer.sdp;
    this.closed = new Promise((resolve) => (this.#settle = resolve));
    this.#peer.onconnectionstatechange = () => this.#onState();
    this.#endAfter(options.connectMs, `ICE did not complete within ${options.connectMs / 1000} s`);
  }

  /** Answers the offer. Whatever it opened is closed when that fails. @throws PresageError `bad_request` */
  static async answer(options: WrtcSessionOptions): Promise<WrtcSession> {
    const session = new WrtcSession(options);
    try {
      session.#answer = await session.#negotiate(() => options.prepare(session));
      return session;
    } catch (cause) {
      await session.close('the offer could not be answered');
      if (cause instanceof PresageError) throw cause;
      const { message } = toPresageError(cause);
      throw new PresageError('bad_request', `The offer cannot be answered: ${firstLine(message)}`, { cause });
    }
  }

  get answer(): string {
    return this.#answer;
  }

  get etag(): string {
    return this.#etag;
  }

  /** Whether ICE has completed once. */
  get connected(): boolean {
    return this.#connected;
  }

  trickle(fragment: string): Promise<string | undefined> {
    const read = readFragment(fragment);
    const done = this.#work.then(async () => {
      if (this.#ended !== undefined)
        throw new PresageError('not_found', `The session is over: ${this.#ended}`);
      const { ufrag, password } = iceOf(this.#remote);
      if (read.ufrag === undefined || read.ufrag === ufrag) {
        await this.#add(read.candidates);
        return undefined;
      }
      if (read.password === undefined || read.password === password) {
        throw new PresageError('bad_request', 'The fragment has a new ufrag without a new password');
      }
      return this.#restart(read.ufrag, read.password, read.candidates);
    });
    this.#work = done.catch(() => undefined); // told to whoever sent the fragment
    return done;
  }

  close(reason: string): Promise<void> {
    if (this.#ended !== undefined) return Promise.resolve();
    this.#ended = reason;
    clearTimeout(this.#timer);
    this.#peer.onconnectionstatechange = null;
    this.#options.onClosed(this, reason);
    this.#peer.close();
    this.#settle(reason);
    return Promise.resolve();
  }

  async #restart(ufrag: string, password: string, candidates: readonly IceCandidate[]): Promise<string> {
    const before = this.#remote;
    this.#remote = withIce(before, ufrag, password);
    try {
      const sdp = await this.#negotiate(() => undefined);
      this.#etag = newTag();
      await this.#add(candidates);
      return fragmentOf(sdp);
    } catch (cause) {
      this.#remote = before;
      throw new PresageError('bad_request', 'ICE could not be restarted', { cause });
    }
  }

  async #negotiate(prepare: () => void): Promise<string> {
    const peer = this.#peer;
    await peer.setRemoteDescription({ type: 'offer', sdp: this.#remote });
    prepare();
    await peer.setLocalDescription(await peer.createAnswer());
    await gathered(peer, this.#options.gatherMs);
    const sdp = peer.localDescription?.sdp;
    if (this.#ended !== undefined || sdp === undefined) throw new Error('the session was closed meanwhile');
    return sdp;
  }

  async #add(candidates: readonly IceCandidate[]): Promise<void> {
    this.#candidates += candidates.length;
    if (this.#candidates > MAX_CANDIDATES) {
      throw new PresageError('bad_request', `More than ${MAX_CANDIDATES} candidates in a session`);
    }
    for (const { candidate, mid } of candidates) {
      await this.#peer.addIceCandidate({ candidate, sdpMid: mid }).catch((cause: unknown) => {
        throw new PresageError('bad_request', `It is not a candidate: ${candidate}`, { cause });
      });
    }
  }

  #onState(): void {
    switch (this.#peer.connectionState) {
      case 'connected':
        this.#connected = true;
        clearTimeout(this.#timer);
        this.#options.onConnected(this);
        break;
      case 'disconnected':
      case 'failed':
        // A failed connection may be mended by an ICE restart, for a while.
        if (!this.#connected) break;
        this.#options.onInterrupted(this);
        this.#endAfter(this.#options.lostMs, 'the connection was lost');
        break;
      case 'closed':
        void this.close('the other end closed it');
        break;
      case 'new':
      case 'connecting':
        break;
    }
  }

  #endAfter(ms: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.close(reason), ms);
    this.#timer.unref();
  }
}

async function gathered(peer: PeerConnection, maxMs: number): Promise<void> {
  if (peer.iceGatheringState === 'complete') return;
  const stop = new AbortController();
  const complete = new Promise<void>((resolve) => {
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState === 'complete') resolve();
    };
  });
  const late = delay(maxMs, undefined, { signal: stop.signal }).catch(() => undefined); // gathered in time
  await Promise.race([complete, late]);
  stop.abort();
  peer.onicegatheringstatechange = null;
}

function newTag(): string {
  return `"${randomBytes(9).toString('base64url')}"`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
