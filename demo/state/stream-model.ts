import { signal, type ReadonlySignal } from '@preact/signals';
import type {
  Explanation,
  Message,
  ObjectState,
  ObservedEvent,
  Participant,
  Prediction,
  ResolvedPrediction,
  Scorecard,
  StreamState,
} from '../../src/core/messages.js';
import type { StreamInfo } from '../../src/client/index.js';
import { MediaClock } from './media-clock.js';
import { PredictionBoard } from './prediction-board.js';
import { TrackBook } from './track-book.js';

export interface SeenEvent extends ObservedEvent {
  readonly observedAt: number;
}
export interface ScoredAt {
  readonly t: number;
  readonly card: Scorecard;
}

const MAX_EVENTS = 400;
const MAX_EXPLANATIONS = 200;
const MAX_SCORES = 240;
const MAX_NAMES = 4096;
/** The list of who is here need not follow every frame, ms. */
const LIST_EVERY_MS = 400;

/** All that the page knows of one stream: made of its messages, bounded. */
export class StreamModel {
  readonly tracks = new TrackBook();
  readonly clock = new MediaClock();
  readonly board = new PredictionBoard();
  readonly info = signal<StreamInfo | undefined>(undefined);
  readonly #state = signal<StreamState | undefined>(undefined);
  readonly #events = signal<readonly SeenEvent[]>([]);
  readonly #explanations = signal<ReadonlyMap<string, Explanation>>(new Map());
  readonly #scores = signal<readonly ScoredAt[]>([]);
  readonly #here = signal<readonly ObjectState[]>([]);
  readonly #labels = new Map<string, string>();
  #listedAtMs = -Infinity;
  #sequence = 0;

  constructor(readonly id: string) {}

  get state(): ReadonlySignal<StreamState | undefined> {
    return this.#state;
  }
  /** Newest first. */
  get events(): ReadonlySignal<readonly SeenEvent[]> {
    return this.#events;
  }
  /** By the event they explain. */
  get explanations(): ReadonlySignal<ReadonlyMap<string, Explanation>> {
    return this.#explanations;
  }
  /** Oldest first. */
  get scores(): ReadonlySignal<readonly ScoredAt[]> {
    return this.#scores;
  }
  get here(): ReadonlySignal<readonly ObjectState[]> {
    return this.#here;
  }
  /** Sequence of the newest durable message that was taken in. */
  get sequence(): number {
    return this.#sequence;
  }

  /** `person #7`, or `#7` where nothing has described it. */
  phrase(id: string): string {
    const label = this.#labels.get(id);
    const number = `#${id.replace(/^o/, '')}`;
    return label === undefined ? number : `${label} ${number}`;
  }

  /** Forgets everything: the service numbers anew. */
  reset(): void {
    this.#sequence = 0;
    this.tracks.clear();
    this.clock.reset();
    this.board.reset();
    this.#events.value = [];
    this.#explanations.value = new Map();
    this.#scores.value = [];
    this.#here.value = [];
  }

  add(message: Message): void {
    if (message.sequence !== undefined) {
      const sequence = Number(message.sequence);
      if (sequence <= this.#sequence) return;
      this.#sequence = sequence;
    }
    const t = message.mediatime;
    switch (message.type) {
      case 'presage.objects.updated.v1':
        this.#addObjects(t, message.data.objects);
        return;
      case 'presage.stream.state.v1':
        this.#state.value = message.data;
        return;
      case 'presage.event.observed.v1':
        this.#addEvent({ ...message.data.event, observedAt: message.data.observedAt });
        return;
      case 'presage.explanation.created.v1':
        this.#addExplanation(message.data.explanation);
        return;
      case 'presage.prediction.created.v1':
      case 'presage.prediction.updated.v1':
      case 'presage.prediction.resolved.v1':
        this.#addPrediction(message.data.prediction);
        return;
      case 'presage.scorecard.updated.v1':
        this.#scores.value = [...this.#scores.value, { t, card: message.data }].slice(-MAX_SCORES);
        return;
      default:
        return;
    }
  }

  #addObjects(t: number, objects: readonly ObjectState[]): void {
    this.tracks.add(t, objects);
    this.clock.hear(t);
    for (const object of objects) this.#learn(object);
    const nowMs = performance.now();
    if (nowMs - this.#listedAtMs < LIST_EVERY_MS) return;
    this.#listedAtMs = nowMs;
    this.#here.value = objects;
    this.board.tidy(t);
  }

  #addEvent(event: SeenEvent): void {
    for (const one of event.participants) this.#learn(one);
    this.#events.value = [event, ...this.#events.value.filter(({ id }) => id !== event.id)].slice(
      0,
      MAX_EVENTS,
    );
  }

  #addExplanation(explanation: Explanation): void {
    const all = new Map(this.#explanations.value).set(explanation.of, explanation);
    for (const oldest of all.keys()) {
      if (all.size <= MAX_EXPLANATIONS) break;
      all.delete(oldest);
    }
    this.#explanations.value = all;
  }

  #addPrediction(prediction: Prediction | ResolvedPrediction): void {
    if ('outcome' in prediction) this.board.resolve(prediction);
    else this.board.follow(prediction, this.clock.now());
  }

  #learn({ id, label }: Pick<Participant, 'id' | 'label'>): void {
    if (this.#labels.get(id) === label) return;
    this.#labels.delete(id);
    this.#labels.set(id, label);
    for (const oldest of this.#labels.keys()) {
      if (this.#labels.size <= MAX_NAMES) return;
      this.#labels.delete(oldest);
    }
  }
}
