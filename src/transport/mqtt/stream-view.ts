import { boxPosition, inPolygon, type Point } from '../../core/maths/box.js';
import { UPRIGHT_LABELS } from '../../core/ontology.js';
import type { Message, ObjectState, Prediction } from '../../core/messages.js';
import type { Topics } from './topics.js';

export type Zones = Readonly<Record<string, readonly Point[]>>;

/** Predictions kept in mind per stream; each is resolved within seconds of its window. */
const MAX_OPEN = 256;

/**
 * What is retained about one stream: how many objects of each label are in each zone, what is likely to happen next, whether
 * the camera delivers. By topic, and only what changed.
 */
export class StreamView {
  readonly #stream: string;
  readonly #topics: Topics;
  readonly #zones: Zones;
  readonly #open = new Map<string, Prediction>();
  /** Labels seen so far, so that what has left becomes 0; undefined: every label. */
  readonly #labels = new Set<string | undefined>([undefined]);
  readonly #retained = new Map<string, string>();

  constructor(stream: string, topics: Topics, zones: Zones) {
    this.#stream = stream;
    this.#topics = topics;
    this.#zones = zones;
    this.#set(topics.streamAvailable(stream), 'online');
    this.#count([]);
    this.#tellNext();
  }

  get zones(): readonly string[] {
    return Object.keys(this.#zones);
  }

  /** Everything that is to be retained at the broker. */
  get retained(): ReadonlyMap<string, string> {
    return this.#retained;
  }

  /** Takes a message in; returns the topics whose payload changed. */
  take(message: Message): readonly string[] {
    switch (message.type) {
      case 'presage.objects.updated.v1':
        return this.#count(message.data.objects);
      case 'presage.stream.state.v1': {
        const { state } = message.data;
        const delivers = state === 'live' || state === 'degraded';
        const changed = this.#set(
          this.#topics.streamAvailable(this.#stream),
          delivers ? 'online' : 'offline',
        );
        return delivers ? changed : [...changed, ...this.#forget()];
      }
      case 'presage.prediction.created.v1':
      case 'presage.prediction.updated.v1':
        this.#keep(message.data.prediction);
        return this.#tellNext();
      case 'presage.prediction.resolved.v1':
        this.#open.delete(message.data.prediction.id);
        return this.#tellNext();
      default:
        return [];
    }
  }

  #keep(prediction: Prediction): void {
    this.#open.delete(prediction.id);
    this.#open.set(prediction.id, prediction);
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_OPEN && oldest !== undefined) this.#open.delete(oldest);
  }

  /** Without pictures nobody is known to be there, and nothing is expected. */
  #forget(): readonly string[] {
    this.#open.clear();
    return [...this.#count([]), ...this.#tellNext()];
  }

  #count(objects: readonly ObjectState[]): readonly string[] {
    const counts = new Map<string, number>();
    const add = (zone: string | undefined, label: string): void => {
      for (const name of [label, undefined]) {
        const topic = this.#topics.count(this.#stream, zone, name);
        counts.set(topic, (counts.get(topic) ?? 0) + 1);
      }
    };
    for (const { label, box } of objects) {
      this.#labels.add(label);
      add(undefined, label);
      const [x, y] = boxPosition(box, UPRIGHT_LABELS.has(label));
      for (const [zone, corners] of Object.entries(this.#zones))
        if (inPolygon(x, y, corners)) add(zone, label);
    }
    const changed: string[] = [];
    for (const zone of [undefined, ...this.zones]) {
      for (const label of this.#labels) {
        const topic = this.#topics.count(this.#stream, zone, label);
        changed.push(...this.#set(topic, String(counts.get(topic) ?? 0)));
      }
    }
    return changed;
  }

  #tellNext(): readonly string[] {
    const open = [...this.#open.values()];
    const changed = [...this.#set(this.#topics.nextEvent(this.#stream), nextOf(open))];
    for (const zone of this.zones) {
      const here = open.filter(({ event }) => event.zone === zone);
      changed.push(...this.#set(this.#topics.nextEvent(this.#stream, zone), nextOf(here)));
    }
    return changed;
  }

  #set(topic: string, payload: string): readonly string[] {
    if (this.#retained.get(topic) === payload) return [];
    this.#retained.set(topic, payload);
    return [topic];
  }
}

/** The most probable; `none` where nothing is expected. */
function nextOf(predictions: readonly Prediction[]): string {
  const likeliest = predictions.reduce<Prediction | undefined>(
    (best, one) => (best !== undefined && best.probability >= one.probability ? best : one),
    undefined,
  );
  if (likeliest === undefined) return JSON.stringify({ type: 'none' });
  const { id, event, probability, baseRate, window, justification } = likeliest;
  const { type, participants, zone } = event;
  const { text } = justification;
  return JSON.stringify({ type, probability, ...window, zone, participants, text, baseRate, id });
}
