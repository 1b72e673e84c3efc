import { Flow } from '../client/flow.js';
import { DEFAULT_OBJECTS_RATE, listOf, streamOf } from '../client/interest.js';
import { matcher, type Match } from '../client/matching.js';
import * as items from '../client/to-items.js';
import type * as T from '../client/types.js';
import { PresageError, toPresageError } from '../core/errors.js';
import type { Message, MessageKind } from '../core/messages.js';
import type { MessageBus } from './message-bus.js';

/** Filter of a flow of an embedded agent: a filter of the SDK without a start position. All given conditions must hold. */
export type Filter<F extends T.StreamFilter> = Omit<F, 'from'>;

const MAX_OBJECTS_RATE = 120;

/**
 * The flows of an agent or of one of its streams. Each is an async iterable and can be subscribed to like an RxJS Observable.
 * A flow delivers the messages that are published while it is read; it completes when the agent closes.
 */
export class Flows {
  readonly #bus: MessageBus;
  readonly #stream: string | undefined;
  readonly #onError: (error: PresageError) => void;

  /**
   * @param stream id of the only stream of the flows; undefined: all streams
   * @param onError receives errors that observers throw; their subscription ends
   */
  constructor(bus: MessageBus, stream: string | undefined, onError: (error: PresageError) => void) {
    this.#bus = bus;
    this.#stream = stream;
    this.#onError = onError;
  }

  /** All messages, as CloudEvents. */
  messages(filter: Filter<T.MessageFilter> = {}): Flow<Message> {
    const { types, label, zone, minProbability, stream } = filter;
    return this.#flow(types, filter, { stream, label, zone, minProbability }, (message) => message);
  }

  /** Observed events. */
  events(filter: Filter<T.EventFilter> = {}): Flow<T.EventItem> {
    return this.#flow(['event.observed'], filter, filter, items.event);
  }

  /** New predictions, and earlier ones whose probability changed. */
  predictions(filter: Filter<T.PredictionFilter> = {}): Flow<T.PredictionItem> {
    return this.#flow(['prediction.created', 'prediction.updated'], filter, filter, items.prediction);
  }

  /** Outcomes of predictions: `hit`, `miss` or `void`. */
  resolutions(filter: Filter<T.PredictionFilter> = {}): Flow<T.ResolutionItem> {
    return this.#flow(['prediction.resolved'], filter, filter, items.resolution);
  }

  /** Explanations of events. */
  explanations(filter: Filter<T.StreamFilter> = {}): Flow<T.ExplanationItem> {
    return this.#flow(['explanation.created'], filter, filter, items.explanation);
  }

  /** Objects in view, at most `rate` times per second of media time (0–120, default 5). */
  objects(filter: Filter<T.ObjectsFilter> = {}): Flow<T.ObjectsItem> {
    const { rate = DEFAULT_OBJECTS_RATE } = filter;
    if (!(rate >= 0 && rate <= MAX_OBJECTS_RATE))
      throw new PresageError(
        'bad_option',
        `the rate of objects is ${rate}, expected 0 to ${MAX_OBJECTS_RATE}`,
      );
    return this.#flow(['objects.updated'], filter, filter, items.thinned(rate));
  }

  /** The whole standard forecast, once per second of media time. */
  forecasts(filter: Filter<T.StreamFilter> = {}): Flow<T.ForecastUpdate> {
    return this.#flow(['forecast.updated'], filter, filter, items.forecast);
  }

  /** Scores of the predictions. */
  scorecards(filter: Filter<T.StreamFilter> = {}): Flow<T.ScorecardItem> {
    return this.#flow(['scorecard.updated'], filter, filter, items.scorecard);
  }

  /** States of the streams. */
  states(filter: Filter<T.StreamFilter> = {}): Flow<T.StateItem> {
    return this.#flow(['stream.state'], filter, filter, items.state);
  }

  #flow<R>(
    kinds: readonly MessageKind[] | undefined,
    options: Filter<T.StreamFilter>,
    match: Match,
    toItem: (message: Message) => R | undefined,
  ): Flow<R> {
    const { minProbability } = match;
    if (minProbability !== undefined && !(minProbability >= 0 && minProbability <= 1))
      throw new PresageError('bad_option', `minProbability is ${minProbability}, expected 0 to 1`);
    const matches = matcher({ ...match, stream: this.#stream ?? match.stream, kinds });
    const labels = listOf(match.label);
    return new Flow<R>(
      (sink) =>
        this.#bus.listen({
          next: (message) => {
            if (!matches(message) || !(labels === undefined || this.#hasLabel(message, labels))) return;
            const item = toItem(message);
            if (item !== undefined) sink.next(item);
          },
          complete: () => sink.complete(),
        }),
      options,
      undefined,
      (thrown) => this.#onError(toPresageError(thrown)),
    );
  }

  /** Predictions name their participants by id; their labels come from earlier messages. */
  #hasLabel(message: Message, labels: readonly string[]): boolean {
    if (!message.type.startsWith('presage.prediction.')) return true;
    const { prediction } = message.data as { prediction: { event: { participants: readonly string[] } } };
    const stream = streamOf(message);
    return prediction.event.participants.some((id) => labels.includes(this.#bus.labelOf(stream, id) ?? ''));
  }
}
