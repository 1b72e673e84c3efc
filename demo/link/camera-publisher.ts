import { signal } from '@preact/signals';
import { PageError } from './page-error.js';
import type { Service } from './service.js';

/** Candidates that are not there by then come too late, ms. */
const GATHER_MS = 2000;

/** The camera of this device as a stream: WHIP (RFC 9725). */
export class CameraPublisher {
  readonly state = signal<'live' | 'lost' | 'stopped'>('live');

  private constructor(
    readonly streamId: string,
    private readonly peer: RTCPeerConnection,
    private readonly media: MediaStream,
    private readonly release: () => Promise<void>,
  ) {
    peer.addEventListener('connectionstatechange', () => {
      if (peer.connectionState === 'failed') this.state.value = 'lost';
      if (peer.connectionState === 'connected') this.state.value = 'live';
    });
    media.getVideoTracks()[0]?.addEventListener('ended', () => void this.stop());
  }

  /** Asks for the camera and publishes it. Rejects with what a person can read. */
  static async start(service: Service, streamId: string): Promise<CameraPublisher> {
    const media = await openCamera();
    const peer = new RTCPeerConnection();
    try {
      for (const track of media.getVideoTracks()) peer.addTransceiver(track, { direction: 'sendonly', streams: [media] });
      await peer.setLocalDescription(await peer.createOffer());
      await gathered(peer);
      const path = `/v1/streams/${encodeURIComponent(streamId)}/whip`;
      const response = await service.fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: peer.localDescription?.sdp ?? '',
      });
      if (response.status !== 201) throw new PageError(await reasonOf(response));
      await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
      const location = response.headers.get('location');
      const release = async (): Promise<void> => {
        if (location !== null) await service.fetch(location, { method: 'DELETE', keepalive: true }).catch(() => undefined);
      };
      window.addEventListener('pagehide', () => void release(), { once: true });
      return new CameraPublisher(streamId, peer, media, release);
    } catch (thrown) {
      peer.close();
      for (const track of media.getTracks()) track.stop();
      throw thrown;
    }
  }

  async stop(): Promise<void> {
    this.state.value = 'stopped';
    for (const track of this.media.getTracks()) track.stop();
    this.peer.close();
    await this.release();
  }
}

async function openCamera(): Promise<MediaStream> {
  const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
  if (!devices) throw new PageError('Browsers lend the camera only to pages of this machine or over https.');
  try {
    return await devices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false });
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : '';
    if (name === 'NotAllowedError') throw new PageError('The browser was not allowed to use the camera.');
    if (name === 'NotFoundError') throw new PageError('This device has no camera.');
    throw cause;
  }
}

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

/** What the service says of a refusal. */
export async function reasonOf(response: Response): Promise<string> {
  const body = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
  return body?.error?.message ?? `The service answers with ${response.status}`;
}
