import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.js';
import { PresageError } from '../core/errors.js';
import type { EncodedSinkRun } from '../core/video/encoded-video.js';
import type { Frame } from '../core/video/frame.js';
import type { VideoFormat } from '../core/source.js';
import { ffmpegArguments, LISTEN_S } from './ffmpeg-arguments.js';
import { FfmpegLog } from './ffmpeg-log.js';
import { FfmpegProcess, type FfmpegExit } from './ffmpeg-process.js';
import type { FfmpegSourceOptions } from './ffmpeg-options.js';
import type { FrameAssembler, Picture } from './frame-assembler.js';
import type { FfmpegSpec } from './source-spec.js';

export interface FfmpegRunOptions {
  readonly spec: FfmpegSpec;
  readonly options: FfmpegSourceOptions;
  /** Demuxer of an HTTP input; by default ffmpeg chooses. */
  readonly inputFormat?: 'mjpeg' | undefined;
  readonly clock: Clock;
  readonly frames: FrameAssembler;
  /** The first picture is here; called before it is handed out. */
  readonly onLive: (format: VideoFormat, duration: number | undefined) => void;
  readonly onFrame: (frame: Frame) => void;
  readonly onDrop: () => void;
}

export interface RunEnd {
  /** Pictures of this run, thrown away ones included. */
  readonly frames: number;
  /** It is a recording, which has an end. */
  readonly finite: boolean;
  /** Why it ended; undefined for an ordinary end. With pictures of a recording: what is wrong with it. */
  readonly failure: PresageError | undefined;
  /** It listened, and no publisher came. */
  readonly unvisited: boolean;
  /** ffmpeg does not recognize the format of what an HTTP server sends. */
  readonly unrecognized: boolean;
}

/** Formats without times of their own, for which ffmpeg makes up a rate: over a network, their arrival is their time. */
const UNTIMED = /^(?:mpjpeg|mjpeg|jpeg_pipe|h264|hevc)$/;
const MIN_ARRIVAL_S = 0.001;
/** A recording whose pictures end this much before its length was cut off, s and share of the length. */
const MISSING_S = 1;
const MISSING_SHARE = 0.1;
/** A paced recording that is later than this goes on from now instead of catching up in a burst, ms. */
const MAX_LATE_MS = 500;

/** One life of an ffmpeg child: from its start to its end, pictures handed out on the way. */
export class FfmpegRun {
  readonly #run: FfmpegRunOptions;
  readonly #process: FfmpegProcess;
  readonly #log: FfmpegLog;
  readonly #encoded: EncodedSinkRun | undefined;
  #pictures = 0;
  /** Media times of the first and the newest picture. */
  #from = 0;
  #to = 0;
  /** s */
  #lastArrival = 0;
  #described: (() => void) | undefined;
  /** The child's log is at its end: nothing more will be described. */
  #ended = false;
  #stalled = false;
  /** Whether the input was recognized before the child was stopped: some describe an input that they never read as they end. */
  #hadInputAtStall: boolean | undefined;
  readonly #halt = new AbortController();
  readonly #halted: Promise<void>;
  #waitingSinceMs: number | undefined;
  readonly #startMs: number;
  /** When a publisher was first seen to send to a listening run, monotonic ms. */
  #visitedAtMs: number | undefined;
  /** Monotonic ms at which media time 0 is due; set by the first picture of a paced run. */
  #paceMs: number | undefined;

  constructor(run: FfmpegRunOptions) {
    this.#run = run;
    this.#startMs = run.clock.nowMs();
    this.#halted = new Promise((resolve) =>
      this.#halt.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    this.#log = new FfmpegLog((info) => {
      const untimed = run.spec.kind === 'http' && UNTIMED.test(this.#log.input.format);
      run.frames.describe(untimed ? { ...info, arrival: this.#arrival() } : info);
      this.#described?.();
    });
    const encoded = run.options.encoded?.begin();
    this.#encoded = encoded;
    this.#process = new FfmpegProcess(
      run.options.ffmpegPath,
      ffmpegArguments(run.spec, {
        ...run.options,
        inputFormat: run.inputFormat,
        copyEncoded: encoded !== undefined,
      }),
      encoded && ((chunk) => encoded.push(chunk)),
    );
    this.#process.stderr.on('data', (text: string) => this.#log.push(text));
  }

  /** Plays to the end. Never rejects. */
  async play(): Promise<RunEnd> {
    const watchdog = this.#watch();
    // Not at the child's end: that is told only once its output is read, which may be what waits for a description.
    this.#process.stderr.once('close', () => {
      this.#ended = true;
      this.#described?.();
    });
    try {
      await this.#pump();
    } catch (error) {
      await this.stop();
      this.#encoded?.end();
      if (!isCutOff(error)) throw error;
    } finally {
      clearInterval(watchdog);
      this.#run.frames.reset();
    }
    const exit = await this.#process.exited;
    this.#encoded?.end();
    const failure = this.#failure(exit);
    return {
      ...{ frames: this.#pictures, finite: this.#finite, failure },
      unvisited: this.#isUnvisited(failure),
      unrecognized: this.#isUnrecognized(failure),
    };
  }

  get #hadInput(): boolean {
    return this.#hadInputAtStall ?? this.#log.input.format !== '';
  }

  #isUnrecognized(failure: PresageError | undefined): boolean {
    const { spec, inputFormat } = this.#run;
    if (spec.kind !== 'http' || inputFormat !== undefined) return false;
    return this.#log.input.format === '' && failure?.code === 'source_invalid';
  }

  #isUnvisited(failure: PresageError | undefined): boolean {
    const { kind } = this.#run.spec;
    if (this.#hadInput || failure?.code !== 'source_unreachable') return false;
    // The limit on accepting a connection ends a listening ffmpeg; the stall limit ends it when a publisher is silent.
    return kind === 'rtp' || (kind === 'rtsp-listen' && !this.#stalled);
  }

  /** Ends the child and whatever waits; `play` resolves. Idempotent. */
  stop(): Promise<void> {
    this.#halt.abort();
    return this.#process.stop();
  }

  /** Whether it is a recording, which has an end. */
  get #finite(): boolean {
    const { kind } = this.#run.spec;
    return kind === 'file' || (kind === 'http' && this.#log.input.duration !== undefined);
  }

  #failure(exit: FfmpegExit): PresageError | undefined {
    const { name } = this.#run.spec;
    if (!exit.started) {
      const message = `${this.#run.options.ffmpegPath} ${exit.text}`;
      return new PresageError('ffmpeg_missing', message, {
        hint: 'presage doctor looks for a usable ffmpeg',
      });
    }
    if (this.#stalled) return this.#stall();
    if (this.#finite && this.#pictures > 0) {
      const { duration = 0 } = this.#log.input;
      const played = this.#to - this.#from;
      if (
        exit.ok &&
        !this.#log.damaged &&
        duration - played < Math.max(MISSING_S, duration * MISSING_SHARE)
      ) {
        return undefined;
      }
      return new PresageError(
        'source_invalid',
        `${name}: it is cut off or damaged: ${this.#pictures} pictures came, ${played.toFixed(1)} of ${duration.toFixed(1)} s`,
      );
    }
    if (exit.text === 'signal SIGSEGV' && this.#log.input.format === '') return crashed(this.#run.spec);
    return exit.ok ? undefined : this.#log.error(name, exit.text);
  }

  #stall(): PresageError {
    const { spec, options } = this.#run;
    const advice = { retryable: true, hint: 'check that the camera is on' };
    const silence = `for ${options.stallMs / 1000} s`;
    if (!this.#hadInput && spec.kind === 'rtsp-listen') {
      const message = `${spec.name}: a publisher connected and sent no video ${silence}`;
      return new PresageError('source_stalled', message, {
        ...advice,
        hint: 'check that the publisher sends',
      });
    }
    if (!this.#hadInput) {
      return new PresageError('source_unreachable', `${spec.name}: no answer ${silence}`, advice);
    }
    return new PresageError('source_stalled', `${spec.name}: no picture ${silence}`, advice);
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
    const { frames, clock } = this.#run;
    const atMs = clock.nowMs();
    for (let rest = chunk; rest.length > 0;) {
      const { taken, picture, wait } = frames.push(rest, atMs);
      rest = rest.subarray(taken);
      if (wait === 'info') {
        if (this.#ended) return; // bytes of a picture that was never announced
        await new Promise<void>((resolve) => (this.#described = resolve));
      } else if (wait) {
        await Promise.race([wait, this.#halted]);
        if (this.#halt.signal.aborted) return;
      }
      if (picture) await this.#emit(picture);
    }
  }

  /** When the picture just described came, s; strictly increasing, since several may be told of at once. */
  #arrival(): number {
    this.#lastArrival = Math.max(this.#run.clock.nowMs() / 1000, this.#lastArrival + MIN_ARRIVAL_S);
    return this.#lastArrival;
  }

  async #emit(picture: Picture): Promise<void> {
    const { onLive, onFrame, onDrop, clock } = this.#run;
    this.#pictures += 1;
    this.#to = picture.t;
    if (picture.pts !== undefined) this.#encoded?.picture(picture.pts, picture.t);
    if (this.#pictures === 1) {
      this.#from = picture.t;
      const { codec, fps, duration } = this.#log.input;
      const { width, height } = picture.layout;
      onLive({ width, height, fps, codec }, duration);
    }
    if (this.#paced) await this.#pace(picture.t);
    const frame = picture.lease(clock.nowMs());
    if (frame) onFrame(frame);
    else onDrop();
  }

  /** Recordings come as fast as they can be read, HLS a segment at a time; cameras have their own pace. */
  get #paced(): boolean {
    return this.#run.options.mode === 'live' && (this.#finite || this.#log.input.format === 'hls');
  }

  /** Waits until a picture is due. */
  async #pace(t: number): Promise<void> {
    const nowMs = this.#run.clock.nowMs();
    this.#paceMs ??= nowMs - t * 1000;
    const aheadMs = this.#paceMs + t * 1000 - nowMs;
    if (aheadMs < -MAX_LATE_MS) this.#paceMs = nowMs - t * 1000;
    if (aheadMs > 1) await delay(aheadMs, undefined, { signal: this.#halt.signal }).catch(() => undefined); // halted
  }

  /** Stops a child that gives nothing for too long. Time in which we ourselves take nothing does not count. */
  #watch(): NodeJS.Timeout | undefined {
    const { spec, options, clock } = this.#run;
    if (spec.kind === 'file') return undefined;
    return setInterval(
      () => {
        const sinceMs = this.#silentSinceMs();
        if (sinceMs === undefined || clock.nowMs() - sinceMs < options.stallMs) return;
        this.#stalled = true;
        this.#hadInputAtStall = this.#log.input.format !== '';
        void this.stop();
      },
      Math.min(1000, options.stallMs / 4),
    );
  }

  /** Start of the silence that counts towards the stall limit, monotonic ms; undefined while there is none. */
  #silentSinceMs(): number | undefined {
    const sinceMs = this.#waitingSinceMs;
    if (sinceMs === undefined || this.#run.spec.kind !== 'rtsp-listen') return sinceMs;
    // The wait for a publisher is no silence. ffmpeg logs no accepted connection before it has found its video: a child
    // that outlives its limit on accepting one has accepted one.
    if (this.#log.input.format === '') return this.#startMs + LISTEN_S * 1000;
    this.#visitedAtMs ??= this.#run.clock.nowMs();
    return Math.max(sinceMs, this.#visitedAtMs);
  }
}

/** Static builds of ffmpeg, such as the one of 2018, crash where the C library looks up a name. */
function crashed({ kind, name }: FfmpegSpec): PresageError {
  if (kind !== 'http' && kind !== 'rtsp') return new PresageError('ffmpeg_failed', `${name}: ffmpeg crashed`);
  return new PresageError('source_unreachable', `${name}: ffmpeg crashed before it was connected`, {
    hint: "old static builds can't look up host names: install a newer ffmpeg, or write the numeric address",
  });
}

/** The pipe was closed under the reader, as `stop` does. */
function isCutOff(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
}
