import type { ViewerFeed } from './viewer-feed.js';
import type { DataChannel, PeerConnection } from './wrtc.js';

/** Label of the data channel that a viewer opens in its offer. */
const LABEL = 'mediatime';
/** A viewer that does not read misses some: what it maps needs only one now and then. */
const MAX_BUFFERED_BYTES = 16_384;
const MAX_PING_CHARS = 64;

/**
 * Tells a viewer which media time each picture shows, on a data channel `mediatime` that it has opened:
 * `{"mediatime": s, "at": ms}` for each picture, `at` being its capture time by our clock, and `{"pong": n, "now": ms}`
 * for each `{"ping": n}`, by which it learns how far the clocks are apart.
 */
export function tellMediatime(peer: PeerConnection, feed: ViewerFeed): { begin(): void; end(): void } {
  let channel: DataChannel | undefined;
  let stop: (() => void) | undefined;
  const send = (message: object): void => {
    if (channel?.readyState !== 'open' || channel.bufferedAmount > MAX_BUFFERED_BYTES) return;
    channel.send(JSON.stringify(message));
  };
  peer.ondatachannel = (event) => {
    if (event.channel.label !== LABEL || channel) return;
    channel = event.channel;
    channel.onmessage = ({ data }) => {
      const ping = typeof data === 'string' && data.length <= MAX_PING_CHARS ? readPing(data) : undefined;
      if (ping !== undefined) send({ pong: ping, now: Date.now() });
    };
  };
  return {
    begin: () => {
      stop ??= feed.listen(send);
    },
    end: () => {
      stop?.();
      peer.ondatachannel = null;
      if (channel) channel.onmessage = null;
    },
  };
}

function readPing(text: string): number | undefined {
  try {
    const { ping } = JSON.parse(text) as { ping?: unknown };
    return typeof ping === 'number' && Number.isFinite(ping) ? ping : undefined;
  } catch {
    return undefined; // whatever it is, it is no ping
  }
}
