import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.js';
import { PresageError } from '../core/errors.js';
import type { Frame } from '../core/frame.js';
import type { VideoFormat } from '../core/stages.js';
import { ffmpegArguments } from './ffmpeg-arguments.js';
import { FfmpegLog } from './ffmpeg-log.js';
import { FfmpegProcess } from './ffmpeg-process.js';
import type { FfmpegSourceOptions } from './ffmpeg-source.js';
import type { FrameAssembler } from './frame-assembler.js';
import type { SourceSpec } from './source-spec.js';

export interface FfmpegRunOptions {
  readonly spec: SourceSpec;
  readonly options: FfmpegSourceOptions;
  readonly clock: Clock;
  readonly frames: FrameAssembler;
  /** The first picture is here; called before it is handed out. */
  readonly onLive: (format: VideoFormat, duration: number | undefined) => void;
  readonly onFrame: (frame: Frame) => void;
  readonly onDrop: () => void;
}

export interface RunEnd {
  /** Pictures of this run. */
  readonly frames: number;
  /** Why it ended; undefined for an ordinary end. */
  readonly failure: PresageError | undefined;
}

/** One life of an ffmpeg child: from its start to its end, pictures handed out on the way. */
export class FfmpegRun {
  readonly #run: FfmpegRunOptions;
  readonly #process: FfmpegProcess;
  readonly #log: FfmpegLog;
  #pictures = 0;
  #described: (() => void) | undefined;
  /** The child has gone: nothing more will be described. */
  #ended = false;
  #stalled = false;
  readonly #halt = new AbortController();
  readonly #halted: Promise<void>;
  #waitingSinceMs: number | undefined;
  /** Monotonic ms that media time 0 of this run corresponds to; set by the first picture of a paced run. */
  #paceMs: number | undefined;

  constructor(run: FfmpegRunOptions) {
    this.#run = run;
    this.#halted = new Promise((resolve) => this.#halt.signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#log = new FfmpegLog((info) => {
      run.frames.describe(info);
      this.#described?.();
    });
    this.#process = new FfmpegProcess(run.options.ffmpegPath, ffmpegArguments(run.spec, run.options));
    this.#process.stderr.on('data', (text: string) => this.#log.push(text));
  }

  /** Plays to the end. Never rejects. */
  async play(): Promise<RunEnd> {
    const watchdog = this.#watch();
    void this.#process.exited.then(() => {
      this.#ended = true;
      this.#described?.();
    });
    try {
      await this.#pump();
    } catch (error) {
      await this.stop();
      if (!isCutOff(error)) throw error;
    } finally {
      clearInterval(watchdog);
      this.#run.frames.reset();
    }
    const exit = await this.#process.exited;
    return { frames: this.#pictures, failure: this.#failure(exit) };
  }

  /** Ends the child and whatever waits; `play` resolves. Idempotent. */
  stop(): Promise<void> {
    this.#halt.abort();
    return this.#process.stop();
  }

  #failure(exit: { text: string; ok: boolean }): PresageError | undefined {
    const { spec, options } = this.#run;
    if (this.#stalled) {
      const message = `${spec.name}: no picture for ${options.stallMs / 1000} s`;
      return new PresageError('source_stalled', message, { retryable: true, hint: 'check that the camera is on' });
    }
    if (exit.ok) return undefined;
    const error = this.#log.error(spec.name, exit.text);
    if (spec.kind !== 'file' || this.#pictures === 0) return error;
    return new PresageError('source_invalid', `${spec.name}: it is cut off or damaged after ${this.#pictures} pictures`);
  }

  async #pump(): Promise<void> {
    this.#waitingSinceMs = this.#run.clock.nowMs();
    for await (const chunk of this.#process.stdout as AsyncIterable<Buffer>) {
      this.#waitingSinceMs = undefined;
      await this.#take(chunk);
      this.#waitingSinceMs = this.#run.clock.nowMs();
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      const { taken, frame, dropped, wait } = this.#run.frames.push(rest);
      rest = rest.subarray(taken);
      if (wait === 'info') {
        if (this.#ended) return; // bytes of a picture that was never announced
        await new Promise<void>((resolve) => (this.#described = resolve));
      } else if (wait) {
        await Promise.race([wait, this.#halted]);
        if (this.#halt.signal.aborted) return;
      }
      if (dropped) this.#run.onDrop();
      if (frame) await this.#emit(frame);
    }
  }

  async #emit(frame: Frame): Promise<void> {
    const { width, height } = frame.layout;
    const { codec, fps, duration } = this.#log.input;
    this.#pictures += 1;
    if (this.#pictures === 1) this.#run.onLive({ width, height, fps, codec }, duration);
    await this.#pace(frame.t, duration);
    this.#run.onFrame(frame);
  }

  /** Holds a recording to its own pace; what comes from a camera has one already. */
  async #pace(t: number, duration: number | undefined): Promise<void> {
    const { spec, options, clock } = this.#run;
    if (options.mode === 'lossless' || (spec.kind !== 'file' && duration === undefined) || spec.kind === 'rtsp') return;
    this.#paceMs ??= clock.nowMs() - t * 1000;
    const aheadMs = this.#paceMs + t * 1000 - clock.nowMs();
    if (aheadMs > 1) await delay(aheadMs, undefined, { signal: this.#halt.signal }).catch(() => undefined); // halted
  }

  /** Stops a child that gives nothing for too long. Time in which we ourselves take nothing does not count. */
  #watch(): NodeJS.Timeout | undefined {
    const { spec, options, clock } = this.#run;
    if (spec.kind === 'file') return undefined;
    return setInterval(() => {
      if (this.#waitingSinceMs === undefined || clock.nowMs() - this.#waitingSinceMs < options.stallMs) return;
      this.#stalled = true;
      void this.stop();
    }, Math.min(1000, options.stallMs / 4));
  }
}

/** The pipe was closed under the reader, as `stop` does. */
function isCutOff(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
}
