import { randomBytes } from 'node:crypto';
import { PresageError } from '../../core/errors.js';
import type { LiveSession } from '../../core/video/live-video.js';
import type { types } from './mediasoup.js';
import { writeFragment } from './sdp-answer.js';
import { credentialsOf, type Offer } from './sdp-offer.js';

/** A session whose ICE and DTLS are not done by then has failed, ms. */
const CONNECT_MS = 15_000;

export interface MediasoupSessionOptions {
  readonly streamId: string;
  readonly kind: LiveSession['kind'];
  readonly offer: Offer;
  readonly transport: types.WebRtcTransport;
  readonly answer: string;
}

/** A publisher or viewer, connected to the router by a transport of its own. */
export class MediasoupSession implements LiveSession {
  readonly id = randomBytes(16).toString('hex');
  readonly streamId: string;
  readonly kind: LiveSession['kind'];
  readonly answer: string;
  readonly closed: Promise<string>;
  readonly #offer: Offer;
  readonly #transport: types.WebRtcTransport;
  readonly #late: NodeJS.Timeout;
  #resolveClosed!: (reason: string) => void;
  #ufrag: string;

  constructor({ streamId, kind, offer, transport, answer }: MediasoupSessionOptions) {
    this.streamId = streamId;
    this.kind = kind;
    this.answer = answer;
    this.#offer = offer;
    this.#transport = transport;
    this.#ufrag = offer.ice.ufrag;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#late = setTimeout(() => void this.close('it was not connected in time'), CONNECT_MS).unref();
    transport.on('dtlsstatechange', (state) => {
      if (state === 'connected') clearTimeout(this.#late);
      else if (state === 'failed') void this.close('DTLS failed');
      else if (state === 'closed') void this.close('the other end closed it');
    });
    transport.on('icestatechange', (state) => {
      if (state === 'disconnected') void this.close('the other end went silent');
    });
    transport.on('routerclose', () => this.#end('the router has ended'));
  }

  get etag(): string {
    return `"${this.#transport.iceParameters.usernameFragment}"`;
  }

  async trickle(fragment: string): Promise<string | undefined> {
    const credentials = credentialsOf(fragment);
    // Candidates are not needed: the other end reaches us, and we answer to where it came from.
    if (credentials === undefined || credentials.ufrag === this.#ufrag) return undefined;
    if (this.#transport.closed) throw new PresageError('not_found', 'The session has ended');
    await this.#transport.restartIce();
    this.#ufrag = credentials.ufrag;
    return writeFragment(this.#offer, this.#transport);
  }

  close(reason: string): Promise<void> {
    this.#end(reason);
    this.#transport.close();
    return Promise.resolve();
  }

  #end(reason: string): void {
    clearTimeout(this.#late);
    this.#resolveClosed(reason);
  }
}
