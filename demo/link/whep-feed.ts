import { PictureClock } from '../../src/core/video/picture-clock.js';
import { gathered, locationOf, reasonOf } from './camera-publisher.js';
import { PageError } from './page-error.js';
import type { PictureFeed, PictureSink } from './picture-feed.js';
import type { Service } from './service.js';

/** The first picture with a known media time comes within this, or another way is taken, ms. */
const FIRST_PICTURE_MS = 6000;
/** Connected and without a picture for this long, it is lost, ms. */
const STALLED_MS = 8000;

/** Pictures of a stream by WebRTC (WHEP): every frame of the source. The service tells the media time of each. */
export class WhepFeed implements PictureFeed {
  readonly kind = 'whep';
  readonly #service: Service;
  readonly #sink: PictureSink;
  readonly #peer = new RTCPeerConnection();
  readonly #video = document.createElement('video');
  readonly #clock = new PictureClock();
  readonly #onGone: (reason: string) => void;
  #location: URL | undefined;
  #timer: ReturnType<typeof setTimeout>;
  #closed = false;
  #decoding = false;

  /** @param onGone it does not work, or does not any more; it is closed then */
  constructor(service: Service, streamId: string, sink: PictureSink, onGone: (reason: string) => void) {
    this.#service = service;
    this.#sink = sink;
    this.#onGone = onGone;
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#timer = setTimeout(() => this.#fail('No picture came over WebRTC'), FIRST_PICTURE_MS);
    this.#peer.addEventListener('track', ({ track }) => {
      this.#video.srcObject = new MediaStream([track]);
      void this.#video.play().catch((error: unknown) => this.#fail(String(error)));
      this.#video.requestVideoFrameCallback(this.#onFrame);
    });
    this.#peer.addEventListener('connectionstatechange', () => {
      const state = this.#peer.connectionState;
      if (state === 'failed' || state === 'disconnected') this.#fail('The WebRTC connection was lost');
    });
    void this.#begin(streamId).catch((error: unknown) => {
      this.#fail(error instanceof Error ? error.message : String(error));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#peer.close();
    this.#video.srcObject = null;
    if (this.#location !== undefined)
      void this.#service.fetch(this.#location, { method: 'DELETE', keepalive: true }).catch(() => undefined);
  }

  async #begin(streamId: string): Promise<void> {
    const peer = this.#peer;
    peer.addTransceiver('video', { direction: 'recvonly' });
    const channel = peer.createDataChannel('mediatime', { ordered: false, maxRetransmits: 0 });
    channel.addEventListener('message', ({ data }) => this.#clock.take(String(data), performance.now()));
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    const response = await this.#service.fetch(`/v1/streams/${encodeURIComponent(streamId)}/whep`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: peer.localDescription?.sdp ?? '',
    });
    if (response.status !== 201) throw new PageError(await reasonOf(response));
    this.#location = locationOf(response);
    // Closed while it was asked: the session that was just given is given back.
    if (this.#closed) {
      this.#closed = false;
      this.close();
      return;
    }
    await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  }

  readonly #onFrame: VideoFrameRequestCallback = (_nowMs, metadata) => {
    if (this.#closed) return;
    this.#video.requestVideoFrameCallback(this.#onFrame);
    const t = this.#clock.mediatimeOf(metadata, performance.now());
    // A picture whose moment is not known cannot be drawn over.
    if (t === undefined || !this.#clock.settled || this.#decoding) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail('The video stands still'), STALLED_MS);
    this.#decoding = true;
    void createImageBitmap(this.#video)
      .then((image) => {
        if (this.#closed) image.close();
        else this.#sink.picture({ t, image, width: image.width, height: image.height });
      })
      .catch(() => undefined)
      .finally(() => (this.#decoding = false));
  };

  #fail(reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#onGone(reason);
  }
}
