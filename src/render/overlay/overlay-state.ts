import { boxPosition, type Box, type Point } from '../../core/maths/box.js';
import type {
  Draft,
  Explanation,
  ObjectState,
  ObservedEvent,
  Prediction,
  Scorecard,
} from '../../core/messages.js';
import { UPRIGHT_LABELS, type EventType } from '../../core/ontology.js';
import {
  clean,
  fulfilledClause,
  ObjectNames,
  observedClause,
  predictedClause,
  predictedDeed,
  windowPhrase,
} from '../wording.js';

/** Everything that is drawn over one frame. Boxes and points are fractions of the frame, times media seconds. */
export interface OverlayView {
  readonly t: number;
  readonly objects: readonly ObjectState[];
  /** Past positions of each object, oldest first. */
  readonly trails: ReadonlyMap<string, readonly TrailPoint[]>;
  /** Predicted paths of the objects of open predictions. */
  readonly ghosts: readonly Ghost[];
  /** Newest first. */
  readonly events: readonly CaptionedEvent[];
  /** The open ones and those lately resolved, the ones most worth showing first. */
  readonly predictions: readonly CaptionedPrediction[];
  readonly tally: { readonly hits: number; readonly misses: number };
  readonly scorecard: Scorecard | undefined;
}
export interface TrailPoint {
  readonly t: number;
  readonly at: Point;
}
export interface Ghost {
  readonly id: string;
  /** The object's box in steps of half a second. */
  readonly boxes: readonly Box[];
}
export interface CaptionedEvent {
  readonly id: string;
  readonly type: EventType;
  readonly t: number;
  readonly text: string;
  readonly objects: readonly string[];
  readonly why: string | undefined;
}
export interface CaptionedPrediction {
  readonly id: string;
  /** `person #3 will leave the view`, or what became of it. */
  readonly text: string;
  /** `leave the view`: for a tag at the object itself. */
  readonly deed: string;
  readonly window: string;
  readonly objects: readonly string[];
  readonly probability: number;
  readonly baseRate: number;
  readonly outcome: 'open' | 'hit' | 'miss' | 'void';
  readonly issuedAt: number;
}

const GHOST_STEP_S = 0.5;
const GHOST_SPAN_S = 3;
const TRAIL_S = 3;
const TRAIL_POINTS = 48;
const MAX_OBJECTS = 200;
const MAX_EVENTS = 8;
const MAX_OPEN = 64;
/** Captions in a view. */
const SHOWN_PREDICTIONS = 8;
/** An outcome stays on the picture for this long, an event for that long, s. */
const OUTCOME_S = 3;
const EVENT_S = 15;
/** A prediction without a published outcome is removed this long after its window, s. */
const FORGOTTEN_S = 5;

interface Followed {
  prediction: Prediction;
  outcome: CaptionedPrediction['outcome'];
  until: number;
}

/** Collects the content of messages for the overlay of the frames. Memory is bounded for any input. */
export class OverlayState {
  readonly #names = new ObjectNames();
  readonly #trails = new Map<string, TrailPoint[]>();
  readonly #predictions = new Map<string, Followed>();
  #objects: readonly ObjectState[] = [];
  #events: CaptionedEvent[] = [];
  #tally = { hits: 0, misses: 0 };
  #scorecard: Scorecard | undefined;

  add(draft: Draft): void {
    this.#names.learn(draft);
    switch (draft.kind) {
      case 'objects.updated': {
        this.#updateObjects(draft.mediatime, draft.data.objects);
        return;
      }
      case 'event.observed': {
        this.#addEvent(draft.data.event);
        return;
      }
      case 'explanation.created': {
        this.#addExplanation(draft.data.explanation);
        return;
      }
      case 'prediction.created':
      case 'prediction.updated': {
        this.#follow(draft.data.prediction);
        return;
      }
      case 'prediction.resolved': {
        this.#resolve(draft.data.prediction, draft.data.prediction.outcome, draft.mediatime);
        return;
      }
      case 'scorecard.updated':
        this.#scorecard = draft.data;
        return;
      default:
        return;
    }
  }

  /** The overlay of the frame at media time `t` (s). */
  view(t: number): OverlayView {
    for (const [id, one] of this.#predictions) if (one.until < t) this.#predictions.delete(id);
    return {
      t,
      objects: this.#objects,
      trails: this.#trails,
      ghosts: this.#ghosts(t),
      events: this.#events.filter((event) => t - event.t <= EVENT_S),
      predictions: this.#captions(),
      tally: this.#tally,
      scorecard: this.#scorecard,
    };
  }

  #updateObjects(t: number, objects: readonly ObjectState[]): void {
    this.#objects = objects.slice(0, MAX_OBJECTS);
    const present = new Set(this.#objects.map((object) => object.id));
    for (const id of this.#trails.keys()) if (!present.has(id)) this.#trails.delete(id);
    for (const object of this.#objects) {
      const trail = this.#trails.get(object.id) ?? [];
      trail.push({ t, at: boxPosition(object.box, UPRIGHT_LABELS.has(object.label)) });
      while (trail.length > TRAIL_POINTS || t - (trail[0]?.t ?? t) > TRAIL_S) trail.shift();
      this.#trails.set(object.id, trail);
    }
  }

  #addEvent(event: ObservedEvent): void {
    const { id, type, t } = event;
    const objects = event.participants.map((one) => one.id);
    this.#events.unshift({ id, type, t, objects, text: clean(observedClause(event)), why: undefined });
    this.#events.length = Math.min(this.#events.length, MAX_EVENTS);
  }

  #addExplanation(explanation: Explanation): void {
    const why = clean(explanation.text);
    this.#events = this.#events.map((event) => (event.id === explanation.of ? { ...event, why } : event));
  }

  #follow(prediction: Prediction): void {
    this.#predictions.set(prediction.id, {
      prediction,
      outcome: 'open',
      until: prediction.window.to + FORGOTTEN_S,
    });
    for (const oldest of this.#predictions.keys()) {
      if (this.#predictions.size <= MAX_OPEN) return;
      this.#predictions.delete(oldest);
    }
  }

  #resolve(prediction: Prediction, outcome: 'hit' | 'miss' | 'void', t: number): void {
    if (outcome === 'hit') this.#tally = { ...this.#tally, hits: this.#tally.hits + 1 };
    if (outcome === 'miss') this.#tally = { ...this.#tally, misses: this.#tally.misses + 1 };
    this.#follow(prediction);
    this.#predictions.set(prediction.id, { prediction, outcome, until: t + OUTCOME_S });
  }

  /** The likeliest open ones and the latest outcomes in turn, so that neither crowds out the other. */
  #captions(): CaptionedPrediction[] {
    const all = [...this.#predictions.values()];
    const open = all
      .filter((one) => one.outcome === 'open')
      .sort((a, b) => b.prediction.probability - a.prediction.probability);
    const over = all.filter((one) => one.outcome !== 'open').sort((a, b) => b.until - a.until);
    return Array.from({ length: SHOWN_PREDICTIONS }, (_, index) => [open[index], over[index]])
      .flat()
      .filter((one) => one !== undefined)
      .slice(0, SHOWN_PREDICTIONS)
      .map((one) => this.#caption(one));
  }

  #caption({ prediction, outcome }: Followed): CaptionedPrediction {
    const { event } = prediction;
    const text =
      outcome === 'hit'
        ? fulfilledClause(event, this.#names)
        : predictedClause(event, this.#names, outcome === 'miss' ? 'did not' : 'will');
    return {
      id: prediction.id,
      text: clean(text),
      deed: clean(predictedDeed(event, this.#names)),
      window: windowPhrase(prediction),
      objects: event.participants,
      probability: prediction.probability,
      baseRate: prediction.baseRate,
      outcome,
      issuedAt: prediction.issuedAt,
    };
  }

  #ghosts(t: number): Ghost[] {
    const ends = new Map<string, number>();
    for (const { prediction, outcome } of this.#predictions.values()) {
      if (outcome !== 'open') continue;
      for (const id of prediction.event.participants)
        ends.set(id, Math.max(ends.get(id) ?? 0, prediction.window.to));
    }
    return this.#objects.flatMap((object) => {
      const end = ends.get(object.id);
      if (end === undefined || object.state !== 'moving') return [];
      const boxes = pathOf(object, Math.min(end - t, GHOST_SPAN_S));
      return boxes.length === 0 ? [] : [{ id: object.id, boxes }];
    });
  }
}

/** Boxes along the present velocity, until the time is over or the centre has left the frame. */
function pathOf(object: ObjectState, seconds: number): Box[] {
  const [x, y, w, h] = object.box;
  const [vx, vy] = object.velocity;
  const boxes: Box[] = [];
  for (let s = GHOST_STEP_S; s <= seconds + 1e-6; s += GHOST_STEP_S) {
    const [cx, cy] = [x + w / 2 + vx * s, y + h / 2 + vy * s];
    if (cx < 0 || cx > 1 || cy < 0 || cy > 1) break;
    boxes.push([x + vx * s, y + vy * s, w, h]);
  }
  return boxes;
}
