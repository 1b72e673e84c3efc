import type { z } from 'zod';
import {
  formatSequence,
  type EventObserved,
  type Explanation,
  type Prediction,
  type ResolvedPrediction,
} from '../../../core/messages.js';
import type { Cursor, History, StoredMessage, PagedKind } from '../../archive/history.js';
import type {
  EventDetail,
  EventItem,
  eventsQuerySchema,
  ExplanationItem,
  explanationsQuerySchema,
  PredictionItem,
  predictionsQuerySchema,
} from './history-schemas.js';

/** Messages looked at for one page at most; what does not fit is passed over. */
const MAX_READ = 20_000;
/** An event is told at most this long after its time, s. */
const MAX_REPORT_DELAY_S = 30;
/** A prediction is open at most this long, s. */
const LONGEST_OPEN_S = 120;

export interface Page<T> {
  readonly items: T[];
  /** `before` of the next page; absent on the last one. */
  readonly next?: string;
}

interface PageQuery {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit: number;
  readonly before?: Cursor | undefined;
}

/** Events, explanations and predictions of the past, in pages. */
export class StreamHistory {
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  events(query: z.output<typeof eventsQuerySchema>): Page<EventItem> {
    const { from = -Infinity, to = Infinity, type, zone, object } = query;
    return this.#page('event.observed', query, MAX_REPORT_DELAY_S, object, (message) => {
      const observed = message.data as EventObserved;
      const { event } = observed;
      const fits =
        event.t >= from &&
        event.t <= to &&
        (type === undefined || event.type === type) &&
        (zone === undefined || event.zone === zone);
      return fits ? { ...observed, ...attributesOf(message) } : undefined;
    });
  }

  predictions(query: z.output<typeof predictionsQuerySchema>): Page<PredictionItem> {
    const { type, zone, object, outcome } = query;
    return this.#page('prediction.created', query, 0, undefined, (message) => {
      const { prediction } = message.data as { prediction: Prediction };
      const { event } = prediction;
      const fits =
        (type === undefined || event.type === type) &&
        (zone === undefined || event.zone === zone) &&
        (object === undefined || event.participants.includes(object));
      if (!fits) return undefined;
      const resolved = this.#resolved(prediction.id);
      if (outcome !== undefined && (resolved?.outcome ?? 'open') !== outcome) return undefined;
      return { prediction: resolved ?? prediction, ...attributesOf(message) };
    });
  }

  explanations(query: z.output<typeof explanationsQuerySchema>): Page<ExplanationItem> {
    const { of, object } = query;
    const ref = of === undefined ? undefined : `of:${of}`;
    return this.#page('explanation.created', query, 0, ref, (message) => {
      const { explanation } = message.data as { explanation: Explanation };
      const concerns =
        object === undefined ||
        explanation.chain.some(({ objects }) => objects.includes(object)) ||
        explanation.causes.some((cause) => cause.object === object);
      return concerns ? { explanation, ...attributesOf(message) } : undefined;
    });
  }

  /** Undefined when no such event is kept. */
  event(id: string): EventDetail | undefined {
    const message = this.#history.latestOf(id, 'event.observed');
    if (message === undefined) return undefined;
    const observed = message.data as EventObserved;
    const explained = this.#history.latestOf(`of:${id}`, 'explanation.created')?.data as
      { explanation: Explanation } | undefined;
    return {
      ...observed,
      ...attributesOf(message),
      ...(explained && { explanation: explained.explanation }),
      predictions: this.#foretelling(observed),
    };
  }

  /** The predictions that an event made true. */
  #foretelling({ event }: EventObserved): ResolvedPrediction[] {
    const span = { from: event.t - LONGEST_OPEN_S, to: event.t };
    const found: ResolvedPrediction[] = [];
    for (const { data } of this.#history.messages('prediction.created', span)) {
      const { prediction } = data as { prediction: Prediction };
      if (prediction.event.type !== event.type) continue;
      const resolved = this.#resolved(prediction.id);
      if (resolved?.eventId === event.id) found.push(resolved);
    }
    return found;
  }

  #resolved(id: string): ResolvedPrediction | undefined {
    const message = this.#history.latestOf(id, 'prediction.resolved');
    return (message?.data as { prediction: ResolvedPrediction } | undefined)?.prediction;
  }

  /** @param laterS messages are told at most this long after what they tell of, s */
  #page<T>(
    kind: PagedKind,
    { from, to, limit, before }: PageQuery,
    laterS: number,
    ref: string | undefined,
    take: (message: StoredMessage) => T | undefined,
  ): Page<T> {
    const span = { ...(from !== undefined && { from }), ...(to !== undefined && { to: to + laterS }) };
    const items: T[] = [];
    let read = 0;
    let last: StoredMessage | undefined;
    for (const message of this.#history.messages(kind, span, before, ref)) {
      // There is more: where this page ended is where the next one begins.
      if (last && (items.length >= limit || read >= MAX_READ)) {
        return { items, next: `${last.mediatime}_${last.sequence}` };
      }
      last = message;
      read += 1;
      const item = take(message);
      if (item !== undefined) items.push(item);
    }
    return { items };
  }
}

function attributesOf({ sequence, mediatime, time }: StoredMessage): {
  sequence: string;
  mediatime: number;
  time?: string;
} {
  return { sequence: formatSequence(sequence), mediatime, ...(time !== undefined && { time }) };
}
