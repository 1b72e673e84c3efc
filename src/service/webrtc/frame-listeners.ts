import { tap, type Observable } from 'rxjs';
import { systemClock } from '../../core/clock.js';
import type { Frame } from '../../core/video/frame.js';
import type { LiveFrames } from '../../core/video/live-video.js';
import type { Source, SourceState, SourceStats } from '../../core/source.js';

/** A stream without a frame for this long shows no picture, ms. */
const FLOWING_MS = 5000;

interface FrameListener {
  lastAtMs: number;
  readonly watchers: Set<(frame: Frame) => void>;
}

/** Lets viewers see the frames of each stream as they leave its source, whatever becomes of them afterwards. */
export class FrameListeners implements LiveFrames {
  readonly #taps = new Map<string, FrameListener>();

  /** The source with its frames passed to the viewers of the stream as well. */
  wrap(streamId: string, source: Source): Source {
    const own = this.#tapOf(streamId);
    return new TappedSource(source, (frame) => {
      own.lastAtMs = systemClock.nowMs();
      for (const watcher of own.watchers) watcher(frame);
    });
  }

  flowing(streamId: string): boolean {
    const own = this.#taps.get(streamId);
    return own !== undefined && systemClock.nowMs() - own.lastAtMs < FLOWING_MS;
  }

  watch(streamId: string, onFrame: (frame: Frame) => void): () => void {
    const { watchers } = this.#tapOf(streamId);
    watchers.add(onFrame);
    return () => watchers.delete(onFrame);
  }

  /** One a stream for the life of the service: a stream that is removed may come again while it is watched. */
  #tapOf(streamId: string): FrameListener {
    const known = this.#taps.get(streamId);
    if (known) return known;
    const made: FrameListener = { lastAtMs: -Infinity, watchers: new Set() };
    this.#taps.set(streamId, made);
    return made;
  }
}

class TappedSource implements Source {
  readonly name: string;
  readonly frame$: Observable<Frame>;
  readonly state$: Observable<SourceState>;
  readonly #source: Source;

  constructor(source: Source, onFrame: (frame: Frame) => void) {
    this.name = source.name;
    this.frame$ = source.frame$.pipe(tap(onFrame));
    this.state$ = source.state$;
    this.#source = source;
  }

  get liveFrames(): number {
    return this.#source.liveFrames;
  }

  get duration(): number | undefined {
    return this.#source.duration;
  }

  stats(): SourceStats {
    return this.#source.stats();
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
