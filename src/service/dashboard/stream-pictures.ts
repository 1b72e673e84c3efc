import type { Frame, I420Layout } from '../../core/video/frame.js';
import type { Draft } from '../../core/messages.js';
import type {
  StreamView,
  ViewPicture,
  ViewWatcher,
  ViewParameters,
} from '../../transport/view/stream-view.js';
import { OverlayState } from '../../render/overlay/overlay-state.js';
import { OverlayPainter } from '../../render/video/video-renderer.js';
import type { PictureThread } from '../recent-video/picture-thread.js';
import type { RecentVideo } from '../recent-video/recent-video.js';
import type { DraftSink } from '../session/draft-sink.js';

/** A picture asked for by its media time is not farther from it than this, s; its own time comes along. */
const MAX_APART_S = 1;

export interface StreamPicturesOptions {
  /** Source of the pictures it has stored. */
  readonly video: RecentVideo | undefined;
  /** Makes those that it does not have. */
  readonly thread: Pick<PictureThread, 'encode'>;
}

export interface StreamPicturesStats {
  readonly watchers: number;
  /** Pictures taken from the recent video, made for viewers, and drawn over. */
  readonly made: Readonly<Record<'kept' | 'encoded' | 'annotated', number>>;
  /** Pictures that were due while the one before was still being made, and such as could not be made. */
  readonly dropped: Readonly<Record<'busy' | 'failed', number>>;
}

interface Watching extends ViewParameters, ViewWatcher {
  /** Media time from which on the next picture is due. */
  nextT: number;
}

/**
 * Pictures of one stream for viewers. Each picture is made once for all viewers: those of the recent video are shared, others are
 * made by the picture worker while a viewer requests that rate. Annotated ones are drawn here, since the overlay state is
 * here. When making them cannot keep up, they are dropped and counted; the pipeline never waits.
 */
export class StreamPictures implements StreamView, DraftSink {
  readonly #options: StreamPicturesOptions;
  readonly #watchers = new Set<Watching>();
  readonly #overlay = new OverlayState();
  readonly #made = { kept: 0, encoded: 0, annotated: 0 };
  readonly #dropped = { busy: 0, failed: 0 };
  #staging: Uint8Array<SharedArrayBuffer> | undefined;
  #painter: OverlayPainter | undefined;
  #encoding = false;
  #painting = false;
  #newest: { plain: ViewPicture | undefined; annotated: ViewPicture | undefined } = {
    plain: undefined,
    annotated: undefined,
  };
  #ended = false;

  constructor(options: StreamPicturesOptions) {
    this.#options = options;
  }

  watch(parameters: ViewParameters, watcher: ViewWatcher): () => void {
    const watching: Watching = { ...parameters, ...watcher, nextT: -Infinity };
    this.#watchers.add(watching);
    void this.#welcome(watching);
    return () => this.#watchers.delete(watching);
  }

  async still(t: number | undefined): Promise<ViewPicture | undefined> {
    const { video } = this.#options;
    const kept = t === undefined ? video?.newest : video?.near(t, MAX_APART_S);
    const jpeg = await kept?.jpeg;
    if (kept && jpeg) return { t: kept.t, jpeg };
    const { plain } = this.#newest;
    return t === undefined || (plain && Math.abs(plain.t - t) <= MAX_APART_S) ? plain : undefined;
  }

  /** Adds a draft to the overlay of the frames that follow. */
  add(draft: Draft): void {
    this.#overlay.add(draft);
  }

  /** After the recent video has seen the frame; it is not used after the call. */
  addFrame(frame: Frame): void {
    if (!this.#isDue(false, frame.t)) return;
    const kept = this.#options.video?.newest;
    if (kept?.t === frame.t) {
      this.#made.kept += 1;
      void this.#show(false, frame.t, kept.jpeg);
    } else {
      this.#encode(frame);
    }
  }

  /** Call it after the drafts of the frame, so that the overlay is of its time. The frame is not used after the call. */
  afterFrame(frame: Frame): void {
    if (!this.#isDue(true, frame.t)) return;
    if (this.#painting) {
      this.#dropped.busy += 1;
      return;
    }
    const { width, height } = frame.layout;
    if (this.#painter?.format.width !== width || this.#painter.format.height !== height)
      this.#painter = new OverlayPainter({ width, height });
    this.#painting = true;
    const jpeg = this.#painter.paintJpeg(frame, this.#overlay.view(frame.t)).finally(() => {
      this.#painting = false;
    });
    this.#made.annotated += 1;
    void this.#show(true, frame.t, jpeg);
  }

  /** Ends all views. Idempotent. */
  close(): void {
    this.#ended = true;
    for (const watcher of [...this.#watchers]) watcher.end();
    this.#watchers.clear();
  }

  stats(): StreamPicturesStats {
    return { watchers: this.#watchers.size, made: { ...this.#made }, dropped: { ...this.#dropped } };
  }

  /** Sends the newest picture to a new viewer at once, also of a stream without new frames. */
  async #welcome(watching: Watching): Promise<void> {
    const picture = watching.annotated ? this.#newest.annotated : await this.still(undefined);
    if (picture && this.#watchers.has(watching) && watching.nextT === -Infinity) watching.next(picture);
    if (this.#ended) watching.end();
  }

  #isDue(annotated: boolean, t: number): boolean {
    for (const one of this.#watchers) if (one.annotated === annotated && isDue(one, t)) return true;
    return false;
  }

  #encode(frame: Frame): void {
    if (this.#encoding) {
      this.#dropped.busy += 1;
      return;
    }
    const { t, pixels, layout } = frame;
    const staging = this.#stage(layout);
    staging.set(pixels.subarray(0, layout.byteLength));
    this.#encoding = true;
    this.#made.encoded += 1;
    const made = this.#options.thread.encode(staging, layout).then(({ jpeg }) => jpeg);
    void this.#show(
      false,
      t,
      made.finally(() => (this.#encoding = false)),
    );
  }

  #stage({ byteLength }: I420Layout): Uint8Array<SharedArrayBuffer> {
    if (this.#staging?.byteLength !== byteLength)
      this.#staging = new Uint8Array(new SharedArrayBuffer(byteLength));
    return this.#staging;
  }

  async #show(annotated: boolean, t: number, made: Promise<Uint8Array | undefined>): Promise<void> {
    const due = [...this.#watchers].filter((one) => one.annotated === annotated && isDue(one, t));
    for (const one of due) one.nextT = t + 1 / one.fps;
    let jpeg: Uint8Array | undefined;
    try {
      jpeg = await made;
    } catch {
      // The worker reports its crash itself; the view continues with the next picture.
    }
    if (jpeg === undefined) {
      this.#dropped.failed += 1;
      return;
    }
    const picture = { t, jpeg };
    if (annotated) this.#newest.annotated = picture;
    else this.#newest.plain = picture;
    for (const one of due) if (this.#watchers.has(one)) one.next(picture);
  }
}

/** A tenth of the step is tolerated: media times are rounded. */
function isDue({ nextT, fps }: Watching, t: number): boolean {
  return t >= nextT - 0.1 / fps;
}
