import type { PresageError } from './errors.js';
import type { MemorySnapshot, Observation } from './memory.js';
import type { Draft, Explanation, Forecast, ObservedEvent } from './messages.js';
import type { Observable } from 'rxjs';

export interface Forecaster {
  readonly name: string;
  /** The whole standard forecast at the snapshot's time, deterministic for the same history. */
  forecast(snapshot: MemorySnapshot): Forecast;
}

export interface Explainer {
  readonly name: string;
  /** Undefined when there is nothing to explain about this type of event. Rejects with PresageError. */
  explain(
    event: ObservedEvent,
    snapshot: MemorySnapshot,
    signal?: AbortSignal,
  ): Promise<Explanation | undefined>;
}

export interface Reasoner extends AsyncDisposable {
  /** What follows at once from an update: explanations by rules, forecasts, predictions, resolutions, scorecards. */
  step(update: Observation): readonly Draft[];
  /** The camera was lost at media time `t`: open predictions become void. */
  interrupt(t: number): readonly Draft[];
  /** What comes later, from slow backends. */
  readonly late$: Observable<Draft>;
  /** Resolves when nothing is pending on `late$`. `analyze` waits for it after every step. */
  settle(): Promise<void>;
  /** The recording has ended: the last resolutions and the final scorecard. */
  finish(t: number): readonly Draft[];
  /** State worth keeping across restarts (calibration, base rates), plain JSON. */
  saveState(): unknown;
  close(): Promise<void>;
}
