import type { PresageError } from './errors.js';
import type { Frame } from './video/frame.js';
import type { Observable } from 'rxjs';

/** Format of a video. Width and height in px. */
export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  /** Nominal frames per second; 0 when the source does not declare it. */
  readonly fps: number;
  readonly codec: string;
}

/** State of a source. Each variant carries only its own fields. */
export type SourceState =
  | { readonly state: 'connecting'; readonly attempt: number }
  | { readonly state: 'live'; readonly format: VideoFormat }
  | {
      readonly state: 'reconnecting';
      readonly error: PresageError;
      readonly attempt: number;
      readonly delayMs: number;
    }
  /** `reason` is present when the source ended early, such as a truncated file. */
  | { readonly state: 'ended'; readonly reason?: string }
  | { readonly state: 'failed'; readonly error: PresageError };

/** Counters of a source since it was opened. */
export interface SourceStats {
  /** Frames decoded and offered, dropped ones included. */
  readonly delivered: number;
  /** Frames dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Number of jumps of the source's time stamps, back or forth, that media time compensates. */
  readonly clockJumps: number;
  readonly reconnects: number;
}

/**
 * One camera or file. The first subscription to `frame$` starts it; unsubscribing or closing stops it. Each frame is a lease
 * that its receiver disposes. `frame$` completes when the source has ended (a file) and errors with a PresageError when the
 * source fails. Media time strictly increases over the frames, across reconnects too.
 */
export interface Source extends AsyncDisposable {
  /** The source's address without credentials. */
  readonly name: string;
  readonly frame$: Observable<Frame>;
  /** Replays the present state to a new subscriber; completes after `ended` or `failed`. */
  readonly state$: Observable<SourceState>;
  /** Number of frames leased and not yet disposed. */
  readonly liveFrames: number;
  /** Length of a file in seconds; undefined for live sources and where unknown. */
  readonly duration: number | undefined;
  stats(): SourceStats;
  close(): Promise<void>;
}
