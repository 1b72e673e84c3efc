import type { ObservedEvent, Prediction, ResolvedPrediction } from '../../src/core/messages.js';
import { eventClause, objectPhrase } from '../../src/core/text/object-names.js';
import type { StreamModel } from './stream-model.js';

const NBSP = '\u00a0';

/** `78 %`; never 0 or 100 for what is not certain. */
export function percent(probability: number): string {
  if (probability > 0 && probability < 0.01) return `<${NBSP}1${NBSP}%`;
  if (probability < 1 && probability > 0.99) return `>${NBSP}99${NBSP}%`;
  return `${Math.round(probability * 100)}${NBSP}%`;
}

/** `0:12.4`, `1:02:09`: media time. */
export function clock(seconds: number, tenths = true): string {
  const all = Math.max(tenths ? Math.round(seconds * 10) / 10 : Math.floor(seconds), 0);
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const rest = (tenths && h === 0 ? s.toFixed(1) : String(Math.floor(s))).padStart(
    tenths && h === 0 ? 4 : 2,
    '0',
  );
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${rest}` : `${m}:${rest}`;
}

/** `12 s`, `3 min`, `2 h`: how long. */
export function span(seconds: number): string {
  if (seconds < 60) return `${Math.max(Math.round(seconds), 0)}${NBSP}s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}${NBSP}min`;
  return `${Math.round(seconds / 3600)}${NBSP}h`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

export function eventText(event: ObservedEvent): string {
  return capital(eventClause(event.type, event.participants.map(objectPhrase), event.zone, 'past'));
}

/** `Person #3 will leave the view`, or what became of it. */
export function predictionText(
  prediction: Prediction,
  outcome: ResolvedPrediction['outcome'] | undefined,
  model: StreamModel,
): string {
  const { type, participants, zone } = prediction.event;
  const [first = 'something', ...others] = participants.map((id) => model.phrase(id));
  if (outcome === 'hit') return capital(eventClause(type, [first, ...others], zone, 'past'));
  const auxiliary = outcome === 'miss' ? 'did not' : 'will';
  return capital(eventClause(type, [`${first} ${auxiliary}`, ...others], zone, 'future'));
}

/** How the probability compares with what is usual: `6× the usual`. */
export function comparison({ probability, baseRate }: Prediction): string {
  if (baseRate <= 0) return 'never seen here before';
  const ratio = probability / baseRate;
  if (ratio >= 1.5)
    return `${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1)}× the usual ${percent(baseRate)}`;
  if (ratio <= 0.67) return `rarer than the usual ${percent(baseRate)}`;
  return `about the usual ${percent(baseRate)}`;
}
