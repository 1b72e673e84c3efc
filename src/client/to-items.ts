import type { Message } from '../core/messages.js';
import type * as T from './types.js';
import { streamOf } from './interest.js';

/** Slack when thinning by media time, so that frames at exactly the rate all pass, s. */
const RATE_SLACK_S = 1e-3;

/* What the flows give of messages; undefined for messages of other kinds. */

export function event(message: Message): T.EventItem | undefined {
  if (message.type !== 'presage.event.observed.v1') return undefined;
  const { event: observed, observedAt } = message.data;
  return { ...observed, observedAt, ...originOf(message) };
}

export function prediction(message: Message): T.PredictionItem | undefined {
  if (message.type !== 'presage.prediction.created.v1' && message.type !== 'presage.prediction.updated.v1')
    return undefined;
  const updated = message.type === 'presage.prediction.updated.v1';
  return { ...message.data.prediction, updated, ...originOf(message) };
}

export function resolution(message: Message): T.ResolutionItem | undefined {
  if (message.type !== 'presage.prediction.resolved.v1') return undefined;
  return { ...message.data.prediction, ...originOf(message) };
}

export function explanation(message: Message): T.ExplanationItem | undefined {
  if (message.type !== 'presage.explanation.created.v1') return undefined;
  return { ...message.data.explanation, ...originOf(message) };
}

export function forecast(message: Message): T.ForecastUpdate | undefined {
  if (message.type !== 'presage.forecast.updated.v1') return undefined;
  return { ...message.data, ...originOf(message) };
}

export function scorecard(message: Message): T.ScorecardItem | undefined {
  if (message.type !== 'presage.scorecard.updated.v1') return undefined;
  return { ...message.data, ...originOf(message) };
}

export function state(message: Message): T.StateItem | undefined {
  if (message.type !== 'presage.stream.state.v1') return undefined;
  return { ...message.data, ...originOf(message) };
}

/** Objects at a rate that may be less than that of the connection, which serves others as well. */
export function thinned(rate: number): (message: Message) => T.ObjectsItem | undefined {
  const lastAt = new Map<string, number>();
  return (message) => {
    if (message.type !== 'presage.objects.updated.v1' || rate === 0) return undefined;
    const stream = streamOf(message);
    const since = message.mediatime - (lastAt.get(stream) ?? -Infinity);
    if (since >= 0 && since < 1 / rate - RATE_SLACK_S) return undefined;
    lastAt.set(stream, message.mediatime);
    return { objects: message.data.objects, ...originOf(message) };
  };
}

function originOf(message: Message): T.Origin {
  const { sequence, mediatime, time } = message;
  return {
    stream: streamOf(message),
    ...(sequence === undefined ? {} : { sequence: Number(sequence) }),
    mediatime,
    ...(time === undefined ? {} : { time }),
  };
}
