import { MjpegFeed } from './mjpeg-feed.js';
import type { PictureFeed, PictureSink } from './picture-feed.js';
import type { Service } from './service.js';
import { WhepFeed } from './whep-feed.js';

const FPS = 25;
/** Of tiles in a grid. */
const SMALL_FPS = 8;
/** WebRTC is tried again after this, ms. */
const TRY_AGAIN_MS = 60_000;

/**
 * The pictures of a stream: over WebRTC, or where that does not work as JPEGs, which go through every proxy. Tiles of a grid are
 * JPEGs anyway: these are made once for all viewers, while each WebRTC viewer costs the service an encoder.
 * @param onKind told which way it is
 */
export function openFeed(
  service: Service,
  streamId: string,
  small: boolean,
  sink: PictureSink,
  onKind: (kind: PictureFeed['kind']) => void,
): Pick<PictureFeed, 'close'> {
  let feed: PictureFeed | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const take = (next: PictureFeed): void => {
    feed?.close();
    feed = next;
    onKind(next.kind);
  };
  const tryWebRtc = (): void => {
    if (closed) return;
    take(
      new WhepFeed(service, streamId, sink, () => {
        if (closed) return;
        take(new MjpegFeed(service, streamId, FPS, sink));
        timer = setTimeout(tryWebRtc, TRY_AGAIN_MS);
      }),
    );
  };
  if (
    small ||
    !('RTCPeerConnection' in window) ||
    !('requestVideoFrameCallback' in HTMLVideoElement.prototype)
  )
    take(new MjpegFeed(service, streamId, small ? SMALL_FPS : FPS, sink));
  else tryWebRtc();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      feed?.close();
    },
  };
}
