import type {
  Draft,
  Explanation,
  ObjectState,
  ObservedEvent,
  Prediction,
  ResolvedPrediction,
  Scorecard,
} from '../../core/messages.js';
import { ObjectNames } from '../wording.js';

/** Bounds on what one page can hold and stay usable. */
const MAX_EVENTS = 3000;
const MAX_PREDICTIONS = 3000;
const MAX_OBJECTS = 2000;
const MAX_NOTES = 200;

/** Content of the head of the page. */
export interface ReportInfo {
  /** File or address of the recording, without credentials. */
  readonly source: string;
  /** Media seconds; by default the time of the last message. */
  readonly duration?: number | undefined;
  /** Detector or model in use. */
  readonly model?: string | undefined;
  /** Further settings, shown in their order. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

export interface ReportedEvent {
  readonly event: ObservedEvent;
  explanation?: Explanation;
}
export interface ReportedPrediction {
  prediction: Prediction | ResolvedPrediction;
  /** The probability at first, where it was changed later. */
  readonly first: number;
  outcome: ResolvedPrediction['outcome'] | 'open';
}
/** The time in which an object was seen, media seconds. */
export interface Presence {
  readonly id: string;
  readonly label: string;
  readonly from: number;
  to: number;
}
export interface Note {
  readonly t: number;
  readonly text: string;
}

/** Gathers the messages of a stream for its report. What goes beyond the bounds is counted, the earliest is kept. */
export class ReportData {
  readonly names = new ObjectNames();
  readonly events = new Map<string, ReportedEvent>();
  readonly predictions = new Map<string, ReportedPrediction>();
  readonly presences = new Map<string, Presence>();
  readonly notes: Note[] = [];
  scorecard: Scorecard | undefined;
  /** Largest media time of any message, s. */
  end = 0;
  leftOut = { events: 0, predictions: 0, objects: 0, notes: 0 };
  #objects: readonly ObjectState[] = [];

  add(draft: Draft): void {
    this.names.learn(draft);
    this.end = Math.max(this.end, draft.mediatime);
    switch (draft.kind) {
      case 'objects.updated': {
        this.#addObjects(draft.mediatime, draft.data.objects);
        return;
      }
      case 'event.observed': {
        this.#addEvent(draft.data.event);
        return;
      }
      case 'explanation.created': {
        const { explanation } = draft.data;
        const explained = this.events.get(explanation.of);
        if (explained) explained.explanation = explanation;
        return;
      }
      case 'prediction.created':
      case 'prediction.updated': {
        this.#addPrediction(draft.data.prediction, 'open');
        return;
      }
      case 'prediction.resolved': {
        this.#addPrediction(draft.data.prediction, draft.data.prediction.outcome);
        return;
      }
      case 'scorecard.updated':
        this.scorecard = draft.data;
        return;
      case 'summary.created': {
        this.#addNote(draft.data.from, draft.data.text);
        return;
      }
      case 'stream.state':
        if (draft.data.reason !== undefined)
          this.#addNote(draft.mediatime, `${draft.data.state}: ${draft.data.reason}`);
        return;
      case 'forecast.updated':
      case 'lagged':
        return;
    }
  }

  /** In the order of their media time, which may differ from the order of publication. */
  eventsByTime(): ReportedEvent[] {
    return [...this.events.values()].sort((a, b) => a.event.t - b.event.t);
  }

  /** The last published position of an object; undefined when it is not in view. */
  objectNow(id: string): ObjectState | undefined {
    return this.#objects.find((object) => object.id === id);
  }

  #addObjects(t: number, objects: readonly ObjectState[]): void {
    this.#objects = objects;
    for (const { id, label } of objects) {
      const known = this.presences.get(id);
      if (known) known.to = t;
      else if (this.presences.size < MAX_OBJECTS) this.presences.set(id, { id, label, from: t, to: t });
      else this.leftOut.objects += 1;
    }
  }

  #addEvent(event: ObservedEvent): void {
    if (this.events.size >= MAX_EVENTS) this.leftOut.events += 1;
    else this.events.set(event.id, { event });
  }

  #addPrediction(prediction: Prediction | ResolvedPrediction, outcome: ReportedPrediction['outcome']): void {
    const known = this.predictions.get(prediction.id);
    if (known) Object.assign(known, { prediction, outcome });
    else if (this.predictions.size < MAX_PREDICTIONS) {
      this.predictions.set(prediction.id, { prediction, first: prediction.probability, outcome });
    } else if (outcome === 'open') this.leftOut.predictions += 1;
  }

  #addNote(t: number, text: string): void {
    if (this.notes.length < MAX_NOTES) this.notes.push({ t, text });
    else this.leftOut.notes += 1;
  }
}
