import { i420Layout, type Frame } from '../../core/video/frame.js';
import type { PictureNote } from '../../core/video/picture-clock.js';
import { fitWithin, I420Shrinker } from './i420-shrinker.js';
import type { MediaTrack, VideoSource, Wrtc } from './wrtc.js';

/** What viewers get at most, px and pictures a second: each viewer has an encoder of its own in this process. */
const MAX_WIDTH = 1280;
const MAX_HEIGHT = 720;
const MAX_FPS = 30;
/** A frame may come this much early and is still shown, as share of the interval. */
const EARLY = 0.25;

/** The pictures of one stream, scaled once and given to one source that all its viewers share. */
export class ViewerFeed {
  readonly #source: VideoSource;
  readonly #shrinker = new I420Shrinker(MAX_WIDTH, MAX_HEIGHT);
  readonly #listeners = new Set<(note: PictureNote) => void>();
  #pixels = new Uint8Array(0);
  #lastAtMs = -Infinity;

  constructor(wrtc: Wrtc) {
    this.#source = new wrtc.nonstandard.RTCVideoSource();
  }

  /** A track for one viewer, who stops it. */
  createTrack(): MediaTrack {
    return this.#source.createTrack();
  }

  /** Tells what is shown while it listens. @returns what ends it */
  listen(onShown: (note: PictureNote) => void): () => void {
    this.#listeners.add(onShown);
    return () => this.#listeners.delete(onShown);
  }

  show(frame: Frame): void {
    if (this.#listeners.size === 0) return;
    if (frame.receivedAtMs - this.#lastAtMs < (1000 / MAX_FPS) * (1 - EARLY)) return;
    this.#lastAtMs = frame.receivedAtMs;
    const { width, height } = frame.layout;
    const size = fitWithin({ width, height }, this.#shrinker);
    const data = this.#unshared(this.#shrinker.shrink({ width, height, data: frame.pixels }), size);
    // The library takes the capture time from the same clock.
    const note = { mediatime: frame.t, at: Date.now() };
    this.#source.onFrame({ ...size, data });
    for (const listener of this.#listeners) listener(note);
  }

  /** The library takes no pixels of a SharedArrayBuffer. */
  #unshared(pixels: Uint8Array, { width, height }: { width: number; height: number }): Uint8Array {
    if (!(pixels.buffer instanceof SharedArrayBuffer)) return pixels;
    const { byteLength } = i420Layout(width, height);
    if (this.#pixels.length !== byteLength) this.#pixels = new Uint8Array(byteLength);
    this.#pixels.set(pixels);
    return this.#pixels;
  }
}
