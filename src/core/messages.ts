import { z } from 'zod';
import { EVENT_TYPES } from './ontology.js';

/**
 * The messages of Presage: CloudEvents 1.0 events in structured JSON. These schemas are the single source; types are
 * inferred from them. Consumers ignore unknown fields. Times are media seconds, boxes fractions of the frame.
 */
const seconds = z.number();
const probability = z.number().min(0).max(1);
const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
/** Later versions may add types: clients accept unknown ones. */
const eventType = z.enum(EVENT_TYPES).meta({ 'x-open': true });

/** State of a stream, with the format of its source and its load. `reason` explains every state but `live`. */
export const streamStateSchema = z.object({
  state: z.enum(['connecting', 'live', 'degraded', 'reconnecting', 'ended', 'failed']),
  reason: z.string().optional(),
  source: z
    .object({ width: z.number().int(), height: z.number().int(), fps: z.number(), codec: z.string() })
    .optional(),
  load: z
    .object({ processedFps: z.number(), skipped: z.number().int(), stage: z.string().optional() })
    .optional(),
});

/** One object at the media time of its message. `box` and `velocity` are fractions of the frame (per second); `age` in s. */
export const objectStateSchema = z.object({
  id: z.string(),
  label: z.string(),
  score: probability,
  box,
  velocity: z.tuple([z.number(), z.number()]),
  age: seconds,
  state: z.enum(['moving', 'standing', 'hidden']),
  mask: z.object({ size: z.tuple([z.number().int(), z.number().int()]), counts: z.string() }).optional(),
});
/** Data of `objects.updated`: all objects in view, hidden ones included. */
export const objectsUpdatedSchema = z.object({ objects: z.array(objectStateSchema) });

/** One object of an event, with its box (fractions of the frame) at the time of the event. */
export const participantSchema = z.object({
  id: z.string(),
  label: z.string(),
  role: z.string().optional(),
  box,
});
/** An event. `t` is its media time in s; `to` the end of an event that lasts; `confidence` 0–1. */
export const eventSchema = z.object({
  id: z.string(),
  type: eventType,
  participants: z.array(participantSchema).min(1),
  t: seconds,
  to: seconds.optional(),
  confidence: probability,
  zone: z.string().optional(),
  direction: z.enum(['a>b', 'b>a']).optional(),
});
/** Data of `event.observed`. `observedAt` is the media time (s) at which the event became certain. */
export const eventObservedSchema = z.object({ event: eventSchema, observedAt: seconds });

/** A moment (media s) and a box (fractions of the frame) that support a step of an explanation. */
export const evidenceSchema = z.object({ t: seconds, box });
/** One step of the chain of causes of an explanation, from media time `from` to `to` (s). */
export const chainStepSchema = z.object({
  text: z.string(),
  relation: z.string(),
  events: z.array(z.string()),
  objects: z.array(z.string()),
  from: seconds,
  to: seconds,
  evidence: z.array(evidenceSchema),
});
/** The result of an inspection for one picture: see `Inspection`. */
export const inspectionSchema = z.object({
  t: seconds,
  region: box,
  found: z.array(
    z.object({
      label: z.string(),
      score: probability,
      box,
      origin: z.enum(['detector', 'motion', 'segmenter']),
      mask: z.object({ size: z.tuple([z.number().int(), z.number().int()]), counts: z.string() }).optional(),
      object: z.string().optional(),
    }),
  ),
  more: z.number().int(),
  image: z.string().optional(),
});
/** The backend and model that produced a result; `ms` is the time it took, milliseconds. */
export const bySchema = z.object({ backend: z.string(), model: z.string(), ms: z.number().optional() });
/** An explanation of the event `of`: a chain of steps, the causing objects, and the result of the verification. */
export const explanationSchema = z.object({
  id: z.string(),
  of: z.string(),
  text: z.string(),
  chain: z.array(chainStepSchema),
  causes: z.array(z.object({ object: z.string(), probability, counterfactual: z.string() })),
  confidence: probability,
  verified: z.object({ ok: z.boolean(), problems: z.array(z.string()) }),
  by: bySchema,
  /** Inspections made for this explanation. */
  inspections: z.array(inspectionSchema).optional(),
});

/** Probability (0–1) of one event within `horizon` seconds; without it, within the horizon of the forecast. */
export const forecastItemSchema = z.object({
  type: eventType,
  participants: z.array(z.string()),
  zone: z.string().optional(),
  horizon: seconds.optional(),
  probability,
});
/** Data of `forecast.updated`: the standard forecast at media time `at` (s) for the next `horizon` seconds. */
export const forecastSchema = z.object({ at: seconds, horizon: seconds, items: z.array(forecastItemSchema) });

/** A predicted event, its time window (media s), calibrated probability and base rate (0–1). */
export const predictionSchema = z.object({
  id: z.string(),
  event: z.object({ type: eventType, participants: z.array(z.string()), zone: z.string().optional() }),
  window: z.object({ from: seconds, to: seconds }),
  probability,
  rank: z.number().int().min(1),
  baseRate: probability,
  justification: z.object({ text: z.string(), events: z.array(z.string()), objects: z.array(z.string()) }),
  issuedAt: seconds,
  by: bySchema,
});
/** A prediction with its outcome; `void` where it could not be observed. `leadTime` in s. */
export const resolvedPredictionSchema = predictionSchema.extend({
  outcome: z.enum(['hit', 'miss', 'void']),
  resolvedAt: seconds,
  eventId: z.string().optional(),
  leadTime: seconds.optional(),
});

const scores = z.object({
  n: z.number().int(),
  positives: z.number().int(),
  brier: z.number().nullable(),
  skill: z.number().nullable(),
  ece: z.number().nullable(),
  ap: z.number().nullable(),
});
/** Data of `scorecard.updated`: Brier score, skill, calibration error and average precision of the predictions of a window. */
export const scorecardSchema = z.object({
  window: z.object({ from: seconds, to: seconds }),
  n: z.number().int(),
  brier: z.number().nullable(),
  skill: z.number().nullable(),
  ece: z.number().nullable(),
  ap: z.number().nullable(),
  medianLeadTime: seconds.nullable(),
  /** Number of forecasts in the window that were published without the estimate of a configured expert; absent when 0. */
  degraded: z.number().int().optional(),
  reliability: z.array(z.object({ p: probability, observed: probability, n: z.number().int() })),
  byType: z.record(z.string(), scores),
});

/** Data of `summary.created`: the text of an episode from media time `from` to `to` (s). */
export const summarySchema = z.object({
  from: seconds,
  to: seconds,
  text: z.string(),
  events: z.array(z.string()),
  objects: z.array(z.string()),
});
/** The evidence of an answer: ids of objects and events, and the span of media time. */
export const answerEvidenceSchema = z.object({
  objects: z.array(z.string()),
  events: z.array(z.string()),
  from: seconds,
  to: seconds,
});
/** Data of `answer.created`: the answer to a question, its evidence and confidence (0–1). */
export const answerSchema = z.object({
  question: z.string(),
  text: z.string(),
  evidence: z.array(answerEvidenceSchema),
  confidence: probability,
  inspections: z.array(inspectionSchema).optional(),
});
/** Data of `lagged`: messages that this client lost, with the sequences of the durable ones. */
export const laggedSchema = z.object({
  dropped: z.number().int(),
  fromSequence: z.string(),
  toSequence: z.string(),
});

/** `data` of each message, by its type without `presage.` and `.v1`. */
export const messageData = {
  'stream.state': streamStateSchema,
  'objects.updated': objectsUpdatedSchema,
  'event.observed': eventObservedSchema,
  'explanation.created': z.object({ explanation: explanationSchema }),
  'forecast.updated': forecastSchema,
  'prediction.created': z.object({ prediction: predictionSchema }),
  'prediction.updated': z.object({ prediction: predictionSchema }),
  'prediction.resolved': z.object({ prediction: resolvedPredictionSchema }),
  'scorecard.updated': scorecardSchema,
  'summary.created': summarySchema,
  'answer.created': answerSchema,
  lagged: laggedSchema,
} as const;
/** Kind of a message: its type without `presage.` and `.v1`. */
export type MessageKind = keyof typeof messageData;
/** All kinds of messages. */
export const MESSAGE_KINDS = Object.keys(messageData) as MessageKind[];

/** Kinds that are stored in the durable log and carry a `sequence`. */
export const DURABLE_KINDS: ReadonlySet<MessageKind> = new Set<MessageKind>([
  'stream.state',
  'event.observed',
  'explanation.created',
  'prediction.created',
  'prediction.updated',
  'prediction.resolved',
  'scorecard.updated',
  'summary.created',
]);

/** Data of a message of one kind. */
export type MessageData<K extends MessageKind> = z.infer<(typeof messageData)[K]>;
/** State of a stream: see `streamStateSchema`. */
export type StreamState = z.infer<typeof streamStateSchema>;
/** One object in view: see `objectStateSchema`. */
export type ObjectState = z.infer<typeof objectStateSchema>;
/** One object of an event: see `participantSchema`. */
export type Participant = z.infer<typeof participantSchema>;
/** An event: see `eventSchema`. */
export type ObservedEvent = z.infer<typeof eventSchema>;
/** An event and the media time at which it became certain: see `eventObservedSchema`. */
export type EventObserved = z.infer<typeof eventObservedSchema>;
/** One step of the chain of causes of an explanation: see `chainStepSchema`. */
export type ChainStep = z.infer<typeof chainStepSchema>;
/** An explanation of an event: see `explanationSchema`. */
export type Explanation = z.infer<typeof explanationSchema>;
/** One item of the standard forecast: see `forecastItemSchema`. */
export type ForecastItem = z.infer<typeof forecastItemSchema>;
/** The standard forecast: see `forecastSchema`. */
export type Forecast = z.infer<typeof forecastSchema>;
/** A predicted event: see `predictionSchema`. */
export type Prediction = z.infer<typeof predictionSchema>;
/** A prediction with its outcome: see `resolvedPredictionSchema`. */
export type ResolvedPrediction = z.infer<typeof resolvedPredictionSchema>;
/** The answer to a question: see `answerSchema`. */
export type Answer = z.infer<typeof answerSchema>;
/** The result of an inspection of the recent video: see `inspectionSchema`. */
export type ReportedInspection = z.infer<typeof inspectionSchema>;
/** Objects, events and a span (media s) that support an answer. */
export type AnswerEvidence = z.infer<typeof answerEvidenceSchema>;
/** Scores of the predictions of a window: see `scorecardSchema`. */
export type Scorecard = z.infer<typeof scorecardSchema>;

/** A message without its envelope, as a stage produces it. */
export type Draft = {
  [K in MessageKind]: { kind: K; mediatime: number; subject?: string; data: MessageData<K> };
}[MessageKind];

/** The CloudEvents envelope around the data of a message. */
export type Message = {
  [K in MessageKind]: {
    specversion: '1.0';
    id: string;
    source: string;
    type: `presage.${K}.v1`;
    subject?: string;
    time?: string;
    datacontenttype: 'application/json';
    /** Ten digits, incremented by one per durable message of the stream; absent on messages that are not durable. */
    sequence?: string;
    mediatime: number;
    data: MessageData<K>;
  };
}[MessageKind];

/** The CloudEvents type of a kind, such as `presage.event.observed.v1`. */
export function messageType<K extends MessageKind>(kind: K): `presage.${K}.v1` {
  return `presage.${kind}.v1`;
}

/** Returns the kind of a message type such as `presage.event.observed.v1`; undefined for an unknown type. */
export function kindOfType(type: string): MessageKind | undefined {
  const kind = /^presage\.(.+)\.v1$/.exec(type)?.[1] ?? type;
  return (MESSAGE_KINDS as string[]).includes(kind) ? (kind as MessageKind) : undefined;
}

/** A sequence as ten decimal digits. */
export function formatSequence(sequence: number): string {
  return String(sequence).padStart(10, '0');
}
