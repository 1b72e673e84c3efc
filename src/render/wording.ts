import type { ObservedEvent, Prediction, ResolvedPrediction } from '../core/messages.js';
import type { Draft } from '../core/messages.js';
import { eventClause, objectName, objectPhrase } from '../core/text/object-names.js';

/** Most objects whose label is remembered; the one not mentioned for longest is forgotten first. */
const MAX_NAMES = 4096;

type PredictedEvent = Prediction['event'];

/** Labels of the objects that messages mention, for those messages that hold ids alone. Bounded. */
export class ObjectNames {
  readonly #labels = new Map<string, string>();

  /** Takes the names of objects from a message; other kinds have no effect. */
  learn(draft: Draft): void {
    if (draft.kind === 'objects.updated') for (const object of draft.data.objects) this.#set(object);
    else if (draft.kind === 'event.observed') for (const one of draft.data.event.participants) this.#set(one);
  }

  /** `person #7`, or `#7` for an object no message has described. */
  phrase(id: string): string {
    const label = this.#labels.get(id);
    return label === undefined ? objectName(id) : objectPhrase({ id, label });
  }

  #set(object: { id: string; label: string }): void {
    this.#labels.delete(object.id);
    this.#labels.set(object.id, object.label);
    if (this.#labels.size <= MAX_NAMES) return;
    for (const oldest of this.#labels.keys()) {
      this.#labels.delete(oldest);
      return;
    }
  }
}

/** `person #4 met person #7` */
export function observedClause(event: ObservedEvent): string {
  return eventClause(event.type, event.participants.map(objectPhrase), event.zone, 'past');
}

/** `person #3 will leave the view`, or with `did not` for one that failed. */
export function predictedClause(event: PredictedEvent, names: ObjectNames, auxiliary = 'will'): string {
  const [first = 'something', ...others] = event.participants.map((id) => names.phrase(id));
  return eventClause(event.type, [`${first} ${auxiliary}`, ...others], event.zone, 'future');
}

/** `person #3 left the view`: a prediction that came true. */
export function fulfilledClause(event: PredictedEvent, names: ObjectNames): string {
  return eventClause(
    event.type,
    event.participants.map((id) => names.phrase(id)),
    event.zone,
    'past',
  );
}

/** The outcome of a prediction: `person #3 left the view`, `person #3 did not leave the view`, or the open clause. */
export function outcomeClause(prediction: ResolvedPrediction, names: ObjectNames): string {
  if (prediction.outcome === 'hit') return fulfilledClause(prediction.event, names);
  return predictedClause(prediction.event, names, prediction.outcome === 'miss' ? 'did not' : 'will');
}

/** `within 3 s`, or `in 2 to 5 s` for a window that opens later than it was issued. */
export function windowPhrase(prediction: Prediction): string {
  const from = prediction.window.from - prediction.issuedAt;
  const to = prediction.window.to - prediction.issuedAt;
  return from < 0.05 ? `within ${amount(to)}\u00a0s` : `in ${amount(from)} to ${amount(to)}\u00a0s`;
}

/** `78 %` with a no-break space; never 0 or 100 for what is not certain. */
export function percent(probability: number): string {
  if (probability > 0 && probability < 0.01) return '<\u00a01\u00a0%';
  if (probability < 1 && probability > 0.99) return '>\u00a099\u00a0%';
  return `${Math.round(probability * 100)}\u00a0%`;
}

/** `12.4s`, `3:07.2`, `1:02:09.5`: media seconds. */
export function mediaTime(seconds: number): string {
  const tenths = Math.round(Math.abs(seconds) * 10);
  const sign = seconds < 0 && tenths > 0 ? '-' : '';
  if (tenths < 600) return `${sign}${(tenths / 10).toFixed(1)}s`;
  const whole = Math.floor(tenths / 10);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const rest = `${String(s).padStart(2, '0')}.${tenths % 10}`;
  return h > 0 ? `${sign}${h}:${String(m).padStart(2, '0')}:${rest}` : `${sign}${m}:${rest}`;
}

/** A number of seconds without needless decimals: `3`, `1.8`. */
export function amount(seconds: number): string {
  return String(Math.round(seconds * 10) / 10);
}

/** A score for people; `–` where there is nothing to score yet. */
export function score(value: number | null, digits = 3): string {
  return value === null ? '–' : value.toFixed(digits);
}

/** `+31 %`: skill against the base rate. */
export function skill(value: number | null): string {
  if (value === null) return '–';
  const rounded = Math.round(value * 100);
  return `${rounded > 0 ? '+' : ''}${rounded}\u00a0%`;
}

/** C0 and C1 controls, and the marks that change the direction of writing. */
const CONTROLS = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** Text of a message without control characters: a label or a sentence may come from a model or from outside. */
export function clean(text: string): string {
  return text.replace(CONTROLS, ' ').replace(/ {2,}/g, ' ').trim();
}

/** The predicted action of the first participant: `leave the view`, `meet person #7`. */
export function predictedDeed(event: PredictedEvent, names: ObjectNames): string {
  const others = event.participants.slice(1).map((id) => names.phrase(id));
  return eventClause(event.type, ['', ...others], event.zone, 'future').trim();
}
