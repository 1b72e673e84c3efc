import { signal } from '@preact/signals';
import { PageError } from './page-error.js';
import type { Service } from './service.js';

/** Candidates that are not there by then come too late, ms. */
const GATHER_MS = 2000;
const CONNECT_MS = 15_000;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 10_000;

/** The camera of this device as a stream: WHIP (RFC 9725). What is lost is published again. */
export class CameraPublisher {
  readonly state = signal<'live' | 'reconnecting' | 'stopped'>('live');
  #session: WhipSession | undefined;
  #stopped = false;

  private constructor(
    readonly streamId: string,
    private readonly service: Service,
    private readonly media: MediaStream,
  ) {}

  /** Asks for the camera and publishes it. Rejects with what a person can read. */
  static async start(service: Service, streamId: string): Promise<CameraPublisher> {
    const media = await openCamera();
    const publisher = new CameraPublisher(streamId, service, media);
    try {
      publisher.#session = await WhipSession.open(service, streamId, media);
    } catch (thrown) {
      await publisher.stop();
      throw thrown;
    }
    media.getVideoTracks()[0]?.addEventListener('ended', () => void publisher.stop());
    window.addEventListener('pagehide', () => void publisher.stop(), { once: true });
    void publisher.#keep();
    return publisher;
  }

  async stop(): Promise<void> {
    this.state.value = 'stopped';
    this.#stopped = true;
    for (const track of this.media.getTracks()) track.stop();
    await this.#session?.close();
  }

  /** Asked anew: it may have changed while something was awaited. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  async #keep(): Promise<void> {
    let delayMs = FIRST_RETRY_MS;
    while (!this.#isStopped()) {
      await this.#session?.lost;
      if (this.#isStopped()) return;
      this.state.value = 'reconnecting';
      await this.#session?.close();
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      delayMs = Math.min(delayMs * 2, LAST_RETRY_MS);
      try {
        this.#session = await WhipSession.open(this.service, this.streamId, this.media);
        this.state.value = 'live';
        delayMs = FIRST_RETRY_MS;
      } catch {
        // The service is away, or will not: it is tried again until somebody stops it.
        this.#session = undefined;
      }
    }
  }
}

/** One connection, until it is lost. */
class WhipSession {
  /** Resolves when it is not connected any more. */
  readonly lost: Promise<void>;

  private constructor(
    private readonly service: Service,
    private readonly peer: RTCPeerConnection,
    private readonly location: URL | undefined,
  ) {
    this.lost = changed(peer, ['failed', 'disconnected', 'closed']);
  }

  static async open(service: Service, streamId: string, media: MediaStream): Promise<WhipSession> {
    const peer = new RTCPeerConnection();
    try {
      for (const track of media.getVideoTracks())
        peer.addTransceiver(track, { direction: 'sendonly', streams: [media] });
      await peer.setLocalDescription(await peer.createOffer());
      await gathered(peer);
      const response = await service.fetch(`/v1/streams/${encodeURIComponent(streamId)}/whip`, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: peer.localDescription?.sdp ?? '',
      });
      if (response.status !== 201) throw new PageError(await reasonOf(response));
      await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
      await Promise.race([
        changed(peer, ['connected']),
        after(CONNECT_MS, 'The connection to Presage could not be made. A firewall may be between.'),
      ]);
      return new WhipSession(service, peer, locationOf(response));
    } catch (thrown) {
      peer.close();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.peer.close();
    if (this.location !== undefined)
      await this.service.fetch(this.location, { method: 'DELETE', keepalive: true }).catch(() => undefined);
  }
}

function changed(peer: RTCPeerConnection, states: readonly RTCPeerConnectionState[]): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (states.includes(peer.connectionState)) resolve();
    };
    look();
    peer.addEventListener('connectionstatechange', look);
  });
}

function after(ms: number, said: string): Promise<never> {
  return new Promise((_resolve, reject) => setTimeout(() => reject(new PageError(said)), ms));
}

async function openCamera(): Promise<MediaStream> {
  const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
  if (!devices) throw new PageError('Browsers lend the camera only to pages of this machine or over https.');
  try {
    return await devices.getUserMedia({
      video: { width: { ideal: 1280 }, height: { ideal: 720 } },
      audio: false,
    });
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : '';
    if (name === 'NotAllowedError') throw new PageError('The browser was not allowed to use the camera.');
    if (name === 'NotFoundError') throw new PageError('This device has no camera.');
    throw cause;
  }
}

/** Resolves when the addresses of this device are in the offer. */
export function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS);
    peer.addEventListener('icegatheringstatechange', () => {
      if (peer.iceGatheringState !== 'complete') return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Address of the WHIP or WHEP session that an answer names; undefined where it names none. */
export function locationOf(response: Response): URL | undefined {
  const location = response.headers.get('location');
  return location === null ? undefined : new URL(location, response.url);
}

/** What the service says of a refusal. */
export async function reasonOf(response: Response): Promise<string> {
  const body = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
  return body?.error?.message ?? `The service answers with ${response.status}`;
}
