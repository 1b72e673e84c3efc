import type { PictureNote } from '../../core/video/picture-clock.js';
import type { ViewerFeed } from './viewer-feed.js';
import type { DataChannel, PeerConnection } from './wrtc.js';

/** Label of the data channel that a viewer opens with its offer. */
const LABEL = 'mediatime';
/** A viewer that does not read misses some: its clock bridges gaps. */
const MAX_BUFFERED_BYTES = 16_384;

/** Tells a viewer which media time each picture shows, on a data channel that it has opened (see PictureClock). */
export function sendMediatime(peer: PeerConnection, feed: ViewerFeed): { begin(): void; end(): void } {
  let channel: DataChannel | undefined;
  let stop: (() => void) | undefined;
  const send = (note: PictureNote): void => {
    if (channel?.readyState !== 'open' || channel.bufferedAmount > MAX_BUFFERED_BYTES) return;
    channel.send(JSON.stringify(note));
  };
  peer.ondatachannel = (event) => {
    if (event.channel.label === LABEL) channel ??= event.channel;
  };
  return {
    begin: () => {
      stop ??= feed.listen(send);
    },
    end: () => {
      stop?.();
      peer.ondatachannel = null;
    },
  };
}
