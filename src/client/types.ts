import type {
  Explanation,
  Forecast,
  Message,
  MessageKind,
  ObjectState,
  ObservedEvent,
  Prediction,
  ResolvedPrediction,
  Scorecard,
  StreamState,
} from '../core/messages.js';
import type { EventType } from '../core/ontology.js';
import type { FlowOptions } from './flow.js';

export type {
  Answer,
  ChainStep,
  Explanation,
  Forecast,
  ForecastItem,
  Message,
  MessageKind,
  ObjectState,
  ObservedEvent,
  Participant,
  Prediction,
  ResolvedPrediction,
  Scorecard,
  StreamState,
} from '../core/messages.js';
export type { EventType } from '../core/ontology.js';

/** A message of one kind. */
export type MessageOf<K extends MessageKind> = Extract<Message, { type: `presage.${K}.v1` }>;

/** Where something came from. */
export interface Origin {
  /** Id of the stream. */
  readonly stream: string;
  /** Position in the stream's durable messages; absent on what is not durable. */
  readonly sequence?: number;
  /** Media time at which it was told, s. */
  readonly mediatime: number;
  /** When it was told, by the clock of the service, ISO 8601. */
  readonly time?: string;
}

/** An event with its origin. `observedAt`: media time at which it became certain, s. */
export type EventItem = ObservedEvent & Origin & { readonly observedAt: number };
/** `updated`: it is not new, its probability changed. */
export type PredictionItem = Prediction & Origin & { readonly updated: boolean };
/** A resolved prediction with its origin. */
export type ResolutionItem = ResolvedPrediction & Origin;
/** An explanation with its origin. */
export type ExplanationItem = Explanation & Origin;
/** The objects in view of a stream, with their origin. */
export type ObjectsItem = Origin & { readonly objects: readonly ObjectState[] };
/** A standard forecast with its origin. */
export type ForecastUpdate = Forecast & Origin;
/** A scorecard with its origin. */
export type ScorecardItem = Scorecard & Origin;
/** The state of a stream with its origin. */
export type StateItem = StreamState & Origin;

/** Messages that were lost on the way. */
export interface Lag {
  readonly stream: string;
  readonly dropped: number;
  /** The durable ones among them, first and last; absent when there are none. */
  readonly fromSequence?: number;
  readonly toSequence?: number;
  /** `service`: not sent to this client, or not kept any more; `buffer`: an iterator was read too slowly. */
  readonly where: 'service' | 'buffer';
}

/** One value or a list of values. */
export type OneOrMore<T> = T | readonly T[];
/** `oldest`: everything that is kept; `latest`: from now on; or a sequence for each stream. */
export type From = 'oldest' | 'latest' | Readonly<Record<string, number>>;

/** What is wanted of the messages. All that is given must hold. */
export interface StreamFilter extends FlowOptions {
  /** Id of a stream, or several. Default: all, those that come later too. */
  readonly stream?: OneOrMore<string>;
  /** Where to begin. Default: where the agent is. Gives the flow a connection of its own. */
  readonly from?: From;
}

/** Filter of events. All given fields must match. */
export interface EventFilter extends StreamFilter {
  /** Type of event such as `collide`, or several. */
  readonly type?: OneOrMore<EventType>;
  /** What takes part, such as `person`. */
  readonly label?: OneOrMore<string>;
  /** Name of a zone or line. */
  readonly zone?: OneOrMore<string>;
}

/** Filter of predictions. All given fields must match. */
export interface PredictionFilter extends EventFilter {
  /** 0–1 */
  readonly minProbability?: number;
}

/** Filter and rate of object updates. */
export interface ObjectsFilter extends StreamFilter {
  /** Most messages per second of media time, 0–120. Default 5. */
  readonly rate?: number;
}

/** Filter of messages. All given fields must match. */
export interface MessageFilter extends StreamFilter {
  /** Kinds such as `event.observed`. Default: all. */
  readonly types?: readonly MessageKind[];
  readonly label?: OneOrMore<string>;
  readonly zone?: OneOrMore<string>;
  readonly minProbability?: number;
  /** Of `objects.updated`, per second of media time. Default 5. */
  readonly objectsRate?: number;
}

/** How the agent stands with the service. */
export type AgentStatus =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  | {
      readonly state: 'reconnecting';
      readonly reason: string;
      readonly attempt: number;
      readonly delayMs: number;
    }
  | { readonly state: 'closed'; readonly reason: string; readonly error?: Error };
