import { createCanvas, ImageData, type Canvas, type SKRSContext2D } from '@napi-rs/canvas';
import { PresageError } from '../../core/errors.js';
import type { Frame } from '../../core/video/frame.js';
import { FfmpegSink } from './ffmpeg-sink.js';
import { FrameSchedule } from './frame-schedule.js';
import { i420ToRgba } from '../../core/image/i420-to-rgba.js';
import { overlayLayout, type OverlayLayout } from '../overlay/overlay-layout.js';
import type { OverlayView } from '../overlay/overlay-state.js';
import { paintObjects } from '../overlay/paint-objects.js';
import { paintPanel } from '../overlay/paint-panel.js';
import { INK } from '../overlay/palette.js';

export interface VideoRendererOptions {
  readonly ffmpegPath: string;
  /** The MP4 file to write; it appears when `finish` has resolved. */
  readonly file: string;
  /** Size of the frames, px. */
  readonly format: { readonly width: number; readonly height: number };
  /** Frames per second of the video; 25 when 0 or unknown, at most 60. */
  readonly fps: number;
}

const DEFAULT_FPS = 25;
const MAX_FPS = 60;
/** Of pictures for people. */
const JPEG_QUALITY = 80;

/** The fps of the video for the nominal fps of a source. */
export function outputFps(fps: number): number {
  return Number.isFinite(fps) && fps > 0 ? Math.min(fps, MAX_FPS) : DEFAULT_FPS;
}

/** Draws views over frames; keeps its canvas and buffers from one frame to the next. */
export class OverlayPainter {
  readonly layout: OverlayLayout;
  readonly #canvas: Canvas;
  readonly #ctx: SKRSContext2D;
  readonly #source: Canvas;
  readonly #sourceCtx: SKRSContext2D;
  readonly #image: ImageData;
  readonly #pixels: Uint32Array;

  constructor(readonly format: { readonly width: number; readonly height: number }) {
    const { width, height } = format;
    this.layout = overlayLayout(width, height);
    this.#canvas = createCanvas(this.layout.width, this.layout.height);
    this.#ctx = this.#canvas.getContext('2d', { alpha: false });
    this.#image = new ImageData(width, height);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
    const scaled = this.layout.picture.width !== width;
    this.#source = scaled ? createCanvas(width, height) : this.#canvas;
    this.#sourceCtx = scaled ? this.#source.getContext('2d', { alpha: false }) : this.#ctx;
    this.#ctx.fillStyle = INK.panel;
    this.#ctx.fillRect(0, 0, this.layout.width, this.layout.height);
  }

  /** RGBA of `layout.width × layout.height`, in a buffer of its own. The frame is not used after the call. */
  paint(frame: Frame, view: OverlayView): Buffer {
    this.#draw(frame, view);
    return this.#canvas.data();
  }

  /** A JPEG. The frame is not used after the call; the next one is painted when the promise has settled. */
  paintJpeg(frame: Frame, view: OverlayView): Promise<Uint8Array> {
    this.#draw(frame, view);
    return this.#canvas.encode('jpeg', JPEG_QUALITY);
  }

  #draw(frame: Frame, view: OverlayView): void {
    const { picture } = this.layout;
    i420ToRgba(frame.pixels, frame.layout, this.#pixels);
    this.#sourceCtx.putImageData(this.#image, 0, 0);
    if (this.#source !== this.#canvas) this.#ctx.drawImage(this.#source, 0, 0, picture.width, picture.height);
    paintObjects(this.#ctx, view, this.layout);
    paintPanel(this.#ctx, view, this.layout);
  }
}

/**
 * Writes the annotated video of a stream. Call `write` for each processed frame and wait for it: that is the
 * backpressure. End with `finish`, or with `abort`, which leaves nothing behind. All reject with PresageError.
 */
export class VideoRenderer implements AsyncDisposable {
  readonly #options: VideoRendererOptions;
  readonly #painter: OverlayPainter;
  readonly #fps: number;
  readonly #schedule: FrameSchedule;
  #sink: Promise<FfmpegSink> | undefined;
  #pending: Buffer | undefined;
  #tail: Promise<void> = Promise.resolve();
  #written = 0;
  #ended: 'finish' | 'abort' | undefined;

  constructor(options: VideoRendererOptions) {
    this.#options = options;
    this.#fps = outputFps(options.fps);
    this.#schedule = new FrameSchedule(this.#fps);
    this.#painter = new OverlayPainter(options.format);
  }

  /** Pictures written so far, repetitions included. */
  get written(): number {
    return this.#written;
  }

  /** Draws the view over the frame and hands it on. The frame is read before this returns; it is not disposed. */
  async write(frame: Frame, view: OverlayView): Promise<void> {
    if (this.#ended) throw this.#error('it is already closed');
    const { width, height } = this.#options.format;
    if (frame.layout.width !== width || frame.layout.height !== height) {
      throw this.#error(
        `a frame is ${frame.layout.width}x${frame.layout.height} where ${width}x${height} was expected`,
      );
    }
    const repeats = this.#schedule.next(frame.t);
    const previous = this.#pending;
    this.#pending = this.#painter.paint(frame, view);
    await this.#enqueue(previous, repeats);
  }

  /** Writes the last picture and completes the file. Idempotent; does nothing after `abort`. */
  async finish(): Promise<void> {
    if (this.#ended) return this.#tail;
    this.#ended = 'finish';
    if (this.#pending === undefined) throw this.#error('there was no frame');
    const sent = this.#enqueue(this.#pending, 1);
    this.#pending = undefined;
    this.#tail = sent.then(async () => (await this.#open()).finish());
    await this.#tail;
  }

  /** Stops ffmpeg at once and removes the unfinished file; a complete one stays. Idempotent. */
  async abort(): Promise<void> {
    this.#ended = 'abort';
    this.#pending = undefined;
    const sink = await this.#sink?.catch(() => undefined);
    await sink?.abort();
    await this.#tail.catch(() => undefined);
    this.#tail = Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  #enqueue(picture: Buffer | undefined, times: number): Promise<void> {
    const sent = this.#tail.then(async () => {
      const sink = await this.#open();
      if (picture === undefined) return;
      for (let i = 0; i < times; i += 1) await sink.write(picture);
      this.#written += times;
    });
    this.#tail = sent;
    // Awaiting `sent` throws the error; the chain itself must not be reported as unhandled.
    sent.catch(() => undefined);
    return sent;
  }

  #open(): Promise<FfmpegSink> {
    const { width, height } = this.#painter.layout;
    const { ffmpegPath, file } = this.#options;
    this.#sink ??= FfmpegSink.open({ ffmpegPath, file, width, height, fps: this.#fps });
    return this.#sink;
  }

  #error(what: string): PresageError {
    return new PresageError('output_failed', `cannot write ${this.#options.file}: ${what}`);
  }
}
