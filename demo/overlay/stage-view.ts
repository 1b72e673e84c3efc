import type { Picture, PictureSink } from '../link/picture-feed.js';
import type { StreamModel } from '../state/stream-model.js';
import { ALL_LAYERS, paintScene, ShapeStore, type Layers } from './painter.js';

/**
 * A picture waits this long for the boxes of its frame, ms. JPEGs are made after they were told; over WebRTC a picture comes
 * before its frame has been looked at, and this is the latency that Presage allows itself.
 */
const PATIENCE_MS = 250;
/** Pictures that wait; an older one is not shown any more. */
const MAX_WAITING = 12;
/** Without a new picture for this long the stage says so, ms. */
const STALE_MS = 4000;

export interface StageCanvases {
  readonly picture: HTMLCanvasElement;
  readonly overlay: HTMLCanvasElement;
}

export interface StageListener {
  /** A picture is shown: the media time, and its size in px. */
  readonly shown: (t: number, width: number, height: number) => void;
  /** `undefined`: pictures come again. */
  readonly lost: (reason: string | undefined) => void;
}

/**
 * The picture of a stream and what is drawn over it. Both change in the same frame of the display, and what is drawn is of
 * the media time of the picture: a picture waits until the boxes of its time are there, which costs next to nothing, since the
 * service tells them before it makes the picture.
 */
export class StageView implements PictureSink {
  layers: Layers = ALL_LAYERS;
  lit: ReadonlySet<string> = new Set();
  /** Slower pictures show less and cost less; for small tiles. */
  readonly #waiting: { readonly picture: Picture; readonly atMs: number }[] = [];
  readonly #shapes = new ShapeStore();
  readonly #resize: ResizeObserver;
  #held: Picture | undefined;
  #frozen = false;
  #dirty = true;
  #handle = 0;
  #pictureAtMs = performance.now();
  #isLost = false;
  #area = { width: 0, height: 0 };

  constructor(
    private readonly model: StreamModel,
    private readonly canvases: StageCanvases,
    private readonly listener: StageListener,
  ) {
    this.#resize = new ResizeObserver(() => this.#measure());
    this.#resize.observe(canvases.overlay);
    this.#measure();
    this.#handle = requestAnimationFrame(this.#tick);
  }

  picture(picture: Picture): void {
    this.#pictureAtMs = performance.now();
    if (this.#isLost) this.#setLost(undefined);
    if (this.#frozen) {
      close(picture);
      return;
    }
    this.#waiting.push({ picture, atMs: performance.now() });
    while (this.#waiting.length > MAX_WAITING) close(this.#waiting.shift()?.picture);
  }

  lost(reason: string): void {
    this.#setLost(reason);
  }

  /** Shows a moment of the past: its picture, if it is kept, and who was where. `undefined` goes back to now. */
  freeze(moment: { readonly t: number; readonly picture: Picture | undefined } | undefined): void {
    this.#frozen = moment !== undefined;
    if (!moment) return;
    for (const { picture } of this.#waiting.splice(0)) close(picture);
    if (moment.picture) this.#hold(moment.picture);
    else this.#blank();
    this.#draw(moment.t);
  }

  /** Draws again: layers or lights have changed. */
  touch(): void {
    this.#dirty = true;
  }

  destroy(): void {
    cancelAnimationFrame(this.#handle);
    this.#resize.disconnect();
    for (const { picture } of this.#waiting.splice(0)) close(picture);
    close(this.#held);
  }

  readonly #tick = (): void => {
    this.#handle = requestAnimationFrame(this.#tick);
    const next = this.#frozen ? undefined : this.#takeDue();
    if (next) {
      this.#hold(next);
      this.#draw(next.t);
    } else if (this.#dirty && this.#held) {
      this.#draw(this.#shownT);
    }
    if (!this.#isLost && performance.now() - this.#pictureAtMs > STALE_MS) this.#setLost('No picture comes');
  };

  #shownT = 0;

  /** The newest picture whose boxes are there, or which has waited long enough. */
  #takeDue(): Picture | undefined {
    const known = this.model.tracks.newestT ?? -Infinity;
    const nowMs = performance.now();
    let due: Picture | undefined;
    while (this.#waiting[0]) {
      const { picture, atMs } = this.#waiting[0];
      if (known < picture.t - 0.001 && nowMs - atMs < PATIENCE_MS) break;
      this.#waiting.shift();
      close(due);
      due = picture;
    }
    return due;
  }

  #hold(picture: Picture): void {
    if (this.#held !== picture) close(this.#held);
    this.#held = picture;
    const { picture: canvas } = this.canvases;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    canvas.getContext('2d', { alpha: false })?.drawImage(picture.image, 0, 0);
  }

  /** What is not kept is not shown: the last picture would be of another moment. */
  #blank(): void {
    const { picture } = this.canvases;
    const ctx = picture.getContext('2d', { alpha: false });
    if (ctx) ctx.fillStyle = '#141416';
    ctx?.fillRect(0, 0, picture.width, picture.height);
  }

  #draw(t: number): void {
    this.#dirty = false;
    this.#shownT = t;
    const { overlay, picture } = this.canvases;
    const ctx = overlay.getContext('2d');
    if (!ctx) return;
    const { tracks, board } = this.model;
    const scene = tracks.at(t);
    const { layers, lit } = this;
    paintScene(ctx, this.#area, {
      scene,
      tracks,
      layers,
      lit,
      open: [...board.open()],
      shapes: this.#shapes,
    });
    overlay.dataset['mediatime'] = scene.t.toFixed(3);
    overlay.dataset['apart'] = scene.apart.toFixed(3);
    picture.dataset['mediatime'] = t.toFixed(3);
    this.listener.shown(t, picture.width, picture.height);
  }

  #measure(): void {
    const { overlay } = this.canvases;
    const { clientWidth: width, clientHeight: height } = overlay;
    const scale = Math.min(window.devicePixelRatio, 2);
    this.#area = { width, height };
    overlay.width = Math.max(Math.round(width * scale), 1);
    overlay.height = Math.max(Math.round(height * scale), 1);
    overlay.getContext('2d')?.setTransform(scale, 0, 0, scale, 0, 0);
    this.#dirty = true;
  }

  #setLost(reason: string | undefined): void {
    this.#isLost = reason !== undefined;
    this.listener.lost(reason);
  }
}

function close(picture: Picture | undefined): void {
  if (picture?.image instanceof ImageBitmap) picture.image.close();
}
