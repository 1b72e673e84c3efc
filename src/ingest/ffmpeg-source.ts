import { setTimeout as delay } from 'node:timers/promises';
import { Observable, ReplaySubject, type Subscriber } from 'rxjs';
import { systemClock, type Clock } from '../core/clock.js';
import { PresageError, toPresageError } from '../core/errors.js';
import type { Frame } from '../core/video/frame.js';
import type { Source, SourceState, SourceStats } from '../core/source.js';
import { backoffMs } from './backoff.js';
import type { FfmpegSourceOptions, PreparedRun } from './ffmpeg-options.js';
import { FfmpegRun, type RunEnd } from './ffmpeg-run.js';
import { FrameAssembler } from './frame-assembler.js';
import { MediaClock } from './media-clock.js';
import type { FfmpegSpec } from './source-spec.js';

/** A run that delivered for this long was a success: the next retry begins with the shortest wait again, ms. */
const HEALTHY_MS = 5_000;

/** A file, network stream or webcam, decoded by one ffmpeg child at a time. */
export class FfmpegSource implements Source {
  readonly name: string;
  readonly frame$: Observable<Frame>;
  readonly state$ = new ReplaySubject<SourceState>(1);
  readonly #spec: FfmpegSpec;
  readonly #options: FfmpegSourceOptions;
  readonly #clock: Clock;
  readonly #media: MediaClock;
  readonly #frames: FrameAssembler;
  readonly #stop = new AbortController();
  #run: FfmpegRun | undefined;
  #work: Promise<void> | undefined;
  /** A recording begins again: nothing changes for whoever watches. */
  #repeating = false;
  /** The last run listened and no publisher came: the state remains as it is. */
  #unvisited = false;
  /** Logins refused in a row. */
  #refusals = 0;
  /** Demuxer of the next run of an HTTP source. */
  #inputFormat: 'mjpeg' | undefined;
  #dropped = 0;
  #reconnects = 0;
  #duration: number | undefined;

  constructor(spec: FfmpegSpec, options: FfmpegSourceOptions) {
    this.name = spec.name;
    this.#spec = spec;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { mode, capacity } = options;
    this.#media = new MediaClock(options.startS);
    this.#frames = new FrameAssembler({ mode, capacity, media: this.#media });
    this.frame$ = new Observable((subscriber) => {
      if (this.#work || this.#stopped()) {
        const what = this.#work ? 'can be read once only' : 'is closed';
        subscriber.error(new PresageError('source_closed', `${this.name} ${what}`));
        return undefined;
      }
      this.#work = this.#play(subscriber);
      return () => void this.close();
    });
  }

  get liveFrames(): number {
    return this.#frames.liveFrames;
  }

  get duration(): number | undefined {
    return this.#duration;
  }

  stats(): SourceStats {
    return {
      delivered: this.#frames.delivered,
      dropped: this.#dropped === 0 ? {} : { no_buffer: this.#dropped },
      clockJumps: this.#media.jumps,
      reconnects: this.#reconnects,
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#run?.stop();
    await this.#work;
    this.state$.complete();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Never rejects: failures go to the subscriber. */
  async #play(subscriber: Subscriber<Frame>): Promise<void> {
    try {
      const reason = await this.#playRuns(subscriber);
      this.state$.next({ state: 'ended', ...(reason === undefined ? {} : { reason }) });
      subscriber.complete();
    } catch (thrown) {
      const error = toPresageError(thrown);
      this.state$.next({ state: 'failed', error });
      subscriber.error(error);
    } finally {
      this.state$.complete();
    }
  }

  /** Runs ffmpeg until the source has ended. @returns why it ended early, if it did */
  async #playRuns(subscriber: Subscriber<Frame>): Promise<string | undefined> {
    for (let attempt = 0; ;) {
      if (!this.#repeating && !this.#unvisited && (attempt === 0 || !this.#options.prepare)) {
        this.state$.next({ state: 'connecting', attempt });
      }
      if (this.#stopped()) return undefined; // closed by a listener
      const prepared = await this.#options.prepare?.(this.#stop.signal).catch(ifStopped);
      if (this.#stopped()) return undefined;
      const startMs = this.#clock.nowMs();
      const end = await this.#playOnce(subscriber, prepared);
      const gone = prepared?.ended.aborted ?? false;
      if (this.#stopped()) return undefined;
      // A child that cannot listen at all ends at once.
      this.#unvisited = end.unvisited && this.#clock.nowMs() - startMs >= this.#options.retryBaseMs;
      if (this.#unvisited) continue;
      const next = this.#decide(end);
      if (next.what === 'end') return next.reason;
      if (next.what === 'again') {
        this.#repeating = true;
        this.#media.restart('interval');
        continue;
      }
      const healthy = end.frames > 0 && this.#clock.nowMs() - startMs > HEALTHY_MS;
      // In listen mode, retry without increasing the delay.
      const listening = this.#spec.kind === 'rtsp-listen' || this.#spec.kind === 'rtp';
      attempt = healthy || gone || listening ? 1 : attempt + 1;
      if (attempt > this.#options.maxAttempts) throw next.error;
      await this.#wait(next.error, attempt);
      if (this.#stopped()) return undefined;
    }
  }

  async #playOnce(subscriber: Subscriber<Frame>, prepared: PreparedRun | undefined): Promise<RunEnd> {
    const run = new FfmpegRun({
      spec: prepared?.spec ?? this.#spec,
      options: this.#options,
      inputFormat: this.#inputFormat,
      clock: this.#clock,
      frames: this.#frames,
      onLive: (format, duration) => {
        this.#duration = duration;
        this.#media.setRate(format.fps);
        prepared?.onLive?.();
        if (!this.#repeating) this.state$.next({ state: 'live', format });
      },
      onFrame: (frame) => {
        if (subscriber.closed) frame[Symbol.dispose]();
        else subscriber.next(frame);
      },
      onDrop: () => (this.#dropped += 1),
    });
    this.#run = run;
    const stop = (): void => void run.stop();
    prepared?.ended.addEventListener('abort', stop, { once: true });
    if (prepared?.ended.aborted) stop();
    try {
      const end = await run.play();
      return prepared?.ended.aborted ? { ...end, failure: unpublished(this.name) } : end;
    } finally {
      prepared?.ended.removeEventListener('abort', stop);
      prepared?.release();
      this.#run = undefined;
    }
  }

  #decide({ frames, finite, failure, unrecognized }: RunEnd): Decision {
    // ffmpeg does not recognize MJPEG whose first part has no boundary line: the next run finds the pictures themselves.
    if (frames === 0) this.#inputFormat = unrecognized ? 'mjpeg' : undefined;
    if (finite && frames > 0) {
      return this.#options.loop ? { what: 'again' } : { what: 'end', reason: failure?.message };
    }
    const error = failure ?? (frames === 0 ? empty(this.name) : ended(this.name));
    if (error.code === 'ffmpeg_missing' || this.#spec.kind === 'file') throw error;
    // A camera or server may not be ready yet: only a recording that is analyzed is given up when it cannot be read.
    const analyzed = this.#options.mode === 'lossless' && this.#media.now === undefined;
    if (analyzed && !error.retryable && !this.#options.prepare) throw error;
    return { what: 'retry', error };
  }

  async #wait(error: PresageError, attempt: number): Promise<void> {
    const delayMs = this.#delayMs(error, attempt);
    this.#reconnects += 1;
    this.#media.restart('wall');
    this.state$.next({ state: 'reconnecting', error, attempt, delayMs });
    await delay(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined); // closed meanwhile
  }

  /** Delay before the next run, ms: minutes after a refused login, since cameras lock accounts. */
  #delayMs(error: PresageError, attempt: number): number {
    const { retryBaseMs, retryMaxMs, refusedRetryBaseMs, refusedRetryMaxMs } = this.#options;
    const refused = error.code === 'source_refused' && this.#spec.kind !== 'webcam';
    this.#refusals = refused ? this.#refusals + 1 : 0;
    if (refused) {
      return backoffMs(this.#refusals, { baseMs: refusedRetryBaseMs, maxMs: refusedRetryMaxMs });
    }
    return backoffMs(attempt, { baseMs: retryBaseMs, maxMs: retryMaxMs });
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }
}

type Decision =
  | { readonly what: 'end'; readonly reason: string | undefined }
  | { readonly what: 'again' }
  | { readonly what: 'retry'; readonly error: PresageError };

function empty(name: string): PresageError {
  const hint = 'choose a file or stream with video';
  return new PresageError('source_invalid', `${name}: there is no picture in it`, { hint });
}

function unpublished(name: string): PresageError {
  return new PresageError('source_unreachable', `${name}: the publisher has gone`, { retryable: true });
}

function ended(name: string): PresageError {
  return new PresageError('source_unreachable', `${name}: the stream ended`, { retryable: true });
}

/** Preparing rejects only when the source was closed. */
function ifStopped(): undefined {
  return undefined;
}
