import type { MemorySnapshot, Observation } from './memory.js';
import type { Draft, Explanation, Forecast, ObservedEvent } from './messages.js';
import type { Observable } from 'rxjs';

export interface Forecaster {
  readonly name: string;
  /** Returns the whole standard forecast at the snapshot's time, deterministic for the same history. */
  forecast(snapshot: MemorySnapshot): Forecast;
}

/** Explains events, after they were published. */
export interface Explainer {
  readonly name: string;
  /**
   * Returns undefined when events of this type are not explained.
   * @throws {PresageError} backend_failed, inference_failed, worker_crashed, overloaded, interrupted — depending on the backend
   */
  explain(
    event: ObservedEvent,
    snapshot: MemorySnapshot,
    signal?: AbortSignal,
  ): Promise<Explanation | undefined>;
}

export interface Reasoner extends AsyncDisposable {
  /** Returns the immediate results of an update: explanations by rules, forecasts, predictions, resolutions, scorecards. */
  step(update: Observation): readonly Draft[];
  /** Voids open predictions, because the camera was lost at media time `t`, s. */
  interrupt(t: number): readonly Draft[];
  /** Results of slow backends. */
  readonly late$: Observable<Draft>;
  /** Resolves when nothing is pending on `late$`. `analyze` waits for it after every step. */
  settle(): Promise<void>;
  /** Ends the recording at media time `t`, s. Returns the last resolutions and the final scorecard. */
  finish(t: number): readonly Draft[];
  /** Returns the state to keep across restarts (calibration, base rates), plain JSON. */
  saveState(): unknown;
  close(): Promise<void>;
}
