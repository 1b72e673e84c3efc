import cliProgress from 'cli-progress';
import { systemClock, type Clock } from '../../core/clock.js';
import { columnsOf, textTraits } from './spans.js';

export interface ProgressOptions {
  /** Output of the bar; default stderr. */
  out?: NodeJS.WritableStream;
  /** Length of the recording in media seconds; undefined when not known. */
  duration?: number | undefined;
  clock?: Clock;
  /** True when `out` is a terminal; by default its own `isTTY`. */
  tty?: boolean;
  /** Signs beyond ASCII; by default when the locale is UTF-8. */
  unicode?: boolean;
}

/** Progress of an analysis. */
export interface Progress {
  readonly frames: number;
  /** Media seconds of the last frame. */
  readonly t: number;
}

/** ms between two lines where there is no terminal. */
const PLAIN_EVERY_MS = 10_000;
const DRAWS_PER_SECOND = 8;
const BAR_COLUMNS = 30;
const MIN_BAR_COLUMNS = 6;
/** Part of the bar that wanders when the duration is unknown. */
const WANDERER = 0.2;
/** Before this time the estimate of the speed is unreliable and is not shown, ms. */
const SETTLED_MS = 500;

/** Shows the progress of `analyze`: a bar on a terminal, else a line every 10 s. `finish` is idempotent. */
export class ProgressBar {
  readonly #out: NodeJS.WritableStream;
  readonly #clock: Clock;
  readonly #duration: number | undefined;
  readonly #bar: cliProgress.SingleBar | undefined;
  readonly #unicode: boolean;
  readonly #startMs: number;
  #now: Progress = { frames: 0, t: 0 };
  #lastPlainMs: number;
  #finished = false;

  constructor(options: ProgressOptions = {}) {
    this.#out = options.out ?? process.stderr;
    this.#clock = options.clock ?? systemClock;
    this.#duration = options.duration !== undefined && options.duration > 0 ? options.duration : undefined;
    this.#unicode = options.unicode ?? textTraits(this.#out).unicode;
    this.#startMs = this.#clock.nowMs();
    this.#lastPlainMs = this.#startMs;
    if (options.tty ?? ('isTTY' in this.#out && this.#out.isTTY === true)) this.#bar = this.#makeBar();
  }

  /** Cheap; draws at most a few times a second. */
  update(progress: Progress): void {
    if (this.#finished) return;
    this.#now = progress;
    if (this.#bar) {
      this.#bar.update(Math.min(progress.t, this.#duration ?? Infinity));
      return;
    }
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lastPlainMs < PLAIN_EVERY_MS) return;
    this.#lastPlainMs = nowMs;
    this.#out.write(`${this.text()}\n`);
  }

  /** Runs something that writes lines to the terminal without breaking the bar. */
  above(write: () => void): void {
    if (this.#bar && !this.#finished) this.#out.write('\r\u001b[K');
    write();
    if (!this.#bar || this.#finished) return;
    // The bar returns to a saved position when it ends: the one it has now, not the one above these lines.
    this.#out.write('\u001b7');
    this.#bar.render();
  }

  /** Ends the bar with what was done in all. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#bar) {
      this.#bar.stop();
      this.#out.write('\r\u001b[K');
    }
    const { frames, t } = this.#now;
    const took = (this.#clock.nowMs() - this.#startMs) / 1000;
    const media = `${frames} frames, ${clockTime(t)} of video in ${clockTime(took)}`;
    this.#out.write(`${media}${took > 0 && t > 0 ? ` (${speedText(t / took)})` : ''}\n`);
  }

  /** The present state in words, as on a plain line. */
  text(): string {
    const { frames, t } = this.#now;
    const tookMs = this.#clock.nowMs() - this.#startMs;
    const speed = tookMs >= SETTLED_MS ? t / (tookMs / 1000) : undefined;
    const parts = [
      `${clockTime(t)}${this.#duration === undefined ? '' : ` / ${clockTime(this.#duration)}`}`,
      `${frames} frames`,
    ];
    if (speed !== undefined && speed > 0) {
      parts.push(this.#unicode ? speedText(speed) : speedText(speed).replace('×', 'x'));
      if (this.#duration !== undefined)
        parts.push(`${clockTime(Math.max(this.#duration - t, 0) / speed)} left`);
    }
    const share = this.#share;
    return [
      share === undefined ? undefined : `${String(Math.floor(share * 100)).padStart(3)} %`,
      parts.join(this.#unicode ? ' · ' : ', '),
    ]
      .filter((part) => part !== undefined)
      .join('  ');
  }

  get #share(): number | undefined {
    return this.#duration === undefined ? undefined : Math.min(this.#now.t / this.#duration, 1);
  }

  #makeBar(): cliProgress.SingleBar {
    const bar = new cliProgress.SingleBar({
      stream: this.#out,
      format: () => this.#drawing(),
      fps: DRAWS_PER_SECOND,
      // The terminal's own settings stay: nothing is left behind if the process is killed.
      hideCursor: null,
      clearOnComplete: true,
      forceRedraw: true,
      gracefulExit: false,
      linewrap: true,
    });
    bar.start(this.#duration ?? 1, 0);
    return bar;
  }

  #drawing(): string {
    const text = this.text();
    const columns = columnsOf(this.#out) ?? 80;
    const free = columns - text.length - 3;
    if (free < MIN_BAR_COLUMNS) return text.slice(0, columns - 1);
    return ` ${this.#barText(Math.min(free, BAR_COLUMNS))} ${text}`;
  }

  #barText(size: number): string {
    const [on, off] = this.#unicode ? ['━', '─'] : ['=', '-'];
    const share = this.#share;
    if (share !== undefined) {
      const full = Math.round(share * size);
      return on.repeat(full) + off.repeat(size - full);
    }
    const part = Math.max(Math.round(size * WANDERER), 1);
    const way = size - part;
    const beat =
      Math.floor(((this.#clock.nowMs() - this.#startMs) * DRAWS_PER_SECOND) / 1000) % Math.max(2 * way, 1);
    const at = beat <= way ? beat : 2 * way - beat;
    return off.repeat(at) + on.repeat(part) + off.repeat(way - at);
  }
}

function speedText(speed: number): string {
  return `${speed >= 10 ? speed.toFixed(0) : speed.toFixed(1)}× real time`;
}

/** `0:07`, `12:30`, `1:02:03`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(Math.round(seconds), 0);
  const [h, m, s] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    String(whole % 60).padStart(2, '0'),
  ];
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}
