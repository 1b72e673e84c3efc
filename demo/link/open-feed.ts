import { MjpegFeed } from './mjpeg-feed.js';
import type { PictureFeed, PictureSink } from './picture-feed.js';
import type { Service } from './service.js';
import { WhepFeed } from './whep-feed.js';

const FPS = 25;
/** Of tiles in a grid. */
const SMALL_FPS = 8;
/** WebRTC that does not work is tried again after this, and each time after twice as long, ms. */
const FIRST_RETRY_MS = 3000;
const LAST_RETRY_MS = 60_000;

/**
 * The pictures of a stream: over WebRTC, or where and while that does not work as JPEGs, which go through every proxy and are
 * there at once. Tiles of a grid are JPEGs anyway: these are made once for all viewers, while each WebRTC viewer costs the
 * service an encoder.
 * @param onKind told which way it is
 */
export function openFeed(
  service: Service,
  streamId: string,
  small: boolean,
  sink: PictureSink,
  onKind: (kind: PictureFeed['kind']) => void,
): Pick<PictureFeed, 'close'> {
  let shown: PictureFeed | undefined;
  let candidate: PictureFeed | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let delayMs = FIRST_RETRY_MS;
  let closed = false;
  const show = (next: PictureFeed): void => {
    shown?.close();
    shown = next;
    onKind(next.kind);
  };
  const showJpegs = (): void => show(new MjpegFeed(service, streamId, small ? SMALL_FPS : FPS, sink));
  const tryWebRtc = (): void => {
    const trial = new WhepFeed(
      service,
      streamId,
      {
        picture: (picture) => {
          // Its first picture takes over from the JPEGs.
          if (shown !== trial) show(trial);
          delayMs = FIRST_RETRY_MS;
          sink.picture(picture);
        },
        lost: (reason) => sink.lost(reason),
      },
      () => {
        if (closed) return;
        if (shown === trial) showJpegs();
        timer = setTimeout(tryWebRtc, delayMs);
        delayMs = Math.min(2 * delayMs, LAST_RETRY_MS);
      },
    );
    candidate = trial;
  };
  showJpegs();
  const can = 'RTCPeerConnection' in window && 'requestVideoFrameCallback' in HTMLVideoElement.prototype;
  if (!small && can) tryWebRtc();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      shown?.close();
      candidate?.close();
    },
  };
}
