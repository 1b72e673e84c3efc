import type { Message, MessageKind } from '../core/messages.js';
import { ClientError } from './client-error.js';
import { Feed } from './feed.js';
import { Flow, type Sink } from './flow.js';
import { HttpClient } from './http.js';
import { matcher, type Match } from './matching.js';
import type { SocketConstructor } from './socket.js';
import * as told from './to-items.js';
import type * as T from './types.js';
import { DEFAULT_OBJECTS_RATE, listOf, type Listener, type Interest } from './interest.js';

/** Options of `connect`. */
export interface ConnectOptions {
  readonly token?: string | undefined;
  /** Streams that the agent's flows are about unless they say otherwise. Default: all, those that come later too. */
  readonly streams?: readonly string[];
  /** Kinds of messages that `messages()` gives unless told otherwise. Default: all. */
  readonly types?: readonly MessageKind[];
  /** Where to begin. Default `latest`: what comes from now on. */
  readonly from?: T.From;
  /** Seconds between the service's signs of life; a connection silent for 2.5 times that is given up. Default 10. */
  readonly heartbeat?: number;
  /** Default: the platform's, or that of the package `ws`. */
  readonly WebSocket?: SocketConstructor;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

const DEFAULT_HEARTBEAT_S = 10;
/** Of the service. */
const MAX_OBJECTS_RATE = 120;

/** What a flow of messages is made from. */
interface Plan<R> {
  readonly kinds: readonly MessageKind[] | undefined;
  readonly filter: T.StreamFilter & Match;
  /** What the service is asked for; default: the filter. */
  readonly interest?: Match;
  readonly objectsRate?: number | undefined;
  /** The service has to select: what decides is not in the messages. It then cannot share a connection. */
  readonly selects?: boolean;
  /** Undefined leaves a message out. */
  readonly toItems: (message: Message) => R | undefined;
}

/**
 * A connection to a service. It connects at once, and again whenever it is lost, and goes on where it was: each durable message
 * of a stream comes once, in order, across connections and restarts of the service.
 */
export class Agent implements AsyncDisposable {
  readonly http: HttpClient;
  /** Each change of `status()`, beginning with what it is now. */
  readonly status$: Flow<T.AgentStatus>;
  readonly #options: ConnectOptions;
  readonly #base: URL;
  readonly #feed: Feed;
  /** Of flows that begin elsewhere. */
  readonly #ownFeeds = new Set<Feed>();
  readonly #watchers = new Set<Sink<T.AgentStatus>>();
  readonly #lagSinks = new Set<Sink<T.Lag>>();
  #status: T.AgentStatus = { state: 'connecting' };

  /** @throws ClientError `bad_address` */
  constructor(url: string | URL, options: ConnectOptions = {}) {
    this.#options = options;
    this.#base = baseOf(url);
    const { token, fetch: given } = options;
    this.http = new HttpClient({ base: this.#base, token, fetch: given });
    this.status$ = new Flow((sink) => this.#watch(sink));
    this.#feed = this.#open(options.from ?? 'latest', (status) => this.#setStatus(status));
  }

  /** The present state of the connection. */
  status(): T.AgentStatus {
    return this.#status;
  }

  /** Messages as they come. */
  messages(filter: T.MessageFilter = {}): Flow<Message> {
    const { types = this.#options.types, objectsRate } = filter;
    const { label, zone, minProbability, ...rest } = filter;
    const selects = label !== undefined || zone !== undefined || minProbability !== undefined;
    // What the service selects is not judged here again.
    return this.#flow({
      kinds: types,
      filter: rest,
      interest: filter,
      objectsRate,
      selects,
      toItems: (message) => message,
    });
  }

  /** What happened. */
  events(filter: T.EventFilter = {}): Flow<T.EventItem> {
    return this.#flow({ kinds: ['event.observed'], filter, toItems: told.event });
  }

  /** What will probably happen: new predictions, and old ones whose probability changed. */
  predictions(filter: T.PredictionFilter = {}): Flow<T.PredictionItem> {
    const kinds = ['prediction.created', 'prediction.updated'] as const;
    return this.#flow({ kinds, filter, selects: filter.label !== undefined, toItems: told.prediction });
  }

  /** What became of predictions. `minProbability`: those that were ever so probable. */
  resolutions(filter: T.PredictionFilter = {}): Flow<T.ResolutionItem> {
    const { minProbability, ...rest } = filter;
    const selects = filter.label !== undefined || minProbability !== undefined;
    return this.#flow({
      kinds: ['prediction.resolved'],
      ...{ filter: rest, interest: filter, selects },
      toItems: told.resolution,
    });
  }

  /** Why something happened. */
  explanations(filter: T.StreamFilter = {}): Flow<T.ExplanationItem> {
    return this.#flow({ kinds: ['explanation.created'], filter, toItems: told.explanation });
  }

  /** Who is in the picture. Not durable: what comes while the connection is lost is not made up for. */
  objects(filter: T.ObjectsFilter = {}): Flow<T.ObjectsItem> {
    const { rate = DEFAULT_OBJECTS_RATE } = filter;
    return this.#flow({ kinds: ['objects.updated'], filter, objectsRate: rate, toItems: told.thinned(rate) });
  }

  /** The whole standard forecast, every second. Not durable. */
  forecasts(filter: T.StreamFilter = {}): Flow<T.ForecastUpdate> {
    return this.#flow({ kinds: ['forecast.updated'], filter, toItems: told.forecast });
  }

  /** How good the predictions are. */
  scorecards(filter: T.StreamFilter = {}): Flow<T.ScorecardItem> {
    return this.#flow({ kinds: ['scorecard.updated'], filter, toItems: told.scorecard });
  }

  /** How streams are. */
  states(filter: T.StreamFilter = {}): Flow<T.StateItem> {
    return this.#flow({ kinds: ['stream.state'], filter, toItems: told.state });
  }

  /** What was lost on the way, by whom and how much. */
  lags(): Flow<T.Lag> {
    return new Flow((sink) => {
      this.#lagSinks.add(sink);
      return () => this.#lagSinks.delete(sink);
    });
  }

  /** Ends everything: flows complete, iterations end after what they hold. Idempotent. */
  close(): Promise<void> {
    this.#setStatus({ state: 'closed', reason: 'closed by the client' });
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #flow<R>(plan: Plan<R>): Flow<R> {
    const { filter, selects } = plan;
    const { label, zone, minProbability } = plan.interest ?? filter;
    assertWithin('minProbability', minProbability, 1);
    assertWithin('the rate of objects', plan.objectsRate, MAX_OBJECTS_RATE);
    const streams = listOf(filter.stream) ?? this.#options.streams;
    const matches = matcher({ ...filter, stream: streams, kinds: plan.kinds });
    const wish: Interest = {
      streams,
      kinds: plan.kinds,
      labels: listOf(label),
      zones: listOf(zone),
      minProbability,
      objectsRate: plan.objectsRate,
    };
    const open = (sink: Sink<R>): (() => void) => {
      const tap: Listener = {
        interest: wish,
        from: filter.from ?? (selects ? (this.#options.from ?? 'latest') : undefined),
        deliver: (message) => {
          const item = matches(message) ? plan.toItems(message) : undefined;
          if (item !== undefined) sink.next(item);
        },
        fail: (error) => sink.error(error),
        complete: () => sink.complete(),
      };
      return this.#listen(tap);
    };
    return new Flow(open, filter, (lost) => this.#noteDropped(lost));
  }

  #listen(tap: Listener): () => void {
    const status = this.#status;
    if (status.state === 'closed') {
      if (status.error) tap.fail(status.error);
      else tap.complete();
      return () => undefined;
    }
    if (tap.from === undefined) return this.#feed.add(tap);
    const feed = this.#open(tap.from, (own) => {
      if (own.state === 'closed' && own.error) this.#setStatus(own);
    });
    this.#ownFeeds.add(feed);
    const remove = feed.add(tap);
    return () => {
      remove();
      this.#ownFeeds.delete(feed);
      feed.close();
    };
  }

  #open(from: T.From, onStatus: (status: T.AgentStatus) => void): Feed {
    const { token, WebSocket: socket } = this.#options;
    return new Feed({
      ...{ base: this.#base, token, http: this.http, socket, from, onStatus },
      heartbeatS: this.#options.heartbeat ?? DEFAULT_HEARTBEAT_S,
      onLag: (lag) => {
        for (const sink of [...this.#lagSinks]) sink.next(lag);
      },
    });
  }

  #watch(sink: Sink<T.AgentStatus>): () => void {
    sink.next(this.#status);
    if (this.#status.state === 'closed') sink.complete();
    else this.#watchers.add(sink);
    return () => this.#watchers.delete(sink);
  }

  #setStatus(status: T.AgentStatus): void {
    const before = this.#status;
    if (before.state === 'closed') return;
    if (status.state === before.state && status.state !== 'reconnecting') return;
    this.#status = status;
    for (const sink of [...this.#watchers]) sink.next(status);
    if (status.state !== 'closed') return;
    for (const feed of [this.#feed, ...this.#ownFeeds]) feed.close(status.error);
    for (const sink of [...this.#watchers, ...this.#lagSinks]) sink.complete();
  }

  #noteDropped(lost: unknown): void {
    const { stream, source, sequence } = lost as { stream?: string; source?: string; sequence?: unknown };
    const at = sequence === undefined ? {} : { fromSequence: Number(sequence), toSequence: Number(sequence) };
    const id = stream ?? source?.slice(source.lastIndexOf('/') + 1) ?? '';
    for (const sink of [...this.#lagSinks]) sink.next({ stream: id, dropped: 1, ...at, where: 'buffer' });
  }
}

function assertWithin(what: string, value: number | undefined, most: number): void {
  if (value === undefined || (value >= 0 && value <= most)) return;
  throw new ClientError('bad_request', `${what} is ${value}, expected 0 to ${most}`);
}

function baseOf(url: string | URL): URL {
  let base: URL;
  try {
    base = new URL(url);
  } catch (cause) {
    throw new ClientError('bad_address', `"${String(url)}" is not an address such as http://localhost:7878`, {
      cause,
    });
  }
  base.protocol = base.protocol.replace(/^ws/, 'http');
  if (base.protocol !== 'http:' && base.protocol !== 'https:')
    throw new ClientError('bad_address', `${base.protocol}// cannot be connected to: http or https can`);
  base.search = '';
  base.hash = '';
  return base;
}
