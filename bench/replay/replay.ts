import { Observable, ReplaySubject } from 'rxjs';
import { systemClock } from '../../src/core/clock.js';
import { FramePool, i420Layout, type Frame } from '../../src/core/video/frame.js';
import type { Perception, PerceptionInfo, Percept, StreamPerception } from '../../src/core/percept.js';
import type { Source, SourceState } from '../../src/core/source.js';
import type { Recording } from './recording.js';

/** Leases in being at once; the pipeline takes one frame after the other. */
const MAX_FRAMES = 4;

/** The frames of a recording that has been perceived already: their times are right, their pixels are not. */
export class ReplaySource implements Source {
  readonly name: string;
  readonly duration: number | undefined;
  readonly state$ = new ReplaySubject<SourceState>(1);
  readonly frame$: Observable<Frame>;
  readonly #recording: Recording;
  readonly #pool: FramePool;
  #delivered = 0;
  #closed = false;

  constructor(name: string, recording: Recording) {
    const { percepts } = recording;
    const { width, height } = firstOf(percepts);
    this.name = name;
    this.duration = percepts.at(-1)?.t;
    this.#recording = recording;
    this.#pool = new FramePool(i420Layout(width, height), MAX_FRAMES);
    this.frame$ = new Observable((subscriber) => {
      this.#play((frame) => {
        if (subscriber.closed) frame[Symbol.dispose]();
        else subscriber.next(frame);
      }).then(
        () => {
          this.state$.next({ state: 'ended' });
          subscriber.complete();
        },
        (error: unknown) => subscriber.error(error),
      );
      return () => void this.close();
    });
  }

  get liveFrames(): number {
    return this.#pool.live;
  }

  stats(): ReturnType<Source['stats']> {
    return { delivered: this.#delivered, dropped: {}, clockJumps: 0, reconnects: 0 };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.state$.complete();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #play(deliver: (frame: Frame) => void): Promise<void> {
    const { fps, percepts } = this.#recording;
    const { width, height } = firstOf(percepts);
    this.state$.next({ state: 'live', format: { width, height, fps, codec: 'replayed' } });
    for (const { index, t } of percepts) {
      let pixels = this.#pool.take();
      while (!pixels) {
        await this.#pool.whenFree();
        pixels = this.#pool.take();
      }
      if (this.#closed) {
        this.#pool.putBack(pixels);
        return;
      }
      this.#delivered += 1;
      deliver(this.#pool.lease(pixels, { index, t, receivedAtMs: systemClock.nowMs() }));
    }
  }
}

/** Says of each frame of a `ReplaySource` what was said of it then. */
export class ReplayPerception implements Perception {
  readonly info: PerceptionInfo;
  readonly #percepts: ReadonlyMap<number, Percept>;

  constructor({ info, percepts }: Recording) {
    this.info = info;
    this.#percepts = new Map(percepts.map((percept) => [percept.index, percept]));
  }

  openStream(): StreamPerception {
    return {
      concurrency: 1,
      perceive: (frame) => {
        const percept = this.#percepts.get(frame.index);
        if (!percept) return Promise.reject(new Error(`frame ${frame.index} was not perceived`));
        return Promise.resolve({ ...percept, receivedAtMs: frame.receivedAtMs });
      },
      setEffort: () => undefined,
      close: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function firstOf(percepts: readonly Percept[]): Percept {
  const [first] = percepts;
  if (!first) throw new Error('the recording has no frames');
  return first;
}
