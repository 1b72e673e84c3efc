import type { Message } from '../../core/messages.js';
import type { LogEntry } from '../log/log-types.js';

/** Objects, events and predictions whose facts are kept in mind per stream; others are looked up again. */
const MAX_REMEMBERED = 4096;

/** What filters ask about a message; undefined where it says nothing of the kind. */
export interface MessageAttributes {
  readonly labels?: ReadonlySet<string> | undefined;
  readonly zones?: ReadonlySet<string> | undefined;
  readonly probability?: number | undefined;
}

/** The oldest message about an object, event or prediction of a stream. */
export type FindFirstEntry = (ref: string) => LogEntry | undefined;

/**
 * Tells what messages of one stream are about. Predictions, forecasts and explanations name objects and events by id:
 * their labels and zones are those of the events in the log that tell of them.
 */
export class AttributeIndex {
  readonly #findFirst: FindFirstEntry;
  readonly #remembered = new Map<string, MessageAttributes>();

  constructor(findFirst: FindFirstEntry) {
    this.#findFirst = findFirst;
  }

  attributesOf(message: Message): MessageAttributes {
    switch (message.type) {
      case 'presage.event.observed.v1': {
        const { participants, zone } = message.data.event;
        return { labels: new Set(participants.map(({ label }) => label)), zones: only(zone) };
      }
      case 'presage.objects.updated.v1':
        return { labels: new Set(message.data.objects.map(({ label }) => label)) };
      case 'presage.explanation.created.v1':
        return this.#recall(message.data.explanation.of);
      case 'presage.forecast.updated.v1': {
        const { items } = message.data;
        return {
          labels: this.#labelsOf(items.flatMap(({ participants }) => participants)),
          zones: new Set(items.flatMap(({ zone }) => zone ?? [])),
          probability: items.reduce((most, { probability }) => Math.max(most, probability), 0),
        };
      }
      case 'presage.prediction.created.v1':
      case 'presage.prediction.updated.v1':
      case 'presage.prediction.resolved.v1': {
        const { id, event, probability } = message.data.prediction;
        return {
          labels: this.#labelsOf(event.participants),
          zones: only(event.zone),
          probability: this.#mostOf(id, probability),
        };
      }
      case 'presage.summary.created.v1':
        return { labels: this.#labelsOf(message.data.objects) };
      default:
        return {};
    }
  }

  /** A prediction that was once likely enough stays in view to its end, also when it turns out unlikely. */
  #mostOf(id: string, now: number): number {
    const most = Math.max(now, this.#recall(id).probability ?? 0);
    this.#remember(id, { probability: most });
    return most;
  }

  #labelsOf(objects: readonly string[]): ReadonlySet<string> {
    const labels = objects.flatMap((id) => [...(this.#recall(id).labels ?? [])]);
    return new Set(labels);
  }

  #recall(ref: string): MessageAttributes {
    const known = this.#remembered.get(ref);
    if (known !== undefined) return known;
    const entry = this.#findFirst(ref);
    if (entry === undefined) return {};
    return this.#remember(ref, attributesFor(ref, JSON.parse(entry.json) as Message));
  }

  #remember(ref: string, facts: MessageAttributes): MessageAttributes {
    this.#remembered.delete(ref);
    this.#remembered.set(ref, facts);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    return facts;
  }
}

/** What a message in the log tells about one of those whom it names. */
function attributesFor(ref: string, message: Message): MessageAttributes {
  if (message.type === 'presage.event.observed.v1') {
    const { id, participants, zone } = message.data.event;
    const named = id === ref ? participants : participants.filter((participant) => participant.id === ref);
    return { labels: new Set(named.map(({ label }) => label)), zones: id === ref ? only(zone) : undefined };
  }
  if (message.type === 'presage.prediction.created.v1') {
    return { probability: message.data.prediction.probability };
  }
  return {};
}

function only(zone: string | undefined): ReadonlySet<string> {
  return new Set(zone === undefined ? [] : [zone]);
}
