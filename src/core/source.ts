import type { PresageError } from './errors.js';
import type { Frame } from './video/frame.js';
import type { Observable } from 'rxjs';

export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  /** Nominal frames per second; 0 when the source does not say. */
  readonly fps: number;
  readonly codec: string;
}

/** Where a source stands. Each state carries only what is true of it. */
export type SourceState =
  | { readonly state: 'connecting'; readonly attempt: number }
  | { readonly state: 'live'; readonly format: VideoFormat }
  | {
      readonly state: 'reconnecting';
      readonly error: PresageError;
      readonly attempt: number;
      readonly delayMs: number;
    }
  /** With a reason when it ended before it should have, such as a file that is cut off. */
  | { readonly state: 'ended'; readonly reason?: string }
  | { readonly state: 'failed'; readonly error: PresageError };

export interface SourceStats {
  /** Frames decoded and offered, dropped ones included. */
  readonly delivered: number;
  /** Frames dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Media times that ran backwards or jumped and were carried on with. */
  readonly clockJumps: number;
  readonly reconnects: number;
}

/**
 * One camera or file. Subscribing `frame$` starts it, once; unsubscribing or closing stops it. Each frame is a lease
 * that its receiver disposes. `frame$` completes when the source has ended (a file) and errors with a PresageError
 * when it can't go on. Media time strictly increases over the frames, across reconnects too.
 */
export interface Source extends AsyncDisposable {
  /** The source's address without credentials. */
  readonly name: string;
  readonly frame$: Observable<Frame>;
  /** Replays the present state to a new subscriber; completes after `ended` or `failed`. */
  readonly state$: Observable<SourceState>;
  /** Frames leased and not yet disposed. */
  readonly liveFrames: number;
  /** Length in seconds where known (files). */
  readonly duration: number | undefined;
  stats(): SourceStats;
  close(): Promise<void>;
}
