import { z } from 'zod';
import type { Draft } from '../../core/messages.js';
import type { StateStore } from '../../core/state.js';
import type { LogEntry, LogRange } from '../../transport/log/log-types.js';

/** Key of the position that the other state belongs to. */
export const POSITION_KEY = 'session';
/** Pieces of memory's state begin with this. */
export const MEMORY_PREFIX = 'memory/';
export const REASONER_KEY = 'reasoner';
export const PLACES_KEY = 'zones';

/** Minimum step from the newest published media time to the first after a restart, s. */
const MIN_STEP_S = 0.04;
/**
 * Object numbers skipped after a crash. Objects are published live before any durable message names them, so those of the
 * second that was lost may be known to a client; this many cannot have come into view in it.
 */
const OBJECTS_LEFT_OUT = 100;

const positionSchema = z.object({
  version: z.literal(1),
  /** Newest durable message at that moment; what comes after it is not in the state. */
  sequence: z.int().min(0),
  mediatime: z.number(),
  /** Wall time, ms since 1970. */
  at: z.number(),
  /** The stream was ended in order. */
  ended: z.boolean(),
});
export type Position = z.infer<typeof positionSchema>;

/** The highest numbers given so far: `o7`, `e12`, `x4`, `p31`. */
interface Numbers {
  readonly objects: number;
  readonly events: number;
  readonly explanations: number;
  readonly predictions: number;
}

/** State from which a stream continues an earlier run. */
export interface Continuation {
  /** Media time of its first picture, s. */
  readonly startS: number;
  readonly memory: Readonly<Record<string, unknown>>;
  readonly reasoner: unknown;
  /** Numbers given by messages that the saved state does not know, or by all, and must not be given again. */
  readonly numbers: (which: 'unsaved' | 'all') => Numbers;
  /** Numbers of objects to leave out besides. */
  readonly objectsLeftOut: number;
}

/** The part of the durable log that is read here. */
export interface ContinuationLog extends StateStore {
  range(streamId: string): LogRange;
  read(streamId: string, fromSequence: number, limit: number): LogEntry[];
  lastMediatime(streamId: string): number | undefined;
}

/**
 * Longest pause by which media time advances, s. A longer one, or a negative one, comes from a clock that was wrong: media time
 * then continues where it was.
 */
const MAX_PAUSE_S = 30 * 86_400;
/** Messages read at a time. */
const PAGE = 1000;

/**
 * The state of an earlier run of the stream; undefined when there was none. The state and the log are of one commit, so
 * after a crash the log holds at most the messages of a second that the state does not know.
 *
 * @param nowMs wall time, ms: media time advances while the service is stopped
 */
export function continuationOf(log: ContinuationLog, id: string, nowMs: number): Continuation | undefined {
  const last = log.lastMediatime(id);
  if (last === undefined) return undefined;
  const saved = positionSchema.safeParse(log.load(id, POSITION_KEY)).data;
  const elapsedS = saved === undefined ? 0 : (nowMs - saved.at) / 1000;
  const passedS = elapsedS > 0 && elapsedS <= MAX_PAUSE_S ? elapsedS : 0;
  const startS = Math.max(last + MIN_STEP_S, (saved?.mediatime ?? last) + passedS);
  return {
    startS: Math.round(startS * 1000) / 1000,
    memory: log.loadAll(id, MEMORY_PREFIX),
    reasoner: log.load(id, REASONER_KEY),
    numbers: (which) => numbersAfter(log, id, which === 'all' ? 0 : (saved?.sequence ?? 0)),
    objectsLeftOut: saved?.ended === true ? 0 : OBJECTS_LEFT_OUT,
  };
}

function numbersAfter(log: ContinuationLog, id: string, sequence: number): Numbers {
  const most = { o: 0, e: 0, x: 0, p: 0 };
  const { first, last } = log.range(id);
  for (let from = Math.max(sequence + 1, first); from <= last;) {
    const page = log.read(id, from, PAGE);
    for (const { json } of page) {
      for (const [, kind, digits] of json.matchAll(/"([oexp])(\d{1,12})"/g)) {
        const key = kind as keyof typeof most;
        most[key] = Math.max(most[key], Number(digits));
      }
    }
    from = (page.at(-1)?.sequence ?? last) + 1;
  }
  return { objects: most.o, events: most.e, explanations: most.x, predictions: most.p };
}

/** Predictions of the earlier run with the outcome `void`: they were not observed to their end. */
export function voided(
  predictions: readonly Extract<Draft, { kind: 'prediction.created' }>['data']['prediction'][],
  t: number,
): Draft[] {
  return predictions.map((prediction) => ({
    kind: 'prediction.resolved',
    mediatime: t,
    subject: prediction.id,
    data: { prediction: { ...prediction, outcome: 'void', resolvedAt: t } },
  }));
}
