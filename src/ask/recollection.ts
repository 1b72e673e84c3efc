import type { VideoInspector } from '../core/inspection.js';
import type { AnswerEvidence, Explanation, Prediction, ReportedInspection } from '../core/messages.js';
import type { MemoryQueries } from '../core/records/query.js';
import type { Places } from '../core/memory.js';

/** What questions are answered from: memory, or the archive on disk. */
export interface Recollection {
  /** Media time of the newest thing known, s. */
  readonly now: number;
  /** Media time of the oldest thing kept, s. */
  readonly since: number;
  /** The stream goes on; `now` is the present. */
  readonly live: boolean;
  readonly queries: MemoryQueries;
  readonly places: Places;
  /** Recent video, where some is kept. */
  readonly video?: VideoInspector | undefined;
  /** The explanation of an event, where one was made. */
  explanationOf(eventId: string): Explanation | undefined;
  /** Predictions not yet decided, the likeliest first. */
  predictions(): readonly Prediction[];
}

/** An answer without its question. */
export interface Reply {
  readonly text: string;
  readonly evidence: readonly AnswerEvidence[];
  /** 0–1 */
  readonly confidence: number;
  /** What was looked at again for it. */
  readonly inspections?: readonly ReportedInspection[];
}

/**
 * How surely something did not happen when memory holds nothing of it. Detectors miss, and an event needs its whole
 * course to be seen: the recall of events on recordings with annotated tracks is of this order (bench/RESULTS.md).
 */
export const ABSENCE = 0.7;
