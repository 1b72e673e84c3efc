import { MjpegFeed } from './mjpeg-feed.js';
import type { PictureFeed, PictureSink } from './picture-feed.js';
import type { Service } from './service.js';

const FPS = 25;
/** Of tiles in a grid. */
const SMALL_FPS = 8;

/** The pictures of a stream, the best way that works. */
export function openFeed(service: Service, streamId: string, small: boolean, sink: PictureSink): PictureFeed {
  return new MjpegFeed(service, streamId, small ? SMALL_FPS : FPS, sink);
}
